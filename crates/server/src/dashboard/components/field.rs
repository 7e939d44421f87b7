//! Fields of forms. A field's name is its path in the JSON that the management API takes.

use maud::{Markup, html};

use super::choice::fitting;

/// What becomes of a field without any text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) enum Empty {
    /// It is left out.
    Omit,
    /// It is null.
    Null,
    /// It is an empty text.
    Text,
    /// It is an empty list.
    List,
    /// It is an empty object.
    Pairs,
}

impl Empty {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Omit => "omit",
            Self::Null => "null",
            Self::Text => "text",
            Self::List => "list",
            Self::Pairs => "pairs",
        }
    }
}

/// What a field's text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) enum Kind {
    Text,
    Number,
    /// Entries, one in a line or separated by commas.
    List,
    /// `name=value` in each line.
    Pairs,
    /// Names that are chosen, each of which is true; null, where `*` is chosen.
    Flags,
    Boolean,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::List => "list",
            Self::Pairs => "pairs",
            Self::Flags => "flags",
            Self::Boolean => "boolean",
        }
    }
}

/// A field in the making.
#[derive(Debug, Clone, Copy)]
pub(in crate::dashboard) struct Field<'a> {
    path: &'a str,
    label: &'a str,
    hint: &'a str,
    value: &'a str,
    kind: Kind,
    empty: Empty,
    is_required: bool,
    placeholder: &'a str,
    suggestions: &'a str,
    within: &'a str,
}

impl<'a> Field<'a> {
    pub(in crate::dashboard) const fn new(path: &'a str, label: &'a str) -> Self {
        Self {
            path,
            label,
            hint: "",
            value: "",
            kind: Kind::Text,
            empty: Empty::Omit,
            is_required: false,
            placeholder: "",
            suggestions: "",
            within: "",
        }
    }

    pub(in crate::dashboard) const fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    pub(in crate::dashboard) const fn value(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    pub(in crate::dashboard) const fn reads(self, kind: Kind, empty: Empty) -> Self {
        Self { kind, empty, ..self }
    }

    pub(in crate::dashboard) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    pub(in crate::dashboard) const fn placeholder(self, placeholder: &'a str) -> Self {
        Self { placeholder, ..self }
    }

    /// Tells the field from those of the same name in other forms of the page.
    pub(in crate::dashboard) const fn within(self, within: &'a str) -> Self {
        Self { within, ..self }
    }

    /// Offers what is in the datalist with this id.
    pub(in crate::dashboard) const fn suggesting(self, suggestions: &'a str) -> Self {
        Self { suggestions, ..self }
    }

    /// A line of text.
    pub(in crate::dashboard) fn input(self) -> Markup {
        let mode = (self.kind == Kind::Number).then_some("decimal");
        let suggestions = Some(self.suggestions).filter(|id| !id.is_empty());
        self.around(&html! {
            input.mono[self.kind == Kind::List] id=(self.id()) name=(self.path) value=(self.value) data-type=(self.kind.as_str())
                data-empty=(self.empty.as_str()) inputmode=[mode] required[self.is_required] autocomplete="off"
                placeholder=(self.placeholder) list=[suggestions] aria-describedby=(self.described());
        })
    }

    /// A line of text, where a script asks at `at` for what fits; what is chosen already is called `chosen`.
    pub(in crate::dashboard) fn looked_for(self, at: &str, chosen: &str) -> Markup {
        let id = self.id();
        self.around(&html! {
            input id=(id) name=(self.path) value=(self.value) data-type=(self.kind.as_str()) data-empty=(self.empty.as_str())
                required[self.is_required] autocomplete="off" spellcheck="false" placeholder=(self.placeholder)
                list={ (id) "-fitting" } data-choices=(at) aria-describedby={ (self.described()) " " (id) "-chosen" };
            (fitting(&id, chosen))
        })
    }

    /// Several lines of text, and a field that adds one of those that a script asks for at `at`.
    pub(in crate::dashboard) fn gathered(self, at: &str) -> Markup {
        let id = self.id();
        html! {
            div.tight {
                (self.area())
                input id={ (id) "-adding" } list={ (id) "-adding-fitting" } data-choices=(at) data-adds-to=(id) autocomplete="off"
                    spellcheck="false" placeholder="Add one by a part of its name" aria-label={ "Add to " (self.label) };
                datalist id={ (id) "-adding-fitting" } {}
            }
        }
    }

    /// A secret that is written and not shown.
    pub(in crate::dashboard) fn secret(self) -> Markup {
        self.around(&html! {
            input.mono type="password" id=(self.id()) name=(self.path) data-type=(self.kind.as_str()) data-empty=(self.empty.as_str())
                autocomplete="new-password" spellcheck="false" aria-describedby=(self.described());
        })
    }

    /// Several lines of text.
    pub(in crate::dashboard) fn area(self) -> Markup {
        self.around(&html! {
            textarea.mono[self.kind != Kind::Text] id=(self.id()) name=(self.path) data-type=(self.kind.as_str())
                data-empty=(self.empty.as_str()) placeholder=(self.placeholder) aria-describedby=(self.described()) { "\n" (self.value) }
        })
    }

    /// A choice: each option has a value and a name.
    pub(in crate::dashboard) fn select(self, options: &[(&str, &str)]) -> Markup {
        self.around(&html! {
            select id=(self.id()) name=(self.path) data-type=(self.kind.as_str()) data-empty=(self.empty.as_str())
                aria-describedby=(self.described()) {
                @if !options.iter().any(|(value, _)| *value == self.value) {
                    option value=(self.value) selected { (if self.value.is_empty() { "Choose one" } else { self.value }) }
                }
                @for (value, name) in options { option value=(value) selected[*value == self.value] { (name) } }
            }
        })
    }

    /// Several choices; those in `chosen` are made.
    pub(in crate::dashboard) fn choices(self, options: &[(String, String)], chosen: &[String]) -> Markup {
        let unknown = chosen.iter().filter(|value| !options.iter().any(|(known, _)| known == *value));
        self.around(&html! {
            select id=(self.id()) name=(self.path) multiple data-type=(self.kind.as_str()) aria-describedby=(self.described()) {
                @for (value, name) in options { option value=(value) selected[chosen.contains(value)] { (name) } }
                @for value in unknown { option value=(value) selected { (value) } }
            }
        })
    }

    /// An instant, which a script shows in the reader's zone.
    pub(in crate::dashboard) fn instant(self) -> Markup {
        let instant = Some(self.value).filter(|value| !value.is_empty());
        self.around(&html! {
            input type="datetime-local" id=(self.id()) name=(self.path) data-type="instant" data-instant=[instant]
                data-empty=(self.empty.as_str()) aria-describedby=(self.described());
        })
    }

    /// A box to check.
    pub(in crate::dashboard) fn checkbox(self, is_checked: bool) -> Markup {
        html! {
            div.check {
                input type="checkbox" id=(self.id()) name=(self.path) checked[is_checked] aria-describedby=(self.described());
                div {
                    label for=(self.id()) { (self.label) }
                    (self.below())
                }
            }
        }
    }

    /// A box that takes away what is kept at the path, whatever the field of the same path says.
    pub(in crate::dashboard) fn clearing(self) -> Markup {
        html! {
            div.check {
                input type="checkbox" id=(self.id()) name=(self.path) data-type="clearing";
                div { label for=(self.id()) { (self.label) } }
            }
        }
    }

    fn id(&self) -> String {
        format!("{}f-{}", self.within, self.path)
    }

    fn described(&self) -> String {
        match self.hint {
            "" => format!("{}-error", self.id()),
            _ => format!("{0}-hint {0}-error", self.id()),
        }
    }

    fn around(&self, control: &Markup) -> Markup {
        html! {
            div.field {
                label for=(self.id()) { (self.label) @if self.is_required { span.muted { " (required)" } } }
                (control)
                (self.below())
            }
        }
    }

    fn below(&self) -> Markup {
        html! {
            @if !self.hint.is_empty() { p.hint id={ (self.id()) "-hint" } { (self.hint) } }
            p.error id={ (self.id()) "-error" } {}
        }
    }
}

/// A value that is sent as it is.
pub(in crate::dashboard) fn hidden(path: &str, value: &str, kind: Kind) -> Markup {
    html! { input type="hidden" name=(path) value=(value) data-type=(kind.as_str()); }
}
