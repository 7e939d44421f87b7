//! A list of owners.

use keyward_core::list::Page as Part;
use maud::{Markup, html};

use super::{Asked, Kind, Owner};
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::limits::tightest;
use crate::dashboard::components::number::count;
use crate::dashboard::components::pager::pager;
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::components::time::instant;
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;

/// What the list of a kind of owners shows.
pub(super) fn content(
    kind: Kind,
    asked: &Asked,
    visitor: &Visitor,
    part: &Part,
    owners: &[Owner],
    total: i64,
) -> Markup {
    let list = Link::to(kind.section().path()).with("search", &asked.search);
    html! {
        form.filters role="search" action=(kind.section().path()) {
            div.field.grow {
                label for="search" { "Search" }
                input #search type="search" name="search" value=(asked.search) placeholder="Name";
            }
            button.button type="submit" { "Search" }
            @if !asked.search.is_empty() { a.button.quiet href=(kind.section().path()) { "Show all" } }
        }
        section.card.flush aria-label=(kind.section().title()) {
            @if owners.is_empty() { (nothing(kind, asked, visitor)) }
            @else {
                (table(kind, owners))
                (pager(&list, part.offset, i64::try_from(owners.len()).unwrap_or(i64::MAX), total))
            }
        }
    }
}

/// The buttons beside the title.
pub(super) fn actions(kind: Kind, visitor: &Visitor) -> Markup {
    html! {
        @if visitor.may_write(kind.resource()) {
            a.button.primary href={ "/new" (kind.section().path()) } { "Make a " (kind.noun()) }
        }
    }
}

fn nothing(kind: Kind, asked: &Asked, visitor: &Visitor) -> Markup {
    if !asked.search.is_empty() {
        let all = html! { a.button href=(kind.section().path()) { "Show all" } };
        return empty(&format!("No {} is called like this", kind.noun()), "Search for another part of a name.", &all);
    }
    empty(&format!("No {}s yet", kind.noun()), kind.purpose(), &actions(kind, visitor))
}

fn table(kind: Kind, owners: &[Owner]) -> Markup {
    let head = html! {
        th scope="col" { "Name" }
        @if kind == Kind::Team { th scope="col" { "Customer" } }
        th scope="col" { "Budget" }
        th.number scope="col" { "Virtual keys" }
        th scope="col" { "Made" }
    };
    scrolled(kind.section().title(), &head, &html! { @for owner in owners { (row(owner)) } })
}

fn row(owner: &Owner) -> Markup {
    let keys = match owner.kind {
        Kind::Team => Link::to(Section::VirtualKeys.path()).with("team_id", &owner.id),
        Kind::Customer => Link::to(Section::VirtualKeys.path()).with("customer_id", &owner.id),
    };
    html! {
        tr {
            th scope="row" { a href=(owner.link()) { (owner.name) } }
            @if owner.kind == Kind::Team { td { (customer(owner)) } }
            td.wide { (tightest(&owner.limits.budgets)) }
            td.number { a href=(keys) { (count(owner.virtual_key_count)) } }
            td { (instant(owner.created_at)) }
        }
    }
}

/// The customer of a team.
pub(super) fn customer(owner: &Owner) -> Markup {
    html! {
        @match &owner.customer {
            Some((id, name)) => a href=(Link::of(Section::Customers.path(), id)) { (name) },
            None => span.muted { "Nobody" },
        }
    }
}
