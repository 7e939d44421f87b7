//! Request bodies: read up to a limit, then parsed once, so that a failure names the member at fault.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::{FromRequest, HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use keyward_core::error_code::ErrorCode;
use keyward_core::invalid::Pointer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::error::ApiError;
use crate::state::State;

/// A JSON request body of the management API. The content type is not looked at: clients of the compatible API send any.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<web::Data<State>>().map_or(0, |state| state.settings.max_management_body_bytes);
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let text = read(&request, payload, limit).await?;
            let parsed = parse(&text)?;
            refuse_nul(&text)?;
            Ok(Self(parsed))
        })
    }
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(ErrorCode::PayloadTooLarge, format!("The body is larger than {limit} bytes"));
    if request.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let message = "Compressed bodies are not accepted";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).at("content-encoding"));
    }
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::new(ErrorCode::InvalidRequest, "The body could not be read").because(error.to_string())
        })?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Parses JSON text; a failure names the member at fault, and for an unknown one the nearest that is known.
pub(crate) fn parse<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        explained(error.into_inner(), &pointer)
    })?;
    deserializer.end().map_err(|error| explained(error, &Pointer::ROOT))?;
    Ok(parsed)
}

/// Refuses text with a NUL in one of its strings: no database keeps one. `text` is JSON, so it can only be an escape.
fn refuse_nul(text: &[u8]) -> Result<(), ApiError> {
    const ESCAPE: &[u8] = b"\\u0000";
    let mut rest = text;
    while let Some(backslash) = rest.iter().position(|byte| *byte == b'\\') {
        let escape = rest.get(backslash..).unwrap_or_default();
        if escape.starts_with(ESCAPE) {
            return Err(ApiError::new(ErrorCode::InvalidRequest, "A string has a NUL character in it"));
        }
        // The backslash and what it escapes.
        rest = escape.get(2..).unwrap_or_default();
    }
    Ok(())
}

fn pointer(path: &serde_path_to_error::Path) -> Pointer {
    path.iter().fold(Pointer::ROOT, |pointer, segment| match segment {
        Segment::Seq { index } => pointer.element(*index),
        Segment::Map { key } | Segment::Enum { variant: key } => pointer.member(key),
        Segment::Unknown => pointer,
    })
}

fn explained(error: serde_json::Error, at: &Pointer) -> ApiError {
    use serde_json::error::Category;
    let text = error.to_string();
    match error.classify() {
        Category::Io | Category::Syntax | Category::Eof => {
            ApiError::new(ErrorCode::InvalidJson, format!("Invalid JSON: {text}"))
        }
        Category::Data => {
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            match what.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, ")) {
                Some((field, known)) => unknown_field(field, known, at),
                None => ApiError::new(ErrorCode::InvalidRequest, what).at(at),
            }
        }
    }
}

/// `known` is the rest of serde's message: the known names in backticks.
fn unknown_field(field: &str, known: &str, at: &Pointer) -> ApiError {
    let names = known.split('`').skip(1).step_by(2);
    let nearest = names
        .map(|name| (strsim::normalized_damerau_levenshtein(field, name), name))
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let hint = match nearest {
        Some((similarity, name)) if similarity >= 0.5 => format!("; did you mean '{name}'?"),
        Some(_) | None => String::new(),
    };
    // The path already ends in the member's name when the parser had entered it.
    let pointer = if at.last() == Some(field) { at.clone() } else { at.member(field) };
    ApiError::new(ErrorCode::UnknownField, format!("unknown field '{field}'{hint}")).at(pointer)
}
