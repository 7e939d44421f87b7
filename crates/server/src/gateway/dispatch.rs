//! Dispatch: the one place where a request leaves for an upstream, and only with an admission.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use actix_web::HttpRequest;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use jiff::Timestamp;
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::{Dialect, Operation};
use keyward_engine::{Admission, Inquiry};
use rustix::io::Errno;

use super::answer::Expected;
use super::headers;
use super::resolve::Route;
use super::scan::Scan;
use super::upstream_client::UpstreamClient;
use crate::clock;
use crate::credentials::{Auth, Scheme, Stamp};
use crate::error::ApiError;
use crate::pieces::Pieces;

/// How Gemini's clients ask for events.
const ALT_SSE: (Cow<'_, str>, Cow<'_, str>) = (Cow::Borrowed("alt"), Cow::Borrowed("sse"));

/// A request that is ready to leave.
pub(super) struct Call {
    pub(super) request: http::Request<Pieces>,
    /// How long to wait for the answer to begin.
    pub(super) patience: Duration,
    /// What is to come of it.
    pub(super) expected: Expected,
}

/// A request that lacks its body.
pub(super) struct Draft {
    request: http::request::Builder,
    patience: Duration,
}

impl Draft {
    /// The request with its body, signed: nothing is changed in it any more.
    pub(super) fn with_body(
        self,
        body: Pieces,
        expected: Expected,
        stamp: &Stamp,
        now: Timestamp,
    ) -> Result<Call, ApiError> {
        let Self { request, patience } = self;
        let request = stamp.sign(request.body(body).map_err(unbuildable)?, now)?;
        Ok(Call { request, patience, expected })
    }
}

pub(super) fn unbuildable(error: http::Error) -> ApiError {
    ApiError::new(ErrorCode::Internal, "The upstream request cannot be built").because(error)
}

/// Why no answer began.
pub(super) enum SendError {
    /// No connection was made, so no byte left.
    NotSent(ApiError),
    /// The same, for want of something of this server's own: it says nothing of the provider.
    Unable(ApiError),
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
            Self::Unable(_) | Self::Broken(_) => false,
            Self::TimedOut(_) => true,
        }
    }

    /// True when it may be the provider's fault.
    pub(super) const fn is_of_provider(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Broken(_) | Self::TimedOut(_) => true,
            Self::Unable(_) => false,
        }
    }
}

/// Builds the real request but for its body and the real key: of the client's headers only what a provider may see.
pub(super) fn prepare(client: &HttpRequest, route: &Route, scan: &Scan) -> Draft {
    let operation = scan.operation;
    let request = http::Request::post(url(client, route, operation)).header(CONTENT_TYPE, scan.content_type());
    let request = headed(request, client.headers(), operation.dialect(), &route.upstream.headers);
    Draft { request, patience: route.patience }
}

/// A request with what a provider may see of the client's headers, and with those that are configured.
pub(super) fn headed(
    request: http::request::Builder,
    client: &actix_web::http::header::HeaderMap,
    dialect: Dialect,
    extra: &HeaderMap,
) -> http::request::Builder {
    let mut request = request;
    let own = headers::to_provider(client, dialect).into_iter().filter(|(name, _)| !extra.contains_key(*name));
    for (name, value) in own {
        request = request.header(name, value);
    }
    for (name, value) in extra {
        request = request.header(name, value);
    }
    request
}

/// A request with its body and the real key: nothing is changed in it any more.
pub(super) async fn signed(
    request: http::request::Builder,
    body: Pieces,
    auth: &Auth,
    dialect: Dialect,
    client: &UpstreamClient,
) -> Result<http::Request<Pieces>, ApiError> {
    let now = clock::now();
    let stamp = auth.ready(&scheme(dialect), client, now).await?;
    Ok(stamp.sign(request.body(body).map_err(unbuildable)?, now)?)
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

/// Where a dialect has a provider's key.
pub(super) const fn scheme(dialect: Dialect) -> Scheme {
    match dialect {
        Dialect::OpenAi => Scheme::Bearer,
        Dialect::Anthropic => Scheme::Header(HeaderName::from_static("x-api-key")),
        Dialect::Gemini => Scheme::Header(HeaderName::from_static("x-goog-api-key")),
    }
}

/// The proof that a request may be sent.
pub(super) struct Proof<'a>(PhantomData<&'a ()>);

impl<'a> Proof<'a> {
    /// It was admitted.
    pub(super) const fn attempt(_: &'a Admission) -> Self {
        Self(PhantomData)
    }

    /// It asks what became of something that was.
    pub(super) const fn inquiry(_: &'a Inquiry) -> Self {
        Self(PhantomData)
    }
}

/// Sends the request. The proof is that it may be sent.
pub(super) async fn send(
    _proof: Proof<'_>,
    client: &UpstreamClient,
    request: http::Request<Pieces>,
    timeout: Duration,
) -> Result<http::Response<Incoming>, SendError> {
    let mut request = request;
    let connection = capture_connection(&mut request);
    let is_connected = || connection.connection_metadata().is_some();
    match tokio::time::timeout(timeout, client.send(request)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) if wants_descriptors(&error) => {
            let message = "The server has too many open files to connect to the provider";
            Err(SendError::Unable(ApiError::new(ErrorCode::UpstreamUnreachable, message).because(error)))
        }
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

/// True when a connection was not made because this process, or this machine, may have no more open files.
fn wants_descriptors(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let code = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        if code.is_some_and(|code| [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error).contains(&code)) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The answer for a provider that is silent for too long.
pub(super) fn timed_out(timeout: Duration) -> ApiError {
    let message = format!("The provider sent nothing for {} seconds", timeout.as_secs_f64());
    ApiError::new(ErrorCode::UpstreamTimeout, message)
}
