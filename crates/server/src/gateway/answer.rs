//! A provider's answer, piece by piece.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::ModelName;
use keyward_core::ledger::Outcome;
use keyward_core::operation::{Dialect, Operation};
use tokio::sync::oneshot;

use super::dispatch::timed_out;
use super::headers;
use super::objects::Keeping;
use super::untold::Untold;
use crate::error::ApiError;

/// The longest answer that comes whole, and the longest piece of one that does not.
pub(super) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// What is expected of an answer, and what is made of it.
pub(super) struct Expected {
    pub(super) operation: Operation,
    /// True: the client asked for an answer in pieces.
    pub(super) streamed: bool,
    /// How many answers it asked for.
    pub(super) answers: u64,
    /// True: the event that tells the usage is the client's too.
    pub(super) relay_usage: bool,
    /// How long to wait between two pieces of it.
    pub(super) timeout: Duration,
    /// What is written down of the answer, if the provider keeps it; in a stream, until its id is known.
    pub(super) keeping: Option<Keeping>,
    /// What counts the answer when it does not tell its usage.
    pub(super) untold: Untold,
    /// The model, where the answer comes from Converse.
    pub(super) of_converse: Option<ModelName>,
}

impl Expected {
    /// True where a stream of JSON is an array that grows: in one dialect. Elsewhere it is the whole answer of somebody who sends none in
    /// pieces.
    pub(super) fn is_array(&self) -> bool {
        self.streamed && self.operation.dialect() == Dialect::Gemini
    }
}

/// What the client is told, once.
pub(super) type Reply = oneshot::Sender<Result<HttpResponse, ApiError>>;

/// A response with the provider's status, and of its headers what a client may see.
pub(super) fn builder(head: &http::response::Parts) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    let received = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    for (name, value) in headers::to_client(received) {
        response.append_header((name, value));
    }
    response
}

/// The next bytes of an answer; none at its end.
pub(super) async fn next_data(body: &mut Incoming, timeout: Duration) -> Result<Option<Bytes>, (ApiError, Outcome)> {
    loop {
        match tokio::time::timeout(timeout, body.frame()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                // Trailers say nothing that is relayed.
                Err(_) => continue,
            },
            Ok(Some(Err(error))) => {
                let message = "The provider closed the connection in the middle of its answer";
                let error = ApiError::new(ErrorCode::UpstreamUnreachable, message).because(error);
                return Err((error, Outcome::UpstreamError));
            }
            Err(_) => return Err((timed_out(timeout), Outcome::TimedOut)),
        }
    }
}
