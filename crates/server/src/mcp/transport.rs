//! The wire to MCP servers: rmcp's transport over the gateway's own HTTP client, with its guard against addresses, its TLS, and bounds.
//!
//! No error has a text of the server in it: a server may repeat what it was sent, credentials too.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyDataStream, BodyExt, Limited};
use hyper::body::Incoming;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};

use crate::gateway::UpstreamClient;
use crate::pieces::Pieces;

/// The longest answer to one message, in bytes.
const LONGEST: usize = 8 * 1024 * 1024;
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const SESSION: &str = "mcp-session-id";
/// The longest id of a session that is taken.
const LONGEST_SESSION: usize = 1_024;

/// What went wrong on the wire.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// No connection was made, so no byte left.
    #[error("the MCP server cannot be reached")]
    NotConnected(#[source] hyper_util::client::legacy::Error),
    /// The connection broke.
    #[error("the MCP server closed the connection")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The message cannot be sent.
    #[error("the message cannot be sent")]
    Unsendable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server refused with this status.
    #[error("the MCP server answered with status {0}")]
    Status(StatusCode),
}

type Failure = StreamableHttpError<WireError>;

/// The way to one server.
#[derive(Clone)]
pub(super) struct Wire {
    client: UpstreamClient,
    /// Becomes true once a byte may have left.
    reached: Arc<AtomicBool>,
}

impl Wire {
    pub(super) const fn new(client: UpstreamClient, reached: Arc<AtomicBool>) -> Self {
        Self { client, reached }
    }

    async fn send(&self, request: Result<Request<Pieces>, http::Error>) -> Result<Response<Incoming>, Failure> {
        let request = request.map_err(|error| failed(WireError::Unsendable(error.into())))?;
        match self.client.send(request).await {
            Err(error) if error.is_connect() => Err(failed(WireError::NotConnected(error))),
            answered => {
                self.reached.store(true, Ordering::Release);
                answered.map_err(|error| failed(WireError::Broken(error.into())))
            }
        }
    }
}

const fn failed(error: WireError) -> Failure {
    StreamableHttpError::Client(error)
}

/// A request of a session, if there is one yet.
fn request(
    method: Method,
    uri: &str,
    session: Option<&str>,
    headers: HashMap<HeaderName, HeaderValue>,
) -> http::request::Builder {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    session.into_iter().fold(request, |request, session| request.header(SESSION, session))
}

impl StreamableHttpClient for Wire {
    type Error = WireError;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let body = serde_json::to_vec(&message)?;
        let request = request(Method::POST, &uri, session.as_deref(), headers)
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, "application/json, text/event-stream")
            .body(Pieces::whole(body));
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::ACCEPTED | StatusCode::NO_CONTENT => return Ok(StreamableHttpPostResponse::Accepted),
            StatusCode::NOT_FOUND if session.is_some() => return Err(StreamableHttpError::SessionExpired),
            status if !status.is_success() => return Err(failed(WireError::Status(status))),
            _ => {}
        }
        let awaits_answer = matches!(message, ClientJsonRpcMessage::Request(_));
        answer(response, awaits_answer).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        let request = request(Method::DELETE, &uri, Some(&session), headers).body(Pieces::default());
        // Whether the server knows how to end sessions is its own business.
        self.send(request).await.map(drop)
    }

    /// No stream is opened besides answers: a server has nothing to say here that nobody asked for.
    async fn get_stream(
        &self,
        _: Arc<str>,
        _: Option<Arc<str>>,
        _: Option<String>,
        _: Option<String>,
        _: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}

/// Reads a successful answer, as one message or as events.
async fn answer(response: Response<Incoming>, awaits_answer: bool) -> Result<StreamableHttpPostResponse, Failure> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let session = header(SESSION).filter(|session| session.len() <= LONGEST_SESSION).map(str::to_owned);
    let kind = header(CONTENT_TYPE.as_str()).and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let is = |expected: &str| kind.eq_ignore_ascii_case(expected);
    let (is_json, are_events) = (is(JSON), is(EVENTS));
    let body = Limited::new(response.into_body(), LONGEST);
    if are_events {
        let events =
            SseStream::from_bytes_stream(BodyDataStream::new(body).map(|data| data.map_err(std::io::Error::other)));
        return Ok(StreamableHttpPostResponse::Sse(events.boxed(), session));
    }
    if !awaits_answer {
        return Ok(StreamableHttpPostResponse::Accepted);
    }
    if !is_json {
        return Err(StreamableHttpError::UnexpectedContentType(None));
    }
    let body = whole(body).await?;
    let message: ServerJsonRpcMessage = serde_json::from_slice(&body)
        .map_err(|_| StreamableHttpError::UnexpectedServerResponse(Cow::Borrowed("it is no message of JSON-RPC")))?;
    Ok(StreamableHttpPostResponse::Json(message, session))
}

async fn whole(mut body: Limited<Incoming>) -> Result<Bytes, Failure> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failed(WireError::Broken(error)))?;
        if let Ok(data) = frame.into_data() {
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected.freeze())
}
