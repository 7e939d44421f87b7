//! Fields of the filters above lists: they work without a script.

use maud::{Markup, html};

use super::choice::{Choice, fitting};

/// A text that entries are looked for by.
pub(in crate::dashboard) fn text(name: &str, label: &str, value: &str, placeholder: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) placeholder=(placeholder) autocomplete="off" spellcheck="false";
        }
    }
}

/// The same, where a script asks at `at` for what fits; what is chosen already is called `chosen`.
pub(in crate::dashboard) fn looked_for(
    name: &str,
    label: &str,
    value: &str,
    placeholder: &str,
    (at, chosen): (&str, &str),
) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) placeholder=(placeholder) autocomplete="off" spellcheck="false"
                list={ (name) "-fitting" } data-choices=(at);
            (fitting(name, chosen))
        }
    }
}

/// A choice, or any. None is offered where there is none.
pub(in crate::dashboard) fn choice(name: &str, label: &str, choice: &Choice, chosen: &str) -> Markup {
    match choice {
        Choice::Few(options) => html! {
            @if !options.is_empty() || !chosen.is_empty() {
                div.field {
                    label for=(name) { (label) }
                    select id=(name) name=(name) data-submits {
                        option value="" { "Any" }
                        @for (value, title) in options { option value=(value) selected[value == chosen] { (title) } }
                        @if !chosen.is_empty() && !options.iter().any(|(value, _)| value == chosen) {
                            option value=(chosen) selected { (chosen) }
                        }
                    }
                }
            }
        },
        Choice::Many { at, chosen: called } => looked_for(name, label, chosen, "Name or id", (at, called)),
    }
}
