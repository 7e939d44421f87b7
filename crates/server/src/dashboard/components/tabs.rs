//! Tabs: the ways between the pages of one section.

use maud::{Markup, html};

/// Each page with its path and its name.
pub(in crate::dashboard) fn tabs(label: &str, pages: &[(&str, &str)], current: &str) -> Markup {
    html! {
        nav.row aria-label=(label) {
            @for (path, name) in pages {
                a.button.small.primary[*path == current] href=(path) aria-current=[(*path == current).then_some("page")] { (name) }
            }
        }
    }
}
