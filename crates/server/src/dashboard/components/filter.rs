//! Fields of the filters above lists: they work without a script.

use maud::{Markup, html};

/// A text that entries are looked for by.
pub(in crate::dashboard) fn text(name: &str, label: &str, value: &str, placeholder: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) placeholder=(placeholder) autocomplete="off" spellcheck="false";
        }
    }
}

/// A choice among ids and their names, or any. None is offered where there are none.
pub(in crate::dashboard) fn choice(name: &str, label: &str, options: &[(String, String)], chosen: &str) -> Markup {
    html! {
        @if !options.is_empty() {
            div.field {
                label for=(name) { (label) }
                select id=(name) name=(name) data-submits {
                    option value="" { "Any" }
                    @for (value, title) in options { option value=(value) selected[value == chosen] { (title) } }
                }
            }
        }
    }
}
