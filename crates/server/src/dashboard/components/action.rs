//! Actions: a button that calls the management API, after a dialog where it cannot be taken back.

use crate::dashboard::form::said;
use maud::{Markup, html};

/// A call of the management API.
pub(in crate::dashboard) struct Call<'a> {
    pub(in crate::dashboard) method: &'a str,
    pub(in crate::dashboard) path: &'a str,
    /// The version that is meant; empty: any.
    pub(in crate::dashboard) etag: &'a str,
    /// Where to go afterwards; empty: the page is loaded again.
    pub(in crate::dashboard) then: &'a str,
    /// Where in the answer the secret is that is to be shown once; empty: there is none.
    pub(in crate::dashboard) secret: &'a str,
}

impl Call<'_> {
    /// A call that needs nothing but its path.
    pub(in crate::dashboard) const fn new<'a>(method: &'a str, path: &'a str) -> Call<'a> {
        Call { method, path, etag: "", then: "", secret: "" }
    }
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) enum Look {
    Plain,
    Primary,
    Danger,
}

impl Look {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Primary => "primary",
            Self::Danger => "danger",
        }
    }
}

/// A form that calls the management API. Without a script it changes nothing, and says so.
pub(in crate::dashboard) fn form(call: &Call<'_>, class: &str, content: &Markup) -> Markup {
    html! {
        form class=(class) data-action=(call.path) data-method=(call.method) data-etag=[said(call.etag)] data-then=[said(call.then)]
            data-secret=[said(call.secret)] novalidate {
            noscript { p.note.warn { "Changing something needs JavaScript. Reading does not." } }
            (content)
        }
    }
}

/// The place where a form says what is wrong with it as a whole.
pub(in crate::dashboard) fn form_error() -> Markup {
    html! { p.error data-form-error role="alert" {} }
}

/// The button that sends a form.
pub(in crate::dashboard) fn submit(look: Look, text: &str) -> Markup {
    html! { button.button.primary.(look.class()) type="submit" data-needs-script disabled { (text) } }
}

/// The end of a sheet: what sends it, the way back, and what is wrong with it as a whole.
pub(in crate::dashboard) fn footer(text: &str, back: &str) -> Markup {
    html! {
        div.footer-bar {
            (submit(Look::Primary, text))
            a.button href=(back) { "Cancel" }
            (form_error())
        }
    }
}

/// The button that opens a dialog.
pub(in crate::dashboard) fn opener(dialog: &str, look: Look, text: &str) -> Markup {
    html! { button.button.(look.class()) type="button" data-opens=(dialog) data-needs-script disabled { (text) } }
}

/// A button that calls at once, with this body.
pub(in crate::dashboard) fn button(call: &Call<'_>, text: &str, body: &Markup) -> Markup {
    let content = html! {
        (body)
        button.button type="submit" data-needs-script disabled { (text) }
        (form_error())
    };
    form(call, "row", &content)
}

/// A dialog whose form calls the management API.
pub(in crate::dashboard) fn dialog(
    id: &str,
    title: &str,
    call: &Call<'_>,
    content: &Markup,
    (look, text): (Look, &str),
) -> Markup {
    let inner = html! {
        h2 id={ (id) "-title" } { (title) }
        (content)
        (form_error())
        div.row {
            (submit(look, text))
            button.button type="button" data-closes { "Cancel" }
        }
    };
    html! { dialog id=(id) aria-labelledby={ (id) "-title" } { (form(call, "stack", &inner)) } }
}
