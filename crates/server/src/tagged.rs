//! Answers about one resource: they carry the version that a later change can insist on.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use keyward_core::change::{Version, Versioned};
use serde::Serialize;

use crate::error::ApiError;

/// What handlers return that answer about one resource.
pub(crate) type TaggedResult<T> = Result<Tagged<T>, ApiError>;

/// A body with the version of the resource in it.
#[derive(Debug)]
pub(crate) struct Tagged<T> {
    status: StatusCode,
    version: Version,
    body: T,
}

impl<T> Tagged<T> {
    /// The answer that `body` makes of a resource.
    pub(crate) fn new<R: Versioned>(resource: R, body: impl FnOnce(R) -> T) -> Self {
        Self { status: StatusCode::OK, version: resource.version(), body: body(resource) }
    }

    /// The same with status 201, for the one create of the compatible API that has it.
    pub(crate) fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }
}

impl<T: Serialize> Responder for Tagged<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status).json(self.body);
        if let Ok(tag) = HeaderValue::try_from(self.version.etag()) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}
