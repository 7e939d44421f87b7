//! Choosing something by its name: from a list where there are few, by a part of the name where there are many. A script fills in what
//! fits as one types; without it, or where nothing fits, the id is typed.

use maud::{Markup, html};

use super::field::Field;

/// Ids and names.
pub(in crate::dashboard) type Options = Vec<(String, String)>;

/// What there is to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dashboard) enum Choice {
    /// All there are.
    Few(Options),
    /// More than a list should have.
    Many {
        /// Where those that fit are asked for.
        at: &'static str,
        /// What is chosen already is called; empty: nothing is, or that is not known.
        chosen: String,
    },
}

impl Field<'_> {
    /// One of a choice. `none` is what choosing nothing is called.
    pub(in crate::dashboard) fn choose(self, choice: &Choice, none: &str) -> Markup {
        match choice {
            Choice::Few(options) => {
                let named = options.iter().map(|(id, name)| (id.as_str(), name.as_str()));
                self.select(&std::iter::once(("", none)).chain(named).collect::<Vec<_>>())
            }
            Choice::Many { at, chosen } => self.placeholder("A part of its name, or its id").looked_for(at, chosen),
        }
    }
}

/// The attributes of an input are its own; this is what stands beside it: what fits, and what the chosen one is called.
pub(in crate::dashboard) fn fitting(id: &str, chosen: &str) -> Markup {
    html! {
        datalist id={ (id) "-fitting" } {}
        p.hint id={ (id) "-chosen" } data-chosen { (chosen) }
    }
}

/// What fits, for a datalist.
pub(in crate::dashboard) fn fitting_options(options: &[(String, String)]) -> Markup {
    html! {
        @for (id, name) in options {
            @if id == name { option value=(id) {} } @else { option value=(id) label=(name) {} }
        }
    }
}
