//! The limits that one owner has, and how a request edits them: usage is never touched and never refilled.

use jiff::Timestamp;

use crate::budget::{Budget, BudgetInput};
use crate::duration::ResetDuration;
use crate::ids::{LimitId, Mint};
use crate::invalid::{Invalid, Pointer};
use crate::meter::{Count, Enforcement, Meter, MeterId, Metric, OutputClamp};
use crate::money::NanoUsd;
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput, check_positive};
use crate::scope::Scope;

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
    /// The owner's calendar setting, when the request gives it: every budget follows unless it says otherwise.
    pub calendar_aligned: Option<bool>,
    /// Where the owner's members are in the request.
    pub at: &'a Pointer,
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
        if !input.budget.is_absent() && !input.budgets.is_absent() {
            return Err(Invalid::at(input.at.member("budgets"), "only one of 'budget' or 'budgets' may be set"));
        }
        let mut budgets = match (input.budget, input.budgets) {
            (Patch::Absent, Patch::Absent) => self.budgets.clone(),
            (Patch::Absent, Patch::Null) | (Patch::Null, _) => Vec::new(),
            (Patch::Absent, Patch::Value(list)) => self.reconciled(list, input, edit)?,
            (Patch::Value(one), _) => self.single(one, input, edit)?,
        };
        if let Some(aligned) = input.calendar_aligned {
            self.align(&mut budgets, aligned, input);
        }
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

    /// The meters of these limits.
    pub fn meters(&self, scope: &Scope) -> impl Iterator<Item = Meter> {
        let rates = self.rate_limit.iter().flat_map(|rate_limit| {
            rate_limit.caps().map(|(id, cap, windows)| Meter {
                enforcement: Enforcement::default_of(id.metric),
                id,
                scope: scope.clone(),
                cap,
                raise: None,
                windows,
                anchor: rate_limit.created_at,
                clamp: OutputClamp::default(),
            })
        });
        let budgets = self.budgets.iter().map(|budget| Meter {
            enforcement: Enforcement::default_of(Metric::Cost),
            id: budget.meter_id(),
            scope: scope.clone(),
            cap: budget.max_limit.nanos(),
            raise: budget.raise(),
            windows: budget.windows(),
            anchor: budget.created_at,
            clamp: OutputClamp::default(),
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

    /// The single-budget form: it edits the one budget there is, makes one, or removes it when it is `{}`.
    fn single(&self, one: &BudgetInput, input: &LimitsInput<'_>, edit: &mut Edit<'_>) -> Result<Vec<Budget>, Invalid> {
        let at = input.at.member("budget");
        match self.budgets.as_slice() {
            [_] if *one == BudgetInput::default() => Ok(Vec::new()),
            [existing] => Ok(vec![edited_budget(Some(existing), one, input, &at, edit)?]),
            [] => Ok(vec![edited_budget(None, one, input, &at, edit)?]),
            _ => Err(Invalid::at(
                at,
                "deprecated 'budget' field cannot be used when multiple budgets already exist; use 'budgets'",
            )),
        }
    }

    /// The list form: the full desired set. An element continues an existing budget by its id, else by its duration;
    /// what is left on both sides is paired shortest first, so that a changed duration is an edit and not a refill.
    fn reconciled(
        &self,
        list: &[BudgetInput],
        input: &LimitsInput<'_>,
        edit: &mut Edit<'_>,
    ) -> Result<Vec<Budget>, Invalid> {
        let at = input.at.member("budgets");
        let mut left: Vec<&Budget> = self.budgets.iter().collect();
        let mut continued: Vec<Option<&Budget>> = Vec::with_capacity(list.len());
        for (index, element) in list.iter().enumerate() {
            let found = element.id.as_ref().map(|id| {
                taken(&mut left, |budget| budget.id == *id).ok_or_else(|| {
                    let message = format!("budget {id} does not belong to this entity");
                    Invalid::at(at.element(index).member("id"), message)
                })
            });
            continued.push(found.transpose()?);
        }
        for (slot, element) in continued.iter_mut().zip(list) {
            if slot.is_none() {
                *slot = taken(&mut left, |budget| element.reset_duration.as_ref() == Some(&budget.reset_duration));
            }
        }
        let mut unpaired: Vec<(&mut Option<&Budget>, &BudgetInput)> =
            continued.iter_mut().zip(list).filter(|(slot, _)| slot.is_none()).collect();
        unpaired.sort_by_key(|(_, element)| element.reset_duration.as_ref().map(ResetDuration::length));
        for ((slot, _), budget) in unpaired.into_iter().zip(left) {
            *slot = Some(budget);
        }
        let mut budgets: Vec<Budget> = Vec::with_capacity(list.len());
        for (index, (element, existing)) in list.iter().zip(continued).enumerate() {
            let at = at.element(index);
            let budget = edited_budget(existing, element, input, &at, edit)?;
            if budgets.iter().any(|other| other.reset_duration.length() == budget.reset_duration.length()) {
                let message = format!("Duplicate reset_duration in budgets: {}", budget.reset_duration);
                return Err(Invalid::at(at.member("reset_duration"), message));
            }
            budgets.push(budget);
        }
        Ok(budgets)
    }

    /// Lets budgets follow their owner's calendar setting, except those that were just told otherwise.
    fn align(&self, budgets: &mut [Budget], aligned: bool, input: &LimitsInput<'_>) {
        let told = |budget: &Budget| match (input.budget, input.budgets) {
            (Patch::Value(one), _) => one.calendar_aligned.is_some(),
            (_, Patch::Value(list)) => list.iter().any(|element| {
                element.calendar_aligned.is_some()
                    && (element.id.as_ref() == Some(&budget.id)
                        || element.reset_duration.as_ref() == Some(&budget.reset_duration))
            }),
            (Patch::Absent | Patch::Null, Patch::Absent | Patch::Null) => false,
        };
        for budget in budgets.iter_mut().filter(|budget| !told(budget)) {
            budget.calendar_aligned = aligned && budget.reset_duration.calendar().is_some();
        }
    }

    fn edited_rate_limit(&self, input: &LimitsInput<'_>, edit: &mut Edit<'_>) -> Result<Option<RateLimit>, Invalid> {
        let existing = self.rate_limit.as_ref();
        let change = match input.rate_limit {
            Patch::Absent => return Ok(existing.cloned()),
            Patch::Null => return Ok(None),
            Patch::Value(change) if *change == RateLimitInput::default() => return Ok(None),
            Patch::Value(change) => change,
        };
        let mut edited = existing.cloned().unwrap_or_else(|| RateLimit {
            id: (edit.mint)().into(),
            token_max_limit: None,
            token_reset_duration: None,
            token_current_usage: 0,
            token_last_reset: edit.now,
            request_max_limit: None,
            request_reset_duration: None,
            request_current_usage: 0,
            request_last_reset: edit.now,
            config_hash: String::new(),
            created_at: edit.now,
            updated_at: edit.now,
        });
        edited.token_max_limit = change.token_max_limit.clone().or_keep(edited.token_max_limit);
        edited.token_reset_duration = change.token_reset_duration.clone().or_keep(edited.token_reset_duration);
        edited.request_max_limit = change.request_max_limit.clone().or_keep(edited.request_max_limit);
        edited.request_reset_duration = change.request_reset_duration.clone().or_keep(edited.request_reset_duration);
        edited.updated_at = edit.now;
        let at = input.at.member("rate_limit");
        check_cap("token", edited.token_max_limit, edited.token_reset_duration.as_ref(), &at)?;
        check_cap("request", edited.request_max_limit, edited.request_reset_duration.as_ref(), &at)?;
        Ok(Some(edited))
    }
}

fn check_cap(metric: &str, cap: Option<i64>, duration: Option<&ResetDuration>, at: &Pointer) -> Result<(), Invalid> {
    let Some(cap) = cap else { return Ok(()) };
    check_positive(metric, cap, at.member(&format!("{metric}_max_limit")))?;
    match duration {
        Some(_) => Ok(()),
        None => Err(Invalid::at(
            at.member(&format!("{metric}_reset_duration")),
            format!("rate limit {metric} reset duration is required"),
        )),
    }
}

/// Takes the first budget that matches out of the list.
fn taken<'b>(left: &mut Vec<&'b Budget>, matches: impl Fn(&Budget) -> bool) -> Option<&'b Budget> {
    let index = left.iter().position(|budget| matches(budget))?;
    Some(left.remove(index))
}

/// One budget after the request; a new one where none exists.
fn edited_budget(
    existing: Option<&Budget>,
    change: &BudgetInput,
    input: &LimitsInput<'_>,
    at: &Pointer,
    edit: &mut Edit<'_>,
) -> Result<Budget, Invalid> {
    let (Some(max_limit), Some(reset_duration)) = (
        change.max_limit.or(existing.map(|budget| budget.max_limit)),
        change.reset_duration.clone().or(existing.map(|budget| budget.reset_duration.clone())),
    ) else {
        let missing = if change.max_limit.is_none() { "max_limit" } else { "reset_duration" };
        return Err(Invalid::at(
            at.member(missing),
            "both max_limit and reset_duration are required when creating a new budget",
        ));
    };
    check_max_limit(max_limit, at)?;
    if change.calendar_aligned == Some(true) && reset_duration.calendar().is_none() {
        let message = format!("calendar_aligned needs a reset_duration in d, w, M, Q or Y, not {reset_duration}");
        return Err(Invalid::at(at.member("calendar_aligned"), message));
    }
    let aligned = change
        .calendar_aligned
        .or(existing.map(|budget| budget.calendar_aligned))
        .or(input.calendar_aligned)
        .unwrap_or(false);
    let mut budget = match existing {
        Some(budget) => budget.clone(),
        None => Budget::new((edit.mint)().into(), max_limit, reset_duration.clone(), edit.now),
    };
    budget.max_limit = max_limit;
    budget.calendar_aligned = aligned && reset_duration.calendar().is_some();
    budget.reset_duration = reset_duration;
    if let Some(timezone) = &change.timezone {
        budget.timezone = timezone.clone();
    }
    Ok(budget)
}

fn check_max_limit(max_limit: NanoUsd, at: &Pointer) -> Result<(), Invalid> {
    let at = at.member("max_limit");
    match max_limit.nanos() {
        ..0 => Err(Invalid::at(at, format!("Budget max_limit cannot be negative: {max_limit:.2}"))),
        0 => Err(Invalid::at(at, format!("budget max limit cannot be negative or zero: {max_limit:.2}"))),
        1.. => Ok(()),
    }
}
