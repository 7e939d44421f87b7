//! Pagers: which part of a list is shown, and the way to the next.

use maud::{Markup, html};
use serde::Deserialize;

use super::number::count;
use crate::dashboard::link::Link;

/// How many entries a page of a list has.
pub(in crate::dashboard) const PAGE: i64 = 25;

/// What is asked of a list that has nothing but pages.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Asked {
    pub(in crate::dashboard) offset: String,
}

/// The pager of a list that shows `shown` of `total` entries from `offset` on. `list` is the list with all that is asked of it.
pub(in crate::dashboard) fn pager(list: &Link, offset: i64, shown: i64, total: i64) -> Markup {
    let after = offset.saturating_add(shown);
    let before = offset.saturating_sub(PAGE).max(0);
    html! {
        nav.pager aria-label="Pages" {
            span.number {
                @if shown == 0 { "None of " (count(total)) }
                @else { (count(offset + 1)) "–" (count(after)) " of " (count(total)) }
            }
            div.row {
                @if offset > 0 {
                    a.button.small rel="prev" href=(list.clone().with("offset", if before == 0 { String::new() } else { before.to_string() })) { "Previous" }
                }
                @if after < total { a.button.small rel="next" href=(list.clone().with("offset", after)) { "Next" } }
            }
        }
    }
}
