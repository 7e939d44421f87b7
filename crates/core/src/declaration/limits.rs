//! The limits that a file declares for one owner. A budget or rate limit has a definition of its own: as long as the owner's is
//! what it was, only those limits are replaced that the file has changed.

use super::{Basis, definition, full_budget, full_rate_limit};
use crate::budget::{Budget, BudgetInput};
use crate::ids::LimitId;
use crate::invalid::{Invalid, Pointer};
use crate::limits::Limits;
use crate::patch::Patch;
use crate::rate_limit::{RateLimitInput, RateLimitRule, either_form};

/// The limits that a file declares for one owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeclaredLimits {
    /// Caps on money.
    pub budgets: Vec<DeclaredBudget>,
    /// Caps on tokens and requests.
    pub rate_limit: Option<DeclaredRateLimit>,
}

/// A budget of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredBudget {
    /// Its id; none: it is known by its duration.
    pub id: Option<LimitId>,
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything else.
    pub input: BudgetInput,
}

/// A rate limit of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredRateLimit {
    /// Its id; none: it is known by its owner.
    pub id: Option<LimitId>,
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything else.
    pub input: RateLimitInput,
}

/// A budget or a rate limit, and the definition that the file has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRow {
    /// The limit.
    pub id: LimitId,
    /// The definition.
    pub definition: String,
}

/// What an edit of an owner says about its limits.
pub(super) struct LimitPatches {
    pub(super) budgets: Patch<Vec<BudgetInput>>,
    pub(super) rate_limit: Patch<RateLimitInput>,
}

impl LimitPatches {
    pub(super) const fn change_something(&self) -> bool {
        !self.budgets.is_absent() || !self.rate_limit.is_absent()
    }
}

impl DeclaredLimits {
    /// The limits that an owner declares in its own members, which are at `at`.
    ///
    /// # Errors
    /// Two forms of the same.
    pub fn inline(
        budget: Patch<BudgetInput>,
        budgets: Patch<Vec<BudgetInput>>,
        rate_limit: Patch<RateLimitInput>,
        rate_limits: Patch<Vec<RateLimitRule>>,
        at: &Pointer,
    ) -> Result<Self, Invalid> {
        let declared = |mut input: BudgetInput, at: Pointer| DeclaredBudget { id: input.id.take(), at, input };
        let list = at.member("budgets");
        let budgets = match (budget.value(), budgets.value()) {
            (Some(_), Some(_)) => {
                return Err(Invalid::at(list, "only one of 'budget' or 'budgets' may be set"));
            }
            (Some(one), None) => vec![declared(one, at.member("budget"))],
            (None, several) => {
                let several = several.into_iter().flatten().enumerate();
                several.map(|(index, input)| declared(input, list.element(index))).collect()
            }
        };
        let rate_limit = either_form(rate_limit, rate_limits, at)?.value();
        let rate_limit = rate_limit.filter(|input| *input != RateLimitInput::default());
        let at = at.member("rate_limit");
        Ok(Self { budgets, rate_limit: rate_limit.map(|input| DeclaredRateLimit { id: None, at, input }) })
    }

    /// The members of a request that makes the owner.
    pub(super) fn create(&self) -> (Patch<Vec<BudgetInput>>, Patch<RateLimitInput>) {
        let budgets: Vec<BudgetInput> = self.budgets.iter().map(|budget| budget.input.clone()).collect();
        let budgets = if budgets.is_empty() { Patch::Absent } else { Patch::Value(budgets) };
        let rate_limit = self.rate_limit.as_ref().map(|limit| limit.input.clone());
        (budgets, rate_limit.map_or(Patch::Absent, Patch::Value))
    }

    /// The members of a request that edits the owner. `replaces`: the owner's definition is another one, so that exactly the
    /// declared limits remain.
    pub(super) fn edit(
        &self,
        existing: &Limits,
        replaces: bool,
        calendar_aligned: bool,
        basis: Basis<'_>,
    ) -> LimitPatches {
        LimitPatches {
            budgets: self.edited_budgets(existing, replaces, calendar_aligned, basis),
            rate_limit: self.edited_rate_limit(existing, replaces, calendar_aligned, basis),
        }
    }

    fn edited_budgets(
        &self,
        existing: &Limits,
        replaces: bool,
        calendar_aligned: bool,
        basis: Basis<'_>,
    ) -> Patch<Vec<BudgetInput>> {
        let kept = |budget: &Budget| BudgetInput { id: Some(budget.id.clone()), ..BudgetInput::default() };
        let mut changes = replaces;
        let mut elements = Vec::new();
        for declared in &self.budgets {
            match self.continued(declared, existing) {
                Some(budget) if !basis.differs(&declared.definition(), &budget.config_hash) => {
                    // What the owner's setting is does not reach a budget that the file gives one of its own.
                    let own = declared.input.calendar_aligned.map(|_| budget.calendar_aligned);
                    elements.push(BudgetInput { calendar_aligned: own, ..kept(budget) });
                }
                found => {
                    changes = true;
                    let id = found.map(|budget| budget.id.clone());
                    elements.push(full_budget(&declared.input, id, calendar_aligned));
                }
            }
        }
        if !changes {
            return Patch::Absent;
        }
        if !replaces {
            let others = existing.budgets.iter().filter(|budget| self.declaring(budget, existing).is_none());
            elements.extend(others.map(kept));
        }
        Patch::Value(elements)
    }

    fn edited_rate_limit(
        &self,
        existing: &Limits,
        replaces: bool,
        calendar_aligned: bool,
        basis: Basis<'_>,
    ) -> Patch<RateLimitInput> {
        let Some(declared) = &self.rate_limit else {
            return if replaces { Patch::Null } else { Patch::Absent };
        };
        match &existing.rate_limit {
            Some(limit) if !basis.differs(&declared.definition(), &limit.config_hash) => {
                let own = declared.input.calendar_aligned.filter(|_| replaces).map(|_| limit.calendar_aligned);
                own.map_or(Patch::Absent, |own| {
                    Patch::Value(RateLimitInput { calendar_aligned: Some(own), ..RateLimitInput::default() })
                })
            }
            Some(_) | None => Patch::Value(full_rate_limit(&declared.input, calendar_aligned)),
        }
    }

    /// The existing budget that a declared one continues: by its id, else by its duration among those that no other names.
    fn continued<'a>(&self, declared: &DeclaredBudget, existing: &'a Limits) -> Option<&'a Budget> {
        let named = |budget: &&Budget| self.budgets.iter().any(|other| other.id.as_ref() == Some(&budget.id));
        let by_id = existing.budgets.iter().find(|budget| Some(&budget.id) == declared.id.as_ref());
        by_id.or_else(|| {
            let mut free = existing.budgets.iter().filter(|budget| !named(budget));
            free.find(|budget| declared.input.reset_duration.as_ref() == Some(&budget.reset_duration))
        })
    }

    fn declaring(&self, budget: &Budget, existing: &Limits) -> Option<&DeclaredBudget> {
        let is_it =
            |declared: &&DeclaredBudget| self.continued(declared, existing).is_some_and(|it| it.id == budget.id);
        self.budgets.iter().find(is_it)
    }

    /// Gives new limits the ids that the file has for them. Those that continue existing ones keep theirs.
    pub(super) fn name(&self, limits: &mut Limits, existing: &Limits) {
        let exists = |id: &LimitId| existing.ids().any(|known| known == id);
        for declared in &self.budgets {
            let Some(id) = declared.id.as_ref().filter(|id| !exists(id)) else { continue };
            let mut new = limits.budgets.iter_mut().filter(|budget| !exists(&budget.id));
            let same = |budget: &&mut Budget| declared.input.reset_duration.as_ref() == Some(&budget.reset_duration);
            if let Some(budget) = new.find(same) {
                budget.id = id.clone();
            }
        }
        if let (Some(limit), Some(id)) =
            (&mut limits.rate_limit, self.rate_limit.as_ref().and_then(|it| it.id.as_ref()))
            && !exists(&limit.id)
        {
            limit.id = id.clone();
        }
    }

    /// Which of the owner's limits the file declares.
    #[must_use]
    pub fn rows(&self, limits: &Limits) -> Vec<LimitRow> {
        let budgets = self.budgets.iter().filter_map(|declared| {
            let budget = self.continued(declared, limits)?;
            Some(LimitRow { id: budget.id.clone(), definition: declared.definition() })
        });
        let rate_limit = self.rate_limit.iter().zip(&limits.rate_limit);
        let rate_limit =
            rate_limit.map(|(declared, limit)| LimitRow { id: limit.id.clone(), definition: declared.definition() });
        budgets.chain(rate_limit).collect()
    }

    /// What of these limits belongs to the owner's own definition: which they are.
    pub(super) fn ids(&self) -> Vec<Option<&LimitId>> {
        let rate_limit = self.rate_limit.iter().map(|limit| limit.id.as_ref());
        self.budgets.iter().map(|budget| budget.id.as_ref()).chain(rate_limit).collect()
    }

    /// Where in the file something is that a request has at `pointer`; none when it is not about these limits. The owner's
    /// members are at `owner` in the request.
    pub(super) fn place(&self, pointer: &Pointer, owner: &Pointer) -> Option<Pointer> {
        let list = owner.member("budgets");
        let mut budgets = self.budgets.iter().enumerate();
        let in_budgets =
            budgets.find_map(|(index, budget)| Some(budget.at.join(&pointer.within(&list.element(index))?)));
        let in_rate_limit = || Some(self.rate_limit.as_ref()?.at.join(&pointer.within(&owner.member("rate_limit"))?));
        in_budgets.or_else(in_rate_limit)
    }
}

impl DeclaredBudget {
    fn definition(&self) -> String {
        definition(&("budget", &self.id, &self.input))
    }
}

impl DeclaredRateLimit {
    fn definition(&self) -> String {
        definition(&("rate_limit", &self.id, &self.input))
    }
}
