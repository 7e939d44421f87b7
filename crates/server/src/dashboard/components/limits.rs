//! Limits, to look at: each meter with what is used, what is held, and when its window ends.

use jiff::Timestamp;
use keyward_core::budget::Budget;
use keyward_core::duration::{CalendarUnit, ResetDuration};
use keyward_core::limits::Limits;
use keyward_core::meter::{Enforcement, MeterId, Metric};
use keyward_core::money::NanoUsd;
use keyward_core::rate_limit::RateLimit;
use keyward_core::window::WindowPolicy;
use maud::{Markup, html};

use super::badge::{Tone, badge};
use super::bar::{Level, bar};
use super::number::{count, dollars};
use super::time::instant_or;

/// What is held on a meter.
pub(in crate::dashboard) type Holds<'a> = &'a dyn Fn(&MeterId) -> i64;

/// The meters of some limits.
pub(in crate::dashboard) fn meters(limits: &Limits, holds: Holds<'_>, now: Timestamp) -> Markup {
    html! {
        div.stack {
            @for budget in &limits.budgets { (budget_meter(budget, holds)) }
            @if let Some(limit) = &limits.rate_limit {
                @for (id, cap, windows) in limit.caps() { (rate_meter(limit, &id, cap, &windows, holds, now)) }
            }
            @if limits.budgets.is_empty() && limits.rate_limit.is_none() {
                p.muted { "No limits of its own." }
            }
        }
    }
}

/// The shortest way to show what is used of budgets: the one that is used up most.
pub(in crate::dashboard) fn tightest(budgets: &[Budget]) -> Markup {
    let by_share = |budget: &&Budget| Level::of_budget(budget, 0).percent();
    match budgets.iter().max_by_key(by_share) {
        None => html! { span.muted { "No budget" } },
        Some(budget) => {
            let level = Level::of_budget(budget, 0);
            html! {
                div.meter {
                    div.meter-text {
                        span { (dollars(budget.current_usage)) " of " (dollars(NanoUsd::from_nanos(level.cap))) }
                        span.muted { (period(&budget.reset_duration, budget.calendar_aligned)) }
                    }
                    (bar(level))
                }
            }
        }
    }
}

fn budget_meter(budget: &Budget, holds: Holds<'_>) -> Markup {
    let level = Level::of_budget(budget, holds(&budget.meter_id()));
    let amount = |nanos: i64| dollars(NanoUsd::from_nanos(nanos));
    let raised = budget.override_amount.map(|raise| format!("{} of it by an override", dollars(raise)));
    let name = format!("Budget {}", period(&budget.reset_duration, budget.calendar_aligned));
    let ends = html! {
        @if let Some(raised) = raised { (raised) " · " }
        "resets " (instant_or(budget.resets_at, "never"))
        @if budget.calendar_aligned { " · " (budget.timezone.name()) }
    };
    meter(&name, level, &amount, budget.enforcement, &ends)
}

fn rate_meter(
    limit: &RateLimit,
    id: &MeterId,
    cap: i64,
    windows: &WindowPolicy,
    holds: Holds<'_>,
    now: Timestamp,
) -> Markup {
    let (what, used, duration) = match id.metric {
        Metric::Requests => ("Requests", limit.request_current_usage, &limit.request_reset_duration),
        Metric::Tokens | Metric::Cost | Metric::ParallelRequests => {
            ("Tokens", limit.token_current_usage, &limit.token_reset_duration)
        }
    };
    let window = windows.window_at(limit.created_at, now);
    let name = duration
        .as_ref()
        .map_or(what.to_owned(), |duration| format!("{what} {}", period(duration, limit.calendar_aligned)));
    let ends = html! { "resets " (instant_or(windows.end(window), "never")) };
    let level = Level { used, held: holds(id), cap };
    meter(&name, level, &|number| count(number), limit.enforcement, &ends)
}

fn meter(
    name: &str,
    level: Level,
    amount: &dyn Fn(i64) -> String,
    enforcement: Option<Enforcement>,
    ends: &Markup,
) -> Markup {
    html! {
        div.meter {
            div.meter-text {
                span { (name) @if let Some(enforcement) = enforcement { " " (strictness(enforcement)) } }
                span { b { (amount(level.used)) } " of " (amount(level.cap)) " · " (level.percent()) "%" }
            }
            (bar(level))
            div.meter-text.muted {
                span { (ends) }
                @if level.held > 0 { span { (amount(level.held)) " held by running requests" } }
            }
        }
    }
}

fn strictness(enforcement: Enforcement) -> Markup {
    match enforcement {
        Enforcement::Hard => badge(Tone::Calm, "hard"),
        Enforcement::Soft => badge(Tone::Calm, "soft"),
        Enforcement::Shadow => badge(Tone::Warn, "only watches"),
    }
}

/// How long a window is, in words.
pub(in crate::dashboard) fn period(duration: &ResetDuration, is_aligned: bool) -> String {
    let calendar = if is_aligned { "calendar " } else { "" };
    match duration.calendar() {
        None if duration.is_never() => "prepaid".to_owned(),
        None => format!("per {duration}"),
        Some((1, unit)) => format!("per {calendar}{}", unit_name(unit)),
        Some((units, unit)) => format!("per {units} {calendar}{}s", unit_name(unit)),
    }
}

const fn unit_name(unit: CalendarUnit) -> &'static str {
    match unit {
        CalendarUnit::Day => "day",
        CalendarUnit::Week => "week",
        CalendarUnit::Month => "month",
        CalendarUnit::Quarter => "quarter",
        CalendarUnit::Year => "year",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_told_in_words() {
        let told = |text: &str, aligned| period(&text.parse().unwrap(), aligned);
        assert_eq!(told("1d", false), "per day");
        assert_eq!(told("1M", true), "per calendar month");
        assert_eq!(told("2w", false), "per 2 weeks");
        assert_eq!(told("90s", false), "per 90s");
        assert_eq!(told("never", false), "prepaid");
    }
}
