//! The limits that one owner has, and how a request edits them: usage is never touched and never refilled.

use jiff::Timestamp;

use crate::budget::{Budget, BudgetInput};
use crate::ids::{LimitId, Mint};
use crate::invalid::{Invalid, Pointer};
use crate::meter::{Count, EnforcementDefaults, Meter, MeterId, Metric};
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput};
use crate::scope::Scope;

mod budgets;
mod rates;

/// Budgets and rate limit of one owner. Budgets differ in duration and stand shortest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Caps on money.
    pub budgets: Vec<Budget>,
    /// Caps on tokens and requests.
    pub rate_limit: Option<RateLimit>,
}

/// What a request says about an owner's limits.
#[derive(Debug)]
pub struct LimitsInput<'a> {
    /// The single-budget form.
    pub budget: &'a Patch<BudgetInput>,
    /// The list form.
    pub budgets: &'a Patch<Vec<BudgetInput>>,
    /// The rate limit.
    pub rate_limit: &'a Patch<RateLimitInput>,
    /// Whether the owner's limits follow the calendar.
    pub alignment: Alignment,
    /// Where the owner's members are in the request.
    pub at: &'a Pointer,
}

/// Whether the limits of one owner follow the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alignment {
    /// What the request says: every limit follows unless it says otherwise itself.
    pub asked: Option<bool>,
    /// What the owner's setting is without that. New limits follow it, and those that are there stay as they are.
    pub standing: bool,
}

impl Alignment {
    /// Whether a limit follows the calendar that says so itself, or that existed and did so.
    pub(crate) fn of_limit(self, own: Option<bool>, existing: Option<bool>) -> bool {
        own.or(self.asked).or(existing).unwrap_or(self.standing)
    }

    /// The owner's setting after the request.
    #[must_use]
    pub fn setting(self) -> bool {
        self.asked.unwrap_or(self.standing)
    }
}

/// Whether an edit takes off what budgets have counted in their current windows. It does so only when asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetUsage {
    /// It does.
    Yes,
    /// It leaves usage alone.
    No,
}

impl From<Option<bool>> for ResetUsage {
    fn from(asked: Option<bool>) -> Self {
        if asked == Some(true) { Self::Yes } else { Self::No }
    }
}

/// When an edit happens and where it gets new ids from.
pub struct Edit<'a> {
    /// The instant of the edit.
    pub now: Timestamp,
    /// The source of ids.
    pub mint: Mint<'a>,
}

impl Limits {
    /// The limits after the request, which may fail and then changes nothing.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn edited(&self, input: &LimitsInput<'_>, edit: &mut Edit<'_>) -> Result<Self, Invalid> {
        let mut budgets = match (input.budget, input.budgets) {
            (Patch::Value(_), Patch::Value(_)) => {
                return Err(Invalid::at(input.at.member("budgets"), "only one of 'budget' or 'budgets' may be set"));
            }
            (Patch::Value(one), Patch::Absent | Patch::Null) => self.single(one, input, edit)?,
            (Patch::Absent | Patch::Null, Patch::Value(list)) => self.reconciled(list, input, edit)?,
            (Patch::Null, Patch::Absent | Patch::Null) | (Patch::Absent, Patch::Null) => Vec::new(),
            (Patch::Absent, Patch::Absent) => self.following(input),
        };
        for budget in &mut budgets {
            let unchanged = self.budgets.iter().any(|old| old == budget);
            if !unchanged {
                budget.updated_at = edit.now;
            }
            budget.observe(None, edit.now);
        }
        budgets.sort_by_key(|budget| budget.reset_duration.length());
        let rate_limit = self.edited_rate_limit(input, edit)?;
        Ok(Self { budgets, rate_limit })
    }

    /// The meters of these limits. Those that do not say how strictly they are held are held as `defaults` says.
    pub fn meters(&self, scope: &Scope, defaults: &EnforcementDefaults) -> impl Iterator<Item = Meter> {
        let rates = self.rate_limit.iter().flat_map(|rate_limit| {
            rate_limit.caps().map(|(id, cap, windows)| Meter {
                enforcement: rate_limit.enforcement.unwrap_or_else(|| defaults.of(id.metric)),
                id,
                scope: scope.clone(),
                cap,
                raise: None,
                windows,
                anchor: rate_limit.created_at,
                clamp: rate_limit.output_clamp.unwrap_or_default(),
            })
        });
        let budgets = self.budgets.iter().map(|budget| Meter {
            enforcement: budget.enforcement.unwrap_or_else(|| defaults.of(Metric::Cost)),
            id: budget.meter_id(),
            scope: scope.clone(),
            cap: budget.max_limit.nanos(),
            raise: budget.raise(),
            windows: budget.windows(),
            anchor: budget.created_at,
            clamp: budget.output_clamp.unwrap_or_default(),
        });
        rates.chain(budgets)
    }

    /// The same, with what the meters read at `now`.
    #[must_use]
    pub fn observed(mut self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) -> Self {
        for budget in &mut self.budgets {
            let count = read(&budget.meter_id());
            budget.observe(count, now);
        }
        if let Some(rate_limit) = &mut self.rate_limit {
            rate_limit.observe(read, now);
        }
        self
    }

    /// Every limit's id.
    pub fn ids(&self) -> impl Iterator<Item = &LimitId> {
        let budgets = self.budgets.iter().map(|budget| &budget.id);
        budgets.chain(self.rate_limit.iter().map(|rate_limit| &rate_limit.id))
    }
}
