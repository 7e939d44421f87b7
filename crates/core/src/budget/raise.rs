//! Overrides: a budget's cap is raised for some windows, or until it is told otherwise. Nothing runs when one ends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Budget;
use crate::invalid::Invalid;
use crate::meter::Raise;
use crate::money::NanoUsd;

/// How long an override holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverrideMode {
    /// For some windows.
    Cycles,
    /// Until it is removed.
    Forever,
}

/// Raises a budget's cap for a time; replaces an earlier override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideBudget {
    /// US dollars to add, more than zero.
    pub amount: NanoUsd,
    /// How long the override holds.
    pub mode: OverrideMode,
    /// For mode `cycles`: how many windows, the current one included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub cycles: Option<u32>,
}

/// A budget whose override was set or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetOverridden {
    /// The budget.
    pub budget: Budget,
    /// The cap in force at present, in US dollars.
    pub effective_max_limit: NanoUsd,
}

/// The most windows of an override.
const MAX_CYCLES: u32 = 1_000;

impl OverrideBudget {
    /// What the request makes of a budget's cap, from `now` on.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn raise(&self, budget: &Budget, now: Timestamp) -> Result<Raise, Invalid> {
        let refuse = |member: &str, message: &str| Err(Invalid::at(member.into(), message));
        if self.amount.nanos() <= 0 {
            return refuse("amount", "amount must be greater than 0");
        }
        if budget.max_limit.nanos().checked_add(self.amount.nanos()).is_none() {
            return refuse("amount", "amount is too large");
        }
        let until = match (self.mode, self.cycles) {
            (OverrideMode::Cycles, _) if budget.reset_duration.is_never() => {
                return refuse("mode", "mode 'cycles' counts windows, and this budget has one that does not end");
            }
            (OverrideMode::Forever, None) => None,
            (OverrideMode::Forever, Some(_)) => return refuse("cycles", "cycles is only for mode 'cycles'"),
            (OverrideMode::Cycles, Some(cycles @ 1..=MAX_CYCLES)) => Some(budget.window_end(now, cycles)),
            (OverrideMode::Cycles, Some(_) | None) => {
                return refuse("cycles", "mode 'cycles' needs cycles between 1 and 1000");
            }
        };
        Ok(Raise { amount: self.amount.nanos(), until })
    }
}

impl BudgetOverridden {
    /// The answer about a budget, as it reads at some instant.
    #[must_use]
    pub fn of(budget: Budget) -> Self {
        let raised = budget.override_amount.map_or(0, NanoUsd::nanos);
        let effective_max_limit = NanoUsd::from_nanos(budget.max_limit.nanos().saturating_add(raised));
        Self { budget, effective_max_limit }
    }
}

impl Budget {
    /// What is added to the cap.
    #[must_use]
    pub fn raise(&self) -> Option<Raise> {
        let amount = self.override_amount?.nanos();
        Some(Raise { amount, until: self.override_expires_at })
    }

    /// Sets or removes what is added to the cap.
    pub fn set_raise(&mut self, raise: Option<Raise>) {
        self.override_amount = raise.map(|raise| NanoUsd::from_nanos(raise.amount));
        self.override_expires_at = raise.and_then(|raise| raise.until);
        self.override_mode = raise.map(|raise| match raise.until {
            Some(_) => OverrideMode::Cycles,
            None => OverrideMode::Forever,
        });
    }

    /// Leaves out an override that is over, and counts what is left of one that is not.
    pub(super) fn show_override(&mut self, now: Timestamp) {
        let raise = self.raise().filter(|raise| raise.holds_at(now));
        self.set_raise(raise);
        self.override_cycles_left = raise.and_then(|raise| raise.until).map(|until| self.windows_until(now, until));
    }

    /// The end of the `count`th window from `now` on.
    fn window_end(&self, now: Timestamp, count: u32) -> Timestamp {
        let (windows, anchor) = (self.windows(), self.created_at);
        (0..count).fold(now, |instant, _| windows.window_at(anchor, instant).end)
    }

    /// How many windows begin before `until`, the current one included.
    fn windows_until(&self, now: Timestamp, until: Timestamp) -> u32 {
        let (windows, anchor) = (self.windows(), self.created_at);
        let mut instant = now;
        (0..MAX_CYCLES)
            .find(|_| {
                let is_over = instant >= until;
                instant = windows.window_at(anchor, instant).end;
                is_over
            })
            .unwrap_or(MAX_CYCLES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily() -> Budget {
        Budget::new("b".into(), "10".parse().unwrap(), "1d".parse().unwrap(), at("2026-01-01T06:00:00Z"))
    }

    fn request(mode: OverrideMode, cycles: Option<u32>) -> OverrideBudget {
        OverrideBudget { amount: "5".parse().unwrap(), mode, cycles }
    }

    #[test]
    fn an_override_ends_with_the_last_of_its_windows() {
        let now = at("2026-01-03T12:00:00Z");
        let mut budget = daily();
        budget.set_raise(Some(request(OverrideMode::Cycles, Some(2)).raise(&budget, now).unwrap()));
        for (instant, left) in [
            ("2026-01-03T12:00:00Z", Some(2)),
            ("2026-01-04T06:00:00Z", Some(1)),
            ("2026-01-05T05:59:59Z", Some(1)),
            ("2026-01-05T06:00:00Z", None),
        ] {
            let mut seen = budget.clone();
            seen.observe(None, at(instant));
            assert_eq!(seen.override_cycles_left, left, "{instant}");
            assert_eq!(seen.override_amount.is_some(), left.is_some());
            let effective = BudgetOverridden::of(seen).effective_max_limit.to_string();
            assert_eq!(effective, if left.is_some() { "15" } else { "10" });
        }
    }

    #[test]
    fn a_mode_has_its_own_members() {
        let (budget, now) = (daily(), at("2026-01-03T12:00:00Z"));
        assert_eq!(request(OverrideMode::Forever, None).raise(&budget, now).unwrap().until, None);
        for (mode, cycles) in [
            (OverrideMode::Forever, Some(1)),
            (OverrideMode::Cycles, None),
            (OverrideMode::Cycles, Some(0)),
            (OverrideMode::Cycles, Some(1_001)),
        ] {
            assert_eq!(request(mode, cycles).raise(&budget, now).unwrap_err().pointer, "cycles".into());
        }
        let free = OverrideBudget { amount: NanoUsd::ZERO, ..request(OverrideMode::Forever, None) };
        assert_eq!(free.raise(&budget, now).unwrap_err().pointer, "amount".into());
    }
    #[test]
    fn a_window_that_does_not_end_counts_no_cycles() {
        let now = at("2026-01-03T12:00:00Z");
        let mut budget = daily();
        budget.set_raise(Some(request(OverrideMode::Cycles, Some(2)).raise(&budget, now).unwrap()));
        budget.reset_duration = "never".parse().unwrap();
        assert_eq!(request(OverrideMode::Cycles, Some(2)).raise(&budget, now).unwrap_err().pointer, "mode".into());
        assert!(request(OverrideMode::Forever, None).raise(&budget, now).is_ok());
        let left = |budget: &Budget, instant| {
            let mut seen = budget.clone();
            seen.observe(None, at(instant));
            seen.override_cycles_left
        };
        // One that was set before ends when it was to end.
        assert_eq!(left(&budget, "2026-01-05T05:59:59Z"), Some(1));
        assert_eq!(left(&budget, "2026-01-05T06:00:00Z"), None);
    }
    /// The end is an instant that was told: edits of what windows are leave it alone, and only the count of windows follows.
    #[test]
    fn an_override_ends_when_it_was_to_end_whatever_becomes_of_the_windows() {
        // The second day in Berlin has 23 hours.
        let (now, until) = (at("2026-03-28T12:00:00Z"), at("2026-03-29T22:00:00Z"));
        let mut budget = daily();
        budget.timezone = "Europe/Berlin".parse().unwrap();
        budget.align(true);
        let raise = request(OverrideMode::Cycles, Some(2)).raise(&budget, now).unwrap();
        assert_eq!(raise.until, Some(until));
        budget.set_raise(Some(raise));
        for (duration, zone, aligned, left) in [
            ("1d", "Europe/Berlin", true, 2),
            ("1d", "Pacific/Kiritimati", true, 2),
            ("1d", "Europe/Berlin", false, 2),
            ("1w", "Europe/Berlin", true, 1),
            ("1Q", "Europe/Berlin", true, 1),
            ("1h", "Europe/Berlin", true, 34),
            ("never", "Europe/Berlin", true, 1),
        ] {
            let mut edited = budget.clone();
            (edited.reset_duration, edited.timezone) = (duration.parse().unwrap(), zone.parse().unwrap());
            edited.align(aligned);
            let seen = |instant| {
                let mut seen = edited.clone();
                seen.observe(None, instant);
                (seen.override_cycles_left, seen.override_expires_at)
            };
            assert_eq!(seen(now), (Some(left), Some(until)), "{duration} {zone} {aligned}");
            assert_eq!(seen(until - jiff::SignedDuration::from_nanos(1)), (Some(1), Some(until)), "{duration} {zone}");
            assert_eq!(seen(until), (None, None), "{duration} {zone}");
        }
    }
}
