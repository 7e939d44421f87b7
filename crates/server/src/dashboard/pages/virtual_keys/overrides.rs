//! Overrides: the cap of a budget of a virtual key, raised for a time.

use keyward_core::budget::{Budget, OverrideMode};
use keyward_core::virtual_key::VirtualKey;
use maud::{Markup, html};

use super::actions::api_path;
use crate::dashboard::components::action::{Call, Look, button, dialog, opener};
use crate::dashboard::components::field::{Empty, Field, Kind};
use crate::dashboard::components::limits::period;
use crate::dashboard::components::number::dollars;
use crate::dashboard::link::Link;

const MODES: [(&str, &str); 2] = [("cycles", "For some windows"), ("forever", "Until it is removed")];

/// The budgets of a key, and of its provider configs and models, each with its override.
pub(super) fn overrides(key: &VirtualKey) -> Markup {
    let budgets: Vec<&Budget> = key.all_budgets().collect();
    html! {
        @if !budgets.is_empty() {
            section.card aria-labelledby="overrides" {
                h2 #overrides { "Overrides" }
                p.muted { "An override adds to the cap of a budget for a time. Usage stays as it is." }
                @for budget in budgets { (one(key, budget)) }
            }
        }
    }
}

fn one(key: &VirtualKey, budget: &Budget) -> Markup {
    let path = Link::of(&format!("{}/budgets", api_path(key)), &budget.id).then("override").to_string();
    let id = format!("override-{}", budget.id);
    let window = period(&budget.reset_duration, budget.calendar_aligned);
    html! {
        div.row {
            span { b { (dollars(budget.max_limit)) } " " (window) @if let Some(amount) = budget.override_amount { " + " b { (dollars(amount)) } " " (lasting(budget)) } }
            (opener(&id, Look::Plain, "Override"))
            @if budget.override_amount.is_some() { (button(&Call::new("DELETE", &path), "Remove the override", &html! {})) }
        }
        (dialog(&id, &format!("Override {} {window}", dollars(budget.max_limit)), &Call::new("PUT", &path), &fields(&id), (Look::Primary, "Set the override")))
    }
}

fn lasting(budget: &Budget) -> String {
    match (budget.override_mode, budget.override_cycles_left) {
        (Some(OverrideMode::Cycles), Some(1)) => "until the window ends".to_owned(),
        (Some(OverrideMode::Cycles), left) => format!("for {} windows", left.unwrap_or_default()),
        (Some(OverrideMode::Forever) | None, _) => "until it is removed".to_owned(),
    }
}

fn fields(id: &str) -> Markup {
    html! {
        div.fields {
            (Field::new("amount", "Add, in US dollars").within(id).reads(Kind::Number, Empty::Omit).required().input())
            (Field::new("mode", "How long").within(id).value("cycles").select(&MODES))
            (Field::new("cycles", "Windows").within(id).reads(Kind::Number, Empty::Omit).value("1").hint("This one counts. Leave it empty when it is removed by hand.").input())
        }
    }
}
