//! Forms that browsers send themselves: those that work without a script, and those that ask for a page.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use keyward_core::error_code::ErrorCode;
use serde::de::DeserializeOwned;

use crate::body::read;
use crate::error::ApiError;

/// The largest form, in bytes: anyone may send one.
const LARGEST: usize = 16 * 1024;

/// What a form says.
#[derive(Debug)]
pub(super) struct Form<T>(pub(super) T);

/// What a field says; none: it is empty.
pub(super) fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let text = read(&request, payload, LARGEST).await?;
            // What is wrong is not told with its text: it may be a secret.
            let wrong = |_| ApiError::new(ErrorCode::InvalidRequest, "The form cannot be read");
            serde_urlencoded::from_bytes(&text).map(Self).map_err(wrong)
        })
    }
}
