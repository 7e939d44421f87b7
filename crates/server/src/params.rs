//! Path and query parameters; a bad one is answered in the error envelope like everything else.

use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use keyward_core::error_code::ErrorCode;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::json::{pointer, wrong_data};

/// The longest parameter, in characters.
pub(crate) const LONGEST: usize = 4096;

/// The parameters of the path, percent-decoded.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if has_nul(request.uri().path()) {
            return ready(Err(nul("path")));
        }
        if let Some((name, _)) = request.match_info().iter().find(|(_, value)| value.len() > LONGEST) {
            return ready(Err(too_long(name, "path")));
        }
        let path = web::Path::<T>::from_request(request, payload).into_inner();
        ready(
            path.map(|path| Self(path.into_inner()))
                .map_err(|error| ApiError::new(ErrorCode::InvalidRequest, error.to_string()).at("path")),
        )
    }
}

/// The parameters of the query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if has_nul(request.query_string()) {
            return ready(Err(nul("query")));
        }
        let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        if let Some((name, _)) = pairs.clone().find(|(_, value)| value.chars().count() > LONGEST) {
            return ready(Err(too_long(&name, format_args!("/{name}"))));
        }
        let query = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        ready(query.map(Self).map_err(|error| {
            let at = pointer(error.path());
            wrong_data(&error.into_inner().to_string(), &at)
        }))
    }
}

/// No name and no id has a NUL in it, and no database would keep one.
fn has_nul(encoded: &str) -> bool {
    encoded.contains("%00")
}

fn too_long(name: &str, at: impl fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("The parameter {name} is longer than {LONGEST} characters")).at(at)
}

fn nul(place: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("The {place} has a NUL character in it")).at(place)
}
