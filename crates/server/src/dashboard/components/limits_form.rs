//! Limits, to edit: budgets as a list of rows, and a rate limit. Templates of rows are on a page once; `@` in them is the path of the
//! list that a row is added to.

use keyward_core::budget::Budget;
use keyward_core::limits::Limits;
use keyward_core::meter::{Enforcement, OutputClamp};
use keyward_core::rate_limit::RateLimit;
use maud::{Markup, html};

use super::field::{Empty, Field, Kind, hidden};

const ENFORCEMENTS: [(&str, &str); 4] = [
    ("", "As the server does"),
    ("hard", "Hard: never exceeded"),
    ("soft", "Soft: charged afterwards"),
    ("shadow", "Shadow: only watches"),
];
const CLAMPS: [(&str, &str); 4] = [
    ("", "As usual: when the client sets none"),
    ("when_absent", "When the client sets none"),
    ("always", "Also below the client's"),
    ("never", "Never: refuse instead"),
];
const MONTHS: [(&str, &str); 13] = [
    ("", "As the calendar has it"),
    ("1", "January"),
    ("2", "February"),
    ("3", "March"),
    ("4", "April"),
    ("5", "May"),
    ("6", "June"),
    ("7", "July"),
    ("8", "August"),
    ("9", "September"),
    ("10", "October"),
    ("11", "November"),
    ("12", "December"),
];
/// What durations are offered: any other of the grammar can be written.
const DURATIONS: [&str; 8] = ["1m", "1h", "1d", "1w", "1M", "1Q", "1Y", "never"];

/// The budgets and the rate limit at a path of the form; empty: at its top.
pub(in crate::dashboard) fn limits(at: &str, limits: &Limits) -> Markup {
    let member = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    html! {
        (budgets(&member("budgets"), &limits.budgets))
        (rate_limit(&member("rate_limit"), limits.rate_limit.as_ref()))
    }
}

/// What forms with limits need once on their page.
pub(in crate::dashboard) fn templates() -> Markup {
    html! {
        template #budget-row { (budget("@[0]", None)) }
        datalist #durations { @for duration in DURATIONS { option value=(duration) {} } }
    }
}

fn budgets(path: &str, budgets: &[Budget]) -> Markup {
    html! {
        fieldset.stack data-list=(path) {
            legend { "Budgets" }
            @for (place, existing) in budgets.iter().enumerate() { (budget(&format!("{path}[{place}]"), Some(existing))) }
            div.row { button.button.small type="button" data-add="budget-row" data-needs-script disabled { "Add a budget" } }
        }
    }
}

fn budget(at: &str, budget: Option<&Budget>) -> Markup {
    let cap = budget.map(|budget| budget.max_limit.to_string()).unwrap_or_default();
    let duration = budget.map_or("1M", |budget| budget.reset_duration.as_str());
    let zone = budget.map(|budget| budget.timezone.name()).unwrap_or_default();
    let month = budget.and_then(|budget| budget.reset_config).map(|config| config.quarter_start_month.to_string());
    let path = |name: &str| format!("{at}.{name}");
    html! {
        div.item data-item {
            @if let Some(budget) = budget { (hidden(&path("id"), budget.id.as_str(), Kind::Text)) }
            div.fields {
                (Field::new(&path("max_limit"), "Cap in US dollars").value(&cap).reads(Kind::Number, Empty::Omit).placeholder("50").input())
                (duration_field(&path("reset_duration"), duration, Empty::Omit))
            }
            (Field::new(&path("calendar_aligned"), "Follow the calendar").hint("Windows begin at midnight, on Monday, or on the 1st.")
                .checkbox(budget.is_some_and(|budget| budget.calendar_aligned)))
            details.more {
                summary { "Time zone, strictness, output" }
                div.fields {
                    (Field::new(&path("timezone"), "Time zone").value(zone).hint("An IANA name; UTC unless given.").placeholder("UTC").input())
                    div data-group=(path("reset_config")) data-empty="null" {
                        (Field::new(&path("reset_config.quarter_start_month"), "Quarters begin with").value(month.as_deref().unwrap_or_default())
                            .reads(Kind::Number, Empty::Null).hint("Only for calendar quarters.").select(&MONTHS))
                    }
                    (enforcement(&path("enforcement"), budget.and_then(|budget| budget.enforcement)))
                    (clamp(&path("output_clamp"), budget.and_then(|budget| budget.output_clamp)))
                }
            }
            div.row { button.button.quiet.small type="button" data-remove data-needs-script disabled { "Remove this budget" } }
        }
    }
}

fn rate_limit(at: &str, limit: Option<&RateLimit>) -> Markup {
    let path = |name: &str| format!("{at}.{name}");
    let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let duration = |of: &dyn Fn(&RateLimit) -> Option<String>| limit.and_then(of).unwrap_or_default();
    let tokens = text(limit.and_then(|limit| limit.token_max_limit));
    let requests = text(limit.and_then(|limit| limit.request_max_limit));
    let token_window = duration(&|limit| limit.token_reset_duration.as_ref().map(ToString::to_string));
    let request_window = duration(&|limit| limit.request_reset_duration.as_ref().map(ToString::to_string));
    html! {
        fieldset.stack data-group=(at) data-empty="null" {
            legend { "Rate limit" }
            div.fields.pairs {
                (Field::new(&path("token_max_limit"), "Tokens in a window").value(&tokens).reads(Kind::Number, Empty::Null).input())
                (duration_field(&path("token_reset_duration"), &token_window, Empty::Null))
                (Field::new(&path("request_max_limit"), "Requests in a window").value(&requests).reads(Kind::Number, Empty::Null).input())
                (duration_field(&path("request_reset_duration"), &request_window, Empty::Null))
            }
            details.more {
                summary { "Calendar, strictness, output" }
                div.stack {
                    (Field::new(&path("calendar_aligned"), "Follow the calendar, in UTC").checkbox(limit.is_some_and(|limit| limit.calendar_aligned)))
                    div.fields {
                        (enforcement(&path("enforcement"), limit.and_then(|limit| limit.enforcement)))
                        (clamp(&path("output_clamp"), limit.and_then(|limit| limit.output_clamp)))
                    }
                }
            }
        }
    }
}

fn duration_field(path: &str, value: &str, empty: Empty) -> Markup {
    let hint = "Such as 1h, 1d, 1w, 1M (month), 1Q, 1Y";
    Field::new(path, "Window").value(value).reads(Kind::Text, empty).hint(hint).suggesting("durations").input()
}

fn enforcement(path: &str, value: Option<Enforcement>) -> Markup {
    let value = value.map(Enforcement::as_str).unwrap_or_default();
    Field::new(path, "Strictness").value(value).reads(Kind::Text, Empty::Null).select(&ENFORCEMENTS)
}

fn clamp(path: &str, value: Option<OutputClamp>) -> Markup {
    let value = value.map(OutputClamp::as_str).unwrap_or_default();
    Field::new(path, "Cap output so that requests fit").value(value).reads(Kind::Text, Empty::Null).select(&CLAMPS)
}
