//! What several pages about virtual keys show.

use keyward_core::allow_list::AllowList;
use keyward_core::virtual_key::VirtualKey;
use maud::{Markup, html};

use crate::dashboard::link::Link;
use crate::dashboard::section::Section;

/// The team or customer of a key.
pub(in crate::dashboard::pages::virtual_keys) fn owner(key: &VirtualKey) -> Markup {
    html! {
        @match (&key.team, &key.customer) {
            (Some(team), _) => { a href=(Link::of(Section::Teams.path(), &team.id)) { (team.name) } " " span.muted { "team" } }
            (None, Some(customer)) => { a href=(Link::of(Section::Customers.path(), &customer.id)) { (customer.name) } " " span.muted { "customer" } }
            (None, None) => span.muted { "Nobody" },
        }
    }
}

/// The two ends of a redacted secret, by which people tell keys apart.
pub(in crate::dashboard::pages::virtual_keys) fn ends(key: &VirtualKey) -> String {
    let (head, rest) = key.value.expose().split_once('*').unwrap_or_default();
    format!("{head}…{}", rest.trim_start_matches('*'))
}

/// What a list allows, in words.
pub(in crate::dashboard::pages::virtual_keys) fn allowed(list: &AllowList, everything: &str, nothing: &str) -> Markup {
    html! {
        @if list.is_everything() { (everything) }
        @else if list.entries().is_empty() { span.muted { (nothing) } }
        @else { span.row { @for entry in list.entries() { code { (entry) } } } }
    }
}
