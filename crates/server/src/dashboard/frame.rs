//! The frame of every page: head, navigation, main part, and the headers that bound what a page may load and do.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use maud::{DOCTYPE, Markup, html};

use super::assets::{ICON, SCRIPT, STYLE};
use super::section::Section;
use super::visitor::Visitor;

/// What pages may load and do: what comes from here, and nothing that stands in the page itself. The referrer stays at home, and is
/// told there: without it browsers would not say which origin a form is of.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// How the page shall look, as the request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Theme {
    /// As the system prefers.
    #[default]
    System,
    Light,
    Dark,
}

impl FromRequest for Theme {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let cookies = request.headers().get_all("cookie").filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|text| text.split(';')).map(str::trim);
        let asked = pairs.find_map(|pair| pair.strip_prefix("theme="));
        ready(Ok(match asked {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            Some(_) | None => Self::System,
        }))
    }
}

impl Theme {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// A page of a section.
pub(super) struct Page<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) theme: Theme,
    pub(super) section: Section,
    pub(super) title: &'a str,
    /// What leads back: a link to the list that the page is about one entry of.
    pub(super) crumb: Option<Markup>,
    /// Buttons beside the title.
    pub(super) actions: Markup,
    pub(super) content: Markup,
}

impl Page<'_> {
    /// The answer.
    pub(super) fn respond(self) -> HttpResponse {
        let Self { visitor, theme, section, title, crumb, actions, content } = self;
        let body = html! {
            a.skip href="#main" { "Skip to content" }
            div.frame {
                header.side {
                    a.brand href="/" { (logo()) "Keyward" }
                    (navigation(visitor, section))
                    (who(visitor))
                }
                main #main.main tabindex="-1" {
                    div.head {
                        div.head-text {
                            @if let Some(crumb) = crumb { div.crumb { (crumb) } }
                            h1 { (title) }
                        }
                        div.row { (actions) }
                    }
                    (content)
                }
            }
            (secret_dialog())
        };
        document(StatusCode::OK, theme, title, visitor.csrf_token.as_deref(), &body)
    }
}

fn navigation(visitor: &Visitor, current: Section) -> Markup {
    let may_see = |section: &Section| section.needs().is_none_or(|needed| visitor.may(needed));
    html! {
        nav.nav aria-label="Main" {
            ul {
                @for section in Section::ALL.into_iter().filter(may_see) {
                    li {
                        a href=(section.path()) aria-current=[(section == current).then_some("page")] {
                            (section.icon()) (section.title())
                        }
                    }
                }
            }
        }
    }
}

fn who(visitor: &Visitor) -> Markup {
    html! {
        div.who {
            div {
                div.who-name title=(visitor.name) { (visitor.name) }
                div.muted { (visitor.role) }
            }
            div.row {
                button.button.quiet.small type="button" data-theme-switch hidden { "Light or dark" }
                @if let Some(token) = &visitor.csrf_token {
                    form method="post" action="/logout" {
                        input type="hidden" name="csrf_token" value=(token);
                        button.button.quiet.small type="submit" { "Sign out" }
                    }
                }
            }
        }
    }
}

/// Shows a secret that was just made; a script fills it.
fn secret_dialog() -> Markup {
    html! {
        dialog #secret aria-labelledby="secret-title" {
            div.stack {
                h2 #secret-title { "Copy the secret now" }
                p { "Applications send it as their key. It is shown here once: keep it where you keep secrets." }
                div.secret {
                    code #secret-value {}
                    button.button type="button" data-copies="secret-value" { "Copy" }
                }
                div.row { button.button.primary type="button" data-closes { "I have copied it" } }
            }
        }
    }
}

pub(super) fn logo() -> Markup {
    html! {
        svg viewBox="0 0 24 24" aria-hidden="true" {
            rect width="24" height="24" rx="6" fill="#4f46e5" {}
            path d="M7 5v14M7 13l4-4m-1.5 1.5L17 19M17 5l-6 6" fill="none" stroke="#fff" stroke-width="2.2"
                stroke-linecap="round" stroke-linejoin="round" {}
        }
    }
}

/// A whole document, with its headers.
pub(super) fn document(
    status: StatusCode,
    theme: Theme,
    title: &str,
    csrf_token: Option<&str>,
    body: &Markup,
) -> HttpResponse {
    let page = html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme.name()] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Keyward" }
                @if let Some(token) = csrf_token { meta name="csrf-token" content=(token); }
                link rel="icon" href=(ICON.path) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.path);
                script type="module" src=(SCRIPT.path) {}
            }
            body { (body) }
        }
    };
    HttpResponse::build(status)
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(page.into_string())
}
