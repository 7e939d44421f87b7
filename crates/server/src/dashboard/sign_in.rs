//! Signing in and out, without a script. Either as the administrator, or with a management key: then its permissions and its reach
//! bound the session.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, post, route, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::session::Login;
use maud::{Markup, html};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::form::Form;
use super::frame::{Theme, document, logo};
use super::is_page;
use crate::auth::Open;
use crate::auth::csrf;
use crate::auth::opening::{Door, cleared_cookie, cookie, end, open, open_with_key};
use crate::auth::origin::{not_foreign, same_origin};
use crate::auth::presented::Presented;
use crate::auth::session;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    next: String,
}

/// What the form says: one of the two ways.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Credentials {
    username: String,
    password: String,
    management_key: String,
    next: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What a form to sign out says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Leaving {
    csrf_token: String,
}

#[route("/login", method = "GET", method = "HEAD")]
pub(super) async fn sign_in_form(_: Open, state: web::Data<State>, theme: Theme, asked: Query<Asked>) -> HttpResponse {
    match state.access.in_force().is_auth_enabled() {
        true => page(StatusCode::OK, theme, &Credentials { next: asked.0.next, ..Credentials::default() }, None),
        false => HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish(),
    }
}

#[post("/login")]
pub(super) async fn sign_in(
    _: Open,
    request: HttpRequest,
    state: web::Data<State>,
    theme: Theme,
    form: Form<Credentials>,
) -> Result<HttpResponse, ApiError> {
    not_foreign(request.headers(), &state.access.in_force().record.allowed_origins)?;
    let given = form.0;
    let opened = match given.management_key.trim() {
        "" => {
            let login = Login { username: given.username.clone(), password: given.password.clone() };
            open(&request, &state, login, Door::Dashboard).await
        }
        secret => open_with_key(&request, &state, secret.into(), Door::Dashboard).await,
    };
    match opened {
        Ok(token) => Ok(going(safe(&given.next), cookie(&token, request.headers()))),
        Err(error) if matches!(error.code(), ErrorCode::Unauthorized | ErrorCode::LoginThrottled) => {
            Ok(page(error.status_code(), theme, &given, Some(&error)))
        }
        Err(error) => Err(error),
    }
}

#[post("/logout")]
pub(super) async fn sign_out(
    _: Open,
    request: HttpRequest,
    state: web::Data<State>,
    form: Form<Leaving>,
) -> Result<HttpResponse, ApiError> {
    if let Presented::Session { token, .. } = Presented::of(request.headers()) {
        same_origin(request.headers(), &[])?;
        if let Some(open) = session(&state, token.expose_secret()).await? {
            if !csrf::is_of(&state.access, &open.session, form.0.csrf_token.as_bytes()) {
                return Err(csrf::not_from_page());
            }
            end(&request, &state, token.expose_secret()).await?;
        }
    }
    Ok(going("/login", cleared_cookie(request.headers())))
}

fn going(path: &str, cookie: String) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).insert_header((SET_COOKIE, cookie)).finish()
}

/// Where to go: a page of the dashboard, whatever is asked for.
fn safe(next: &str) -> &str {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let is_plain = next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if is_plain && is_page(path) && !matches!(path, "/login" | "/logout") { next } else { "/" }
}

fn page(status: StatusCode, theme: Theme, given: &Credentials, error: Option<&ApiError>) -> HttpResponse {
    let by_key = !given.management_key.is_empty();
    let said = |for_key: bool| error.filter(|_| by_key == for_key).map(ToString::to_string);
    let body = html! {
        main #main.center {
            div.card {
                div.row { span.brand { (logo()) "Keyward" } }
                h1 { "Sign in" }
                (administrator(given, said(false).as_deref()))
                details.more open[by_key] {
                    summary { "Use a management key" }
                    (management_key(given, said(true).as_deref()))
                }
            }
        }
    };
    document(status, theme, "Sign in", None, &body)
}

fn administrator(given: &Credentials, error: Option<&str>) -> Markup {
    html! {
        form.stack method="post" action="/login" {
            input type="hidden" name="next" value=(given.next);
            div.field {
                label for="username" { "User name" }
                input #username name="username" value=(given.username) autocomplete="username" autocapitalize="none"
                    spellcheck="false" required aria-describedby="password-error";
            }
            div.field {
                label for="password" { "Password" }
                input #password name="password" type="password" autocomplete="current-password" required
                    aria-describedby="password-error" aria-invalid=[error.map(|_| "true")];
                p #password-error.error role="alert" { (error.unwrap_or_default()) }
            }
            button.button.primary type="submit" { "Sign in" }
        }
    }
}

fn management_key(given: &Credentials, error: Option<&str>) -> Markup {
    html! {
        form.stack method="post" action="/login" {
            input type="hidden" name="next" value=(given.next);
            div.field {
                label for="management_key" { "Management key" }
                input.mono #management_key name="management_key" type="password" autocomplete="off" required
                    placeholder="sk-kw-…" aria-describedby="management_key-hint management_key-error"
                    aria-invalid=[error.map(|_| "true")];
                p #management_key-hint.hint { "The session can do what the key can, and ends when the key does." }
                p #management_key-error.error role="alert" { (error.unwrap_or_default()) }
            }
            button.button type="submit" { "Sign in with the key" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn only_pages_of_the_dashboard_are_gone_to() {
        for next in ["/", "/?a=b", "/virtual-keys", "/virtual-keys/1?x=%2F#y"] {
            assert_eq!(safe(next), next);
        }
        for next in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/v1/models",
            "/login",
            "/logout",
            "/virtual-keys\r\nset-cookie: a=b",
            "javascript:alert(1)",
            "/virtual-keys\\..\\x",
        ] {
            assert_eq!(safe(next), "/", "{next}");
        }
    }
}
