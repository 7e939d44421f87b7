//! The form that makes and edits an owner.

use maud::{Markup, html};

use super::{Kind, Owner};
use crate::dashboard::components::action::{Call, footer, form};
use crate::dashboard::components::choice::Choice;
use crate::dashboard::components::field::{Empty, Field, Kind as Reads};
use crate::dashboard::components::limits_form::{limits, templates};
use crate::dashboard::link::Link;

/// The form that makes an owner. `customers` are those that a team may belong to.
pub(super) fn making(kind: Kind, customers: &Choice) -> Markup {
    let then = format!("{}/{{{}.id}}", kind.section().path(), kind.noun());
    let call = Call { then: &then, ..Call::new("POST", kind.api()) };
    sheet(kind, &call, None, customers, &Link::to(kind.section().path()))
}

/// The form that edits an owner.
pub(super) fn editing(owner: &Owner, customers: &Choice) -> Markup {
    let (path, then) = (owner.api_path(), owner.link().to_string());
    let call = Call { etag: &owner.etag, then: &then, ..Call::new("PUT", &path) };
    sheet(owner.kind, &call, Some(owner), customers, &owner.link())
}

fn sheet(kind: Kind, call: &Call<'_>, owner: Option<&Owner>, customers: &Choice, back: &Link) -> Markup {
    let own = owner.map(|owner| owner.limits.clone()).unwrap_or_default();
    let customer = owner.and_then(|owner| owner.customer_id.clone()).unwrap_or_default();
    let empty = if owner.is_some() { Empty::Null } else { Empty::Omit };
    let content = html! {
        section.card aria-label=(kind.noun()) {
            (Field::new("name", "Name").value(owner.map_or("", |owner| &owner.name)).reads(Reads::Text, Empty::Text).required().input())
            @if kind == Kind::Team {
                (Field::new("customer_id", "Customer").value(&customer).reads(Reads::Text, empty).hint("Its limits hold too.").choose(customers, "None"))
            }
        }
        section.card aria-label="Limits" {
            p.hint { (kind.purpose()) }
            (limits("", &own))
            (Field::new("calendar_aligned", "New limits follow the calendar").checkbox(owner.is_some_and(|owner| owner.calendar_aligned)))
            @if owner.is_some() {
                (Field::new("reset_budget_usage", "Take off what its budgets have counted in their windows")
                    .hint("Otherwise an edit leaves usage alone: it never refills a budget.").checkbox(false))
            }
        }
        (footer(if owner.is_some() { "Save" } else { "Make it" }, &back.to_string()))
    };
    html! { (form(call, "sheet", &content)) (templates()) }
}
