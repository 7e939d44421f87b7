//! Failures of pages: whoever is not let in is asked to sign in, everything else is a page that says what is wrong.

use actix_web::http::Uri;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError as _};
use keyward_core::error_code::ErrorCode;
use maud::html;

use super::frame::{Theme, document};
use super::link::Link;
use crate::error::ApiError;

/// What a failure at this address is answered with.
pub(crate) fn failure(error: &ApiError, at: &Uri, request_id: &str) -> HttpResponse {
    if error.code() == ErrorCode::Unauthorized {
        return to_sign_in(at);
    }
    let status = error.status_code();
    let title = match error.code().status() {
        403 => "You may not see this",
        404 => "There is nothing here",
        429 => "Too many tries",
        503 => "Not now",
        400..=499 => "This does not work",
        _ => "Something went wrong",
    };
    let body = html! {
        main #main.center {
            div.card.wide {
                h1 { (title) }
                p { (error.to_string()) }
                p.hint { "Status " (status.as_u16()) " · request " code { (request_id) } }
                div.row { a.button.primary href="/" { "To the overview" } }
            }
        }
    };
    let mut page = document(status, Theme::System, title, None, &body);
    if let Some(wait) = error.wait_seconds() {
        page.headers_mut().insert(RETRY_AFTER, wait.into());
    }
    page
}

fn to_sign_in(at: &Uri) -> HttpResponse {
    let next = at.path_and_query().map_or("/", |asked| asked.as_str());
    let link = match next {
        "/" => Link::to("/login"),
        next => Link::to("/login").with("next", next),
    };
    HttpResponse::SeeOther().insert_header((LOCATION, link.to_string())).finish()
}
