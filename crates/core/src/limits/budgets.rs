//! How a request edits the budgets of one owner.

use super::{Edit, Limits, LimitsInput};
use crate::budget::{Budget, BudgetInput, ResetConfig, ResetConfigInput};
use crate::duration::ResetDuration;
use crate::invalid::{Invalid, Pointer};
use crate::money::NanoUsd;
use crate::month::Month;
use crate::patch::Patch;

impl Limits {
    /// The budgets when the request does not mention them: they follow their owner's calendar setting.
    pub(super) fn following(&self, input: &LimitsInput<'_>) -> Vec<Budget> {
        let mut budgets = self.budgets.clone();
        if let Some(aligned) = input.alignment.asked {
            budgets.iter_mut().for_each(|budget| budget.align(aligned));
        }
        budgets
    }

    /// The single-budget form: it edits the one budget there is, makes one, or removes it when it is `{}`.
    pub(super) fn single(
        &self,
        one: &BudgetInput,
        input: &LimitsInput<'_>,
        edit: &mut Edit<'_>,
    ) -> Result<Vec<Budget>, Invalid> {
        let at = input.at.member("budget");
        match self.budgets.as_slice() {
            [] | [_] if *one == BudgetInput::default() => Ok(Vec::new()),
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
    pub(super) fn reconciled(
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
    let mut budget = match existing {
        Some(budget) => budget.clone(),
        None => Budget::new((edit.mint)().into(), max_limit, reset_duration.clone(), edit.now),
    };
    budget.max_limit = max_limit;
    budget.reset_duration = reset_duration;
    if let Some(timezone) = &change.timezone {
        budget.timezone = timezone.clone();
    }
    budget.enforcement = change.enforcement.clone().or_keep(budget.enforcement);
    budget.output_clamp = change.output_clamp.clone().or_keep(budget.output_clamp);
    let existing = existing.map(|budget| budget.calendar_aligned);
    budget.align(input.alignment.of_limit(change.calendar_aligned, existing));
    start_quarters(&mut budget, ResetConfigInput::month(&change.reset_config), at)?;
    Ok(budget)
}

/// Sets the month that quarters begin with.
fn start_quarters(budget: &mut Budget, month: Patch<Month>, at: &Pointer) -> Result<(), Invalid> {
    if matches!(month, Patch::Value(_)) && !budget.has_quarters() {
        let message = "quarter_start_month needs calendar_aligned and a reset_duration in Q";
        return Err(Invalid::at(at.member("reset_config").member("quarter_start_month"), message));
    }
    let month = month.or_keep(budget.reset_config.map(|config| config.quarter_start_month));
    budget.reset_config = month.map(|quarter_start_month| ResetConfig { quarter_start_month });
    Ok(())
}

fn check_max_limit(max_limit: NanoUsd, at: &Pointer) -> Result<(), Invalid> {
    let at = at.member("max_limit");
    match max_limit.nanos() {
        ..0 => Err(Invalid::at(at, format!("Budget max_limit cannot be negative: {max_limit:.2}"))),
        0 => Err(Invalid::at(at, format!("budget max limit cannot be negative or zero: {max_limit:.2}"))),
        1.. => Ok(()),
    }
}
