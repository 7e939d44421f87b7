//! Empty states: they say what would be here, and what to do first.

use maud::{Markup, html};

/// Nothing is here yet.
pub(in crate::dashboard) fn empty(title: &str, text: &str, actions: &Markup) -> Markup {
    html! {
        div.empty {
            h2 { (title) }
            p.muted { (text) }
            div.row { (actions) }
        }
    }
}
