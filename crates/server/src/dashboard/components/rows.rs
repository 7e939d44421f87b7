//! Tables: what is wider than the page can be scrolled, by keyboard too; heads of columns that can be sorted by.

use maud::{Markup, html};

use crate::dashboard::link::Link;

/// A table that may be wider than its place. Its label is not that of what it stands in.
pub(in crate::dashboard) fn scrolled(label: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ (label) ", as a table" } {
            table {
                thead { tr { (head) } }
                tbody { (body) }
            }
        }
    }
}

/// The head of a column that can be sorted by.
pub(in crate::dashboard) struct Sorting<'a> {
    /// The list, with all that is asked of it.
    pub(in crate::dashboard) list: &'a Link,
    /// What it is sorted by.
    pub(in crate::dashboard) by: &'a str,
    pub(in crate::dashboard) descending: bool,
}

impl Sorting<'_> {
    /// The head of the column that is sorted by `by`.
    pub(in crate::dashboard) fn head(&self, by: &str, title: &str, is_number: bool) -> Markup {
        let is_current = self.by == by;
        let turned = if is_current && !self.descending { "desc" } else { "asc" };
        let link = self.list.clone().with("sort_by", by).with("order", turned).with("offset", "");
        let (sorted, arrow) = match (is_current, self.descending) {
            (false, _) => (None, ""),
            (true, false) => (Some("ascending"), " ↑"),
            (true, true) => (Some("descending"), " ↓"),
        };
        html! {
            th.number[is_number] scope="col" aria-sort=[sorted] {
                a href=(link) { (title) span aria-hidden="true" { (arrow) } }
            }
        }
    }
}
