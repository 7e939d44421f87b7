//! Dispatch: the one place where a request leaves for an upstream, and only with an admission.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpRequest;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::{Dialect, Operation};
use keyward_engine::Admission;
use secrecy::ExposeSecret;

use super::headers;
use super::resolve::Route;
use super::scan::Scan;
use super::untold::Untold;
use super::upstream_client::UpstreamClient;
use crate::error::ApiError;

/// How Gemini's clients ask for events.
const ALT_SSE: (Cow<'_, str>, Cow<'_, str>) = (Cow::Borrowed("alt"), Cow::Borrowed("sse"));

/// A request that is ready to leave.
pub(super) struct Call {
    pub(super) request: http::Request<Full<Bytes>>,
    /// How long to wait for the answer to begin.
    pub(super) patience: Duration,
    /// How long to wait between two pieces of it.
    pub(super) timeout: Duration,
    /// True: the event that tells the usage is the client's too.
    pub(super) relay_usage: bool,
    pub(super) operation: Operation,
    /// True: the client asked for an answer in pieces.
    pub(super) streamed: bool,
    /// What counts the answer when it does not tell its usage.
    pub(super) untold: Untold,
}

/// A request that lacks its body.
pub(super) struct Draft {
    request: http::request::Builder,
    patience: Duration,
    timeout: Duration,
}

impl Draft {
    /// The request with its body.
    pub(super) fn with_body(self, body: Bytes, scan: &Scan, untold: Untold) -> Result<Call, ApiError> {
        let Self { request, patience, timeout } = self;
        let request = request.body(Full::new(body)).map_err(unbuildable)?;
        let (relay_usage, operation, streamed) = (scan.wants_usage, scan.operation, scan.stream);
        Ok(Call { request, patience, timeout, relay_usage, operation, streamed, untold })
    }
}

fn unbuildable(error: http::Error) -> ApiError {
    ApiError::new(ErrorCode::Internal, "The upstream request cannot be built").because(error)
}

/// Why no answer began.
pub(super) enum SendError {
    /// No connection was made, so no byte left.
    NotSent(ApiError),
    /// Something left and nothing sensible came back.
    Broken(ApiError),
    /// Nothing came back in time.
    TimedOut(ApiError),
}

impl SendError {
    /// True when more time might have helped.
    pub(super) fn is_for_want_of_time(&self) -> bool {
        match self {
            Self::NotSent(error) => error.code() == ErrorCode::UpstreamTimeout,
            Self::Broken(_) => false,
            Self::TimedOut(_) => true,
        }
    }
}

/// Builds the real request but for its body: the real key, and of the client's headers only what a provider may see.
pub(super) fn prepare(client: &HttpRequest, route: &Route, scan: &Scan) -> Result<Draft, ApiError> {
    let operation = scan.operation;
    let mut request = http::Request::post(url(client, route, operation)).header(CONTENT_TYPE, scan.content_type());
    if let Some(secret) = &route.destination.secret {
        let (name, prefix) = key_header(operation.dialect());
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", secret.expose_secret()))
            .map_err(|error| unbuildable(error.into()))?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    let extra = &route.upstream.headers;
    let own = headers::to_provider(client.headers(), operation.dialect())
        .into_iter()
        .filter(|(name, _)| !extra.contains_key(*name));
    for (name, value) in own {
        request = request.header(name, value);
    }
    for (name, value) in extra {
        request = request.header(name, value);
    }
    Ok(Draft { request, patience: route.patience, timeout: route.upstream.timeout })
}

/// Where the request goes. Gemini's paths have a version, which is the client's, and streams come as events when that is asked
/// for, else as an array.
fn url(client: &HttpRequest, route: &Route, operation: Operation) -> String {
    let url = &route.destination.url;
    if operation.dialect() != Dialect::Gemini {
        return url.clone();
    }
    let versioned = match client.path().contains("/v1/models/") {
        true => url.replacen("/v1beta/models/", "/v1/models/", 1),
        false => url.clone(),
    };
    let as_events = || url::form_urlencoded::parse(client.query_string().as_bytes()).any(|pair| pair == ALT_SSE);
    if operation == Operation::GenerateContent && as_events() { format!("{versioned}?alt=sse") } else { versioned }
}

/// The header that carries a provider's key, and what stands before the key there.
const fn key_header(dialect: Dialect) -> (HeaderName, &'static str) {
    match dialect {
        Dialect::OpenAi => (AUTHORIZATION, "Bearer "),
        Dialect::Anthropic => (HeaderName::from_static("x-api-key"), ""),
        Dialect::Gemini => (HeaderName::from_static("x-goog-api-key"), ""),
    }
}

/// Sends the request. The admission is the proof that it may be sent.
pub(super) async fn send(
    _proof: &Admission,
    client: &UpstreamClient,
    request: http::Request<Full<Bytes>>,
    timeout: Duration,
) -> Result<http::Response<Incoming>, SendError> {
    let mut request = request;
    let connection = capture_connection(&mut request);
    let is_connected = || connection.connection_metadata().is_some();
    match tokio::time::timeout(timeout, client.send(request)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) if error.is_connect() => {
            let message = "The provider cannot be reached";
            Err(SendError::NotSent(ApiError::new(ErrorCode::UpstreamUnreachable, message).because(error)))
        }
        Ok(Err(error)) => {
            let message = "The provider closed the connection before it answered";
            Err(SendError::Broken(ApiError::new(ErrorCode::UpstreamUnreachable, message).because(error)))
        }
        Err(_) if is_connected() => Err(SendError::TimedOut(timed_out(timeout))),
        Err(_) => {
            let message = format!("No connection to the provider was made within {} seconds", timeout.as_secs_f64());
            Err(SendError::NotSent(ApiError::new(ErrorCode::UpstreamTimeout, message)))
        }
    }
}

/// The answer for a provider that is silent for too long.
pub(super) fn timed_out(timeout: Duration) -> ApiError {
    let message = format!("The provider sent nothing for {} seconds", timeout.as_secs_f64());
    ApiError::new(ErrorCode::UpstreamTimeout, message)
}
