//! MCP: the gateway's second door. A client of ours sees one MCP server, at `/mcp`; behind it are the registered ones.
//!
//! Every message is a request of its own: who asks is found out anew, and what it may use is decided anew, for a list and for a call by
//! the same function of the engine. There are no sessions on this side, so that none can outlive the right to it; sessions with
//! the servers behind belong to one virtual key each. The protocol is rmcp's on both sides, its transport to servers ours.

use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse, post, web};
use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use keyward_core::error_body::{ErrorBody, ErrorExtra};
use keyward_core::mcp_tools::Narrowing;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use utoipa::IntoResponses;

use crate::clock;
use crate::error::ApiError;
use crate::gateway::credential::{Metered, Tools};
use crate::request_id::RequestIdentity;
use crate::routes::Routes;
use crate::state::State;
use crate::usage::Refused;

mod call;
mod caller;
mod charge;
mod handler;
mod lists;
pub(crate) mod offered;
mod refusing;
mod servers;
mod sessions;
mod transport;

use caller::Caller;
use handler::ToolGateway;
pub(crate) use servers::Mcp;

/// The largest message, in bytes: what it says is kept in memory, several times as large, until its tool answers.
const LARGEST: usize = 4 * 1024 * 1024;
/// What kind of request this is, in errors.
const TOOL_CALL: &str = "mcp_tool_call";

/// Every operation of the door.
pub(crate) fn routes(routes: &mut Routes<'_>) {
    routes.service(mcp_message_create);
}

/// rmcp's server, which makes a [`ToolGateway`] for each message.
pub(crate) struct Door(StreamableHttpService<ToolGateway, NeverSessionManager>);

impl Door {
    pub(crate) fn new(state: web::Data<State>) -> Self {
        // A virtual key is asked for in place of an origin: no web page has one by itself.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_legacy_session_mode(false)
            .with_max_request_body_bytes(largest(&state))
            .with_cancellation_token(state.give_up.clone());
        let gateway = move || Ok(ToolGateway::new(state.clone()));
        Self(StreamableHttpService::new(gateway, NeverSessionManager::default().into(), config))
    }
}

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum McpErrors {
    /// The virtual key is missing or not known.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// The virtual key is inactive or expired.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// The body is larger than the limit.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// A fault of the server.
    #[response(status = 500)]
    Internal(ErrorBody),
}

/// Takes one message of MCP over streamable HTTP.
///
/// `tools/list` tells the tools of all registered MCP clients that the virtual key may use, named `{client}-{tool}`; `tools/call`
/// calls one. `x-bf-mcp-include-clients` and `x-bf-mcp-include-tools` leave some out. What is refused is an error of JSON-RPC with the
/// error body of other routes in `data`. There are no sessions and no streams besides answers: `GET` and `DELETE` are answered with 405.
#[utoipa::path(
    operation_id = "mcp_message_create",
    tag = "tools",
    security(("virtual_key" = [])),
    request_body(content = Object, content_type = "application/json", description = "A message of JSON-RPC."),
    responses(
        (status = 200, description = "The answer to a request: events, of which the last is a message of JSON-RPC.",
            content_type = "text/event-stream", body = serde_json::Value),
        (status = 202, description = "A notification was taken."),
        (status = 400, description = "The message cannot be understood, or credentials differ: an error as elsewhere, one of JSON-RPC, or text.",
            content((serde_json::Value = "application/json"), (String = "text/plain"))),
        (status = 406, description = "`Accept` is without `application/json` or `text/event-stream`.",
            content_type = "text/plain", body = String),
        (status = 415, description = "The body is not `application/json`.", content_type = "text/plain", body = String),
        McpErrors,
    ),
)]
#[post("/mcp")]
async fn mcp_message_create(
    caller: Metered<Tools>,
    request: HttpRequest,
    identity: RequestIdentity,
    state: web::Data<State>,
    door: web::Data<Door>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let message = message(caller, &request, identity, &state, payload.into_inner()).await.map_err(|error| {
        state.refused(&error, Refused::default());
        error.in_gateway(ErrorExtra { request_type: TOOL_CALL.to_owned(), ..ErrorExtra::default() })
    })?;
    Ok(answer(door.0.handle(message).await))
}

/// The message as rmcp takes it, with who sends it. Of the headers, only those of the protocol: no credential goes further.
async fn message(
    caller: Metered<Tools>,
    request: &HttpRequest,
    identity: RequestIdentity,
    state: &State,
    payload: Payload,
) -> Result<http::Request<Full<Bytes>>, ApiError> {
    state.engine.identify(&caller.hash, clock::now())?;
    let body = crate::body::read(request, payload, largest(state)).await?;
    let caller = Caller { hash: caller.hash, request_id: identity.id().clone(), narrowing: narrowing(request) };
    // A host is asked for, and not looked at.
    let mut message = http::Request::post("/mcp").header("host", "keyward").extension(caller);
    let of_protocol = |name: &str| matches!(name, "accept" | "content-type") || name.starts_with("mcp-");
    for (name, value) in request.headers().iter().filter(|(name, _)| of_protocol(name.as_str())) {
        message = message.header(name.as_str(), value.as_bytes());
    }
    message.body(Full::new(body)).map_err(caller::unreadable)
}

fn largest(state: &State) -> usize {
    state.settings.max_gateway_body_bytes.min(LARGEST)
}

/// What the request's own headers leave of what its virtual key may use.
pub(crate) fn narrowing(request: &HttpRequest) -> Narrowing {
    let list = |name: &str| {
        let mut values = request.headers().get_all(name).peekable();
        values.peek()?;
        // What is no text names nothing.
        Some(values.map(|value| value.to_str().unwrap_or_default()).collect::<Vec<_>>().join(","))
    };
    Narrowing::of(list("x-bf-mcp-include-clients").as_deref(), list("x-bf-mcp-include-tools").as_deref())
}

fn answer<B>(response: http::Response<B>) -> HttpResponse
where
    B: hyper::body::Body<Data = Bytes, Error = std::convert::Infallible> + 'static,
{
    let (head, body) = response.into_parts();
    let status = actix_web::http::StatusCode::from_u16(head.status.as_u16());
    let mut answer = HttpResponse::build(status.unwrap_or_default());
    if !head.headers.contains_key(http::header::CONTENT_TYPE) {
        answer.content_type("text/plain");
    }
    for (name, value) in &head.headers {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer.streaming(BodyDataStream::new(body))
}
