//! Web pages of other origins (CORS): the browser asks here whether a page may call the management API.
//!
//! Cookies go along for origins that are listed by name only, never for `*` and never for pages of the machine itself.

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::web;

use crate::access::InForce;
use crate::auth::origin::is_loopback;
use crate::state::State;

/// Middleware: lets pages of allowed origins read answers of the management API.
pub(crate) async fn cors<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let granted = request.app_data::<web::Data<State>>().and_then(|state| {
        let origin = request.headers().get(ORIGIN).filter(|_| request.path().starts_with("/api/"))?;
        grant(&state.access.in_force(), origin.to_str().ok()?)
    });
    let asks = request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    match granted {
        Some(grant) if asks => {
            let mut answer = HttpResponse::Ok().finish();
            grant.write(answer.headers_mut());
            for (name, value) in [
                (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
                (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, idempotency-key, if-match, x-api-key"),
                (ACCESS_CONTROL_MAX_AGE, "600"),
            ] {
                answer.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            Ok(request.into_response(answer).map_into_right_body())
        }
        Some(grant) => {
            let mut response = next.call(request).await?;
            grant.write(response.headers_mut());
            Ok(response.map_into_left_body())
        }
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}

/// Whether a page of another origin asks that may.
pub(crate) fn admits(in_force: &InForce, headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| grant(in_force, origin).is_some())
}

/// What a page may do.
#[derive(Debug, PartialEq)]
struct Granted {
    origin: String,
    with_cookies: bool,
}

/// What a page of this origin may do; none: nothing. Without an admin credential no page may do anything.
fn grant(in_force: &InForce, origin: &str) -> Option<Granted> {
    if !in_force.is_auth_enabled() {
        return None;
    }
    let is_listed = |text: &str| in_force.record.allowed_origins.iter().any(|allowed| allowed == text);
    let granted = |origin: &str, with_cookies| Some(Granted { origin: origin.to_owned(), with_cookies });
    match (is_listed(origin), is_listed("*"), is_loopback(origin)) {
        (true, _, _) if origin != "*" => granted(origin, true),
        (_, true, _) => granted("*", false),
        (_, false, true) => granted(origin, false),
        (_, false, false) => None,
    }
}

impl Granted {
    fn write(&self, headers: &mut HeaderMap) {
        if let Ok(origin) = HeaderValue::from_str(&self.origin) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        if self.with_cookies {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, retry-after, x-request-id"));
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}
