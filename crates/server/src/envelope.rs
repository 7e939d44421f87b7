//! The edge of the server: gives each request its id and each failure its envelope.

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use keyward_core::error_code::ErrorCode;

use crate::dashboard;
use crate::error::ApiError;
use crate::gateway::Voice;
use crate::request_id::RequestIdentity;

/// Middleware: gives each request its id, and each failure its envelope.
pub(crate) async fn envelope<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let identity = RequestIdentity::mint();
    let id = identity.id().clone();
    request.extensions_mut().insert(identity);
    // Answers of the management API may have secrets in them.
    let is_private = request.path().starts_with("/api/");
    let voice = Voice::of(request.path(), request.headers());
    let page = dashboard::is_page(request.path()).then(|| request.uri().clone());
    let response = next.call(request).await?;
    let answer = |error: &ApiError| {
        error.log(id.as_str());
        match &page {
            Some(at) => dashboard::failure(error, at, id.as_str()),
            None => error.answer(id.as_str(), voice),
        }
    };
    let failed = response.response().error().map(|error| match error.as_error::<ApiError>() {
        Some(error) => answer(error),
        None => answer(&ApiError::new(ErrorCode::InvalidRequest, error.to_string())),
    });
    let mut response = match failed {
        Some(answer) => response.into_response(answer).map_into_right_body(),
        None => response.map_into_left_body(),
    };
    if is_private {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        if voice == Voice::Anthropic {
            // Where Anthropic's clients look for it.
            response.headers_mut().insert(HeaderName::from_static("request-id"), value.clone());
        }
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    Ok(response)
}
