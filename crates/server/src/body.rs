//! Request bodies: read up to a limit, then parsed once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::{FromRequest, HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use keyward_core::error_code::ErrorCode;
use keyward_core::invalid::{Invalid, Pointer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::ApiError;
use crate::json::parse;
use crate::state::State;

mod written;

use written::Written;

/// A JSON request body of the management API, of at most `LARGEST` bytes and as many as are configured. The content type is not
/// looked at: clients of the compatible API send any.
#[derive(Debug)]
pub(crate) struct Body<T, const LARGEST: usize = { usize::MAX }> {
    /// What was asked for.
    pub(crate) request: T,
    /// A digest of method, path and text.
    pub(crate) fingerprint: [u8; 32],
}

impl<T: DeserializeOwned + Serialize + 'static, const LARGEST: usize> FromRequest for Body<T, LARGEST> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<web::Data<State>>().map_or(0, |state| state.settings.max_management_body_bytes);
        let limit = limit.min(LARGEST);
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let text = read(&request, payload, limit).await?;
            let parsed = parse(&text)?;
            let Written(written) = parse(&text)?;
            refuse_nul(&written)?;
            refuse_lists(&written, &parsed)?;
            Ok(Self { request: parsed, fingerprint: fingerprint(&request, &text) })
        })
    }
}

/// What tells one request from another. No method and no path has a line end in it.
fn fingerprint(request: &HttpRequest, text: &[u8]) -> [u8; 32] {
    let line = format!("{} {}\n", request.method(), request.path());
    Sha256::new().chain_update(line).chain_update(text).finalize().into()
}

/// How long a client may take to send its body.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a body of at most `limit` bytes, in time.
pub(crate) async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    let read = tokio::time::timeout(PATIENCE, read_all(request, payload, limit)).await;
    read.unwrap_or_else(|_| {
        let message = format!("The body did not come within {} seconds", PATIENCE.as_secs());
        Err(ApiError::new(ErrorCode::InvalidRequest, message))
    })
}

/// The largest body that is read for nothing, in bytes: less than what the kernel holds for a connection anyway.
const PASSED_OVER: usize = 16 * 1024;

/// Reads a small body that nobody wants, so that the connection lasts: a new one costs more. A larger one, or one that does not come, ends
/// the connection.
pub(crate) async fn pass_over(request: &HttpRequest, payload: Payload) {
    if announced(request).is_some_and(|length| length <= PASSED_OVER) {
        // It is refused in any case.
        let _ = tokio::time::timeout(Duration::from_secs(1), read_all(request, payload, PASSED_OVER)).await;
    }
}

fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
}

/// How much memory bodies of more than [`LARGE`] bytes take together, in MiB: who comes when that is taken waits.
pub(crate) const MIB_AT_ONCE: u32 = 1_024;
const MIB: usize = 1024 * 1024;
/// Up to here a body takes no part in that: connections are bounded too.
const LARGE: usize = MIB;

/// A large body, and the place in memory that it has as long as somebody reads it.
struct Placed {
    bytes: BytesMut,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// How long a body waits for its place.
const PLACE_PATIENCE: Duration = Duration::from_secs(10);

/// Waits for the place of a body of up to so many bytes.
async fn place(request: &HttpRequest, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
    let closed = || ApiError::new(ErrorCode::Internal, "The server has no place for bodies");
    let places = request.app_data::<web::Data<State>>().map(|state| state.large_bodies.clone()).ok_or_else(closed)?;
    let wanted = u32::try_from(bytes.div_ceil(MIB)).unwrap_or(MIB_AT_ONCE).min(MIB_AT_ONCE);
    match tokio::time::timeout(PLACE_PATIENCE, places.acquire_many_owned(wanted)).await {
        Ok(taken) => taken.map_err(|_| closed()),
        Err(_) => Err(ApiError::new(
            ErrorCode::GovernanceUnavailable,
            "Large bodies have taken all the memory that is for them",
        )),
    }
}

async fn read_all(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::new(ErrorCode::PayloadTooLarge, format!("The body is larger than {limit} bytes"));
    if request.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let message = "Compressed bodies are not accepted";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).at("content-encoding"));
    }
    let announced = announced(request);
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut taken = None;
    if let Some(length) = announced.filter(|length| *length > LARGE) {
        taken = Some(place(request, length).await?);
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::new(ErrorCode::InvalidRequest, "The body could not be read").because(error.to_string())
        })?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        if taken.is_none() && body.len() + chunk.len() > LARGE {
            taken = Some(place(request, limit).await?);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(match taken {
        Some(place) => Bytes::from_owner(Placed { bytes: body, _place: place }),
        None => body.freeze(),
    })
}

/// Refuses strings and names with a NUL in them: no database keeps one.
pub(crate) fn refuse_nul(written: &Value) -> Result<(), ApiError> {
    match nul(written, &Pointer::ROOT) {
        Some(at) => Err(Invalid::at(at, "a string has a NUL character in it").into()),
        None => Ok(()),
    }
}

fn nul(written: &Value, at: &Pointer) -> Option<Pointer> {
    match written {
        Value::String(text) => text.contains('\0').then(|| at.clone()),
        Value::Array(elements) => {
            elements.iter().enumerate().find_map(|(index, element)| nul(element, &at.element(index)))
        }
        Value::Object(members) => members.iter().find_map(|(name, value)| match name.contains('\0') {
            true => Some(at.clone()),
            false => nul(value, &at.member(name)),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Refuses lists where objects belong. Serde takes the elements of such a list for the object's members, in the order that they
/// are declared in, so that `[]` would remove a limit. What was understood, written down again, tells which is which.
pub(crate) fn refuse_lists(written: &Value, parsed: &impl Serialize) -> Result<(), ApiError> {
    let understood = serde_json::to_value(parsed)
        .map_err(|error| ApiError::new(ErrorCode::Internal, "The request cannot be read").because(error))?;
    match misplaced_list(written, &understood, &Pointer::ROOT) {
        Some(at) => Err(Invalid::at(at, "invalid type: sequence, expected an object").into()),
        None => Ok(()),
    }
}

fn misplaced_list(written: &Value, understood: &Value, at: &Pointer) -> Option<Pointer> {
    match (written, understood) {
        (Value::Array(written), Value::Array(understood)) => {
            let mut pairs = written.iter().zip(understood).enumerate();
            pairs.find_map(|(index, (written, understood))| misplaced_list(written, understood, &at.element(index)))
        }
        (Value::Array(_), _) => Some(at.clone()),
        (Value::Object(written), Value::Object(understood)) => {
            written.iter().find_map(|(name, written)| misplaced_list(written, understood.get(name)?, &at.member(name)))
        }
        _ => None,
    }
}
