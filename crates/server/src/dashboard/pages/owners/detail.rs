//! One owner: what is used of its limits now, what belongs to it, and what its virtual keys spent.

use jiff::Timestamp;
use keyward_core::meter::MeterId;
use keyward_core::permission::Resource;
use keyward_core::usage::{UsageReport, UsageReportQuery};
use keyward_store::Store;
use maud::{Markup, html};

use super::list::customer;
use super::{Kind, Owner};
use crate::dashboard::components::action::{Call, Look, dialog, opener};
use crate::dashboard::components::badge::key_state;
use crate::dashboard::components::limits::{meters, tightest};
use crate::dashboard::components::number::{count, money};
use crate::dashboard::components::refusals::refusals;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::state::State;
use crate::usage;

/// What the page about an owner shows.
pub(super) async fn content(
    owner: &Owner,
    visitor: &Visitor,
    state: &State,
    store: &Store,
    now: Timestamp,
) -> Result<Markup, ApiError> {
    let day = match visitor.may_read(Resource::Usage) {
        true => Some(day(owner, state, store, now).await?),
        false => None,
    };
    Ok(html! {
        div.columns {
            section.card aria-labelledby="meters" {
                div.card-head { h2 #meters { "Limits now" } span.live #meters-light role="status" { "As of this page" } }
                div data-live=(owner.link().then("meters")) data-light="meters-light" { (limits_now(owner, state, now)) }
            }
            (facts(owner))
        }
        @if let Some(day) = &day { (used(day)) }
        (keys(owner, now))
        @if owner.may_be_changed(visitor) { (deletion(owner)) }
    })
}

/// What the meters of an owner read.
pub(super) fn limits_now(owner: &Owner, state: &State, now: Timestamp) -> Markup {
    meters(&owner.limits, &|id: &MeterId| state.engine.held(id, now), now)
}

/// The buttons beside the title.
pub(super) fn actions(owner: &Owner, visitor: &Visitor) -> Markup {
    html! {
        @if owner.may_be_changed(visitor) {
            a.button href=(owner.link().then("edit")) { "Edit" }
            (opener("delete", Look::Danger, "Delete"))
        }
    }
}

fn facts(owner: &Owner) -> Markup {
    html! {
        section.card aria-labelledby="facts" {
            h2 #facts { "About this " (owner.kind.noun()) }
            dl.facts {
                @if owner.kind == Kind::Team { dt { "Customer" } dd { (customer(owner)) } }
                @if owner.kind == Kind::Customer {
                    dt { "Teams" }
                    dd.row {
                        @if owner.teams.is_empty() { span.muted { "None" } }
                        @for (id, name) in &owner.teams { a href=(Link::of(Section::Teams.path(), id)) { (name) } }
                    }
                }
                dt { "New limits" } dd { (if owner.calendar_aligned { "Follow the calendar" } else { "Roll from when they are made" }) }
                dt { "Made" } dd { (instant(owner.created_at)) }
                dt { "Edited" } dd { (instant(owner.updated_at)) }
                dt { "Id" } dd { code { (owner.id) } }
            }
        }
    }
}

async fn day(owner: &Owner, state: &State, store: &Store, now: Timestamp) -> Result<UsageReport, ApiError> {
    let own = |kind| (owner.kind == kind).then(|| owner.id.clone());
    let query = UsageReportQuery {
        team_id: own(Kind::Team),
        customer_id: own(Kind::Customer),
        group_by: Some("outcome".to_owned()),
        order_by: Some("refusals".to_owned()),
        ..UsageReportQuery::default()
    };
    usage::report(state, store, query.check(now)?).await
}

fn used(day: &UsageReport) -> Markup {
    let total = &day.total;
    html! {
        div.columns {
            section.card aria-labelledby="day" {
                h2 #day { "The last 24 hours" }
                dl.facts {
                    dt { "Spend" } dd { (money(total.cost)) }
                    dt { "Requests" } dd.number { (count(total.requests)) }
                    dt { "Refused" } dd.number { (count(total.refusals)) }
                    dt { "Tokens" } dd.number { (count(total.tokens.input)) " in, " (count(total.tokens.output)) " out" }
                }
            }
            section.card aria-labelledby="refusals" {
                h2 #refusals { "Refused in the last 24 hours" }
                (refusals(&day.groups))
            }
        }
    }
}

fn keys(owner: &Owner, now: Timestamp) -> Markup {
    let head = html! {
        th scope="col" { "Name" }
        th scope="col" { "Budget" }
        th scope="col" { "Status" }
        th scope="col" { "Made" }
    };
    let body = html! {
        @for key in &owner.virtual_keys {
            tr {
                th scope="row" { a href=(Link::of(Section::VirtualKeys.path(), &key.id)) { (key.name) } }
                td.wide { (tightest(&key.budgets)) }
                td { (key_state(key, now)) }
                td { (instant(key.created_at)) }
            }
        }
    };
    html! {
        section.card.flush aria-labelledby="keys" {
            div.card-head { h2 #keys { "Virtual keys" } span.hint { (count(owner.virtual_key_count)) " in all" } }
            @if owner.virtual_keys.is_empty() { p.muted.empty { "No virtual key belongs to it directly." } }
            @else { (scrolled("Virtual keys", &head, &body)) }
        }
    }
}

fn deletion(owner: &Owner) -> Markup {
    let path = owner.api_path();
    let call = Call { etag: &owner.etag, then: owner.kind.section().path(), ..Call::new("DELETE", &path) };
    let below = match owner.kind {
        Kind::Team => "Its virtual keys stay, without a team",
        Kind::Customer => "Its teams and virtual keys stay, without a customer",
    };
    let about = html! {
        p {
            "The limits of “" (owner.name) "” hold no more. " (below) ": nothing bounds them together any longer. What was spent "
            "stays in the ledger."
        }
    };
    dialog("delete", &format!("Delete this {}?", owner.kind.noun()), &call, &about, (Look::Danger, "Delete"))
}
