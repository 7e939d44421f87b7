//! The gateway: the only way to an upstream. The order of the stages is the code.
//!
//! authenticate: whose key is it (before the body is read, so that strangers cannot make us read one);
//! scan: what does the body ask for; route: what rules and weights make of that. Then, for one place after the other until one
//! answers: resolve: which provider, model and real key, and may the key use them; admit: hold what it may cost; dispatch: send the real request; relay: pass the answer on, byte for byte;
//! settle: write down what it cost. Relay and settle run in a task that outlives the client.

use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse, post, web};
use keyward_core::chat::{ChatCompletion, ChatCompletionChunk, ChatCompletionRequest};
use keyward_core::error_body::{ErrorBody, ErrorExtra};
use utoipa::IntoResponses;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::clock;
use crate::error::ApiError;
use crate::request_id::RequestIdentity;
use crate::state::State;

mod answer;
mod asking;
mod attempts;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "the routes are about to call it"))]
mod bedrock;
mod books;
pub(crate) mod credential;
mod dispatch;
mod estimate;
#[cfg_attr(not(test), expect(dead_code, reason = "the routes are about to call it"))]
mod event_stream;
mod explaining;
mod headers;
mod relay;
mod resolve;
mod resolver;
pub(crate) mod routing;
mod scan;
mod sse;
mod stream;
pub(crate) mod telling;
mod upstream_client;
mod usage;

use attempts::Attempts;
use credential::{Metered, Tokens};
pub(crate) use estimate::Tokenizers;
pub(crate) use explaining::explain;
use routing::{Plan, Sight};
use scan::{Dialect, Scan};
pub(crate) use upstream_client::{UpstreamClient, tls};

/// What kind of request this is, in errors.
const CHAT_COMPLETION: &str = "chat_completion";

/// Every operation of the gateway.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(chat_completion_create);
}

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum GatewayErrors {
    /// The request cannot be understood, or credentials differ; `error.param` says where.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The virtual key is missing or not known.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// A budget has no room; `error.details` names it. Retrying does not help before `resets_at`.
    #[response(status = 402)]
    BudgetExceeded(ErrorBody),
    /// The virtual key is inactive or expired, or may not use the provider or the model.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// The provider is not configured.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The body is larger than the limit.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// A rate limit has no room; `error.details` names it, `Retry-After` says when to try again.
    #[response(status = 429)]
    Limited(ErrorBody),
    /// A fault of the server.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// The provider is one that Keyward cannot call yet.
    #[response(status = 501)]
    NotSupported(ErrorBody),
    /// The provider cannot be reached, or its answer broke off.
    #[response(status = 502)]
    BadGateway(ErrorBody),
    /// Usage cannot be recorded, no provider key can serve, or the server is about to stop.
    #[response(status = 503)]
    Unavailable(ErrorBody),
    /// The provider did not answer in time.
    #[response(status = 504)]
    Timeout(ErrorBody),
}

/// Answers a conversation, in the OpenAI dialect.
///
/// `model` is `provider/model`, or a model alone, which goes to a provider by weight. Routing rules may send the request
/// elsewhere; `x-keyward-provider` and `x-keyward-model` of the answer say where it went, `x-keyward-routing-rule` which rule
/// decided. `RateLimit-Policy`, `RateLimit` and `x-ratelimit-…` tell each limit that covers the request, `x-keyward-budget-remaining` and
/// `x-keyward-cost` money. Everything but `model` reaches the provider unchanged, and so does its answer the client: but streams are
/// asked to tell their usage (`stream_options.include_usage`), and a request that does not fit what is left of a limit gets the largest
/// output cap that does, which `x-keyward-output-cap` tells. An error of the provider keeps its status and body and has the header
/// `x-keyward-error-source: provider`.
#[utoipa::path(
    operation_id = "chat_completion_create",
    tag = "inference",
    security(("virtual_key" = [])),
    request_body = ChatCompletionRequest,
    responses(
        (status = 200, description = "The answer: one body, or events when `stream` is true.", content(
            (ChatCompletion = "application/json"),
            (ChatCompletionChunk = "text/event-stream"),
        )),
        (status = "3XX", description = "The provider's own redirect, which is not followed."),
        (status = "4XX", description = "The provider's own error, with `x-keyward-error-source: provider`."),
        (status = "5XX", description = "The provider's own error, with `x-keyward-error-source: provider`."),
        GatewayErrors,
    ),
)]
#[post("/v1/chat/completions")]
async fn chat_completion_create(
    caller: Metered<Tokens>,
    request: HttpRequest,
    identity: RequestIdentity,
    state: web::Data<State>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let mut extra = ErrorExtra { request_type: CHAT_COMPLETION.to_owned(), ..ErrorExtra::default() };
    let answer = chat(caller, request, identity, state.clone(), payload.into_inner(), &mut extra).await;
    answer.map_err(|error| {
        state.metrics.refused(error.code());
        error.in_gateway(extra)
    })
}

async fn chat(
    caller: Metered<Tokens>,
    request: HttpRequest,
    identity: RequestIdentity,
    state: web::Data<State>,
    payload: Payload,
    extra: &mut ErrorExtra,
) -> Result<HttpResponse, ApiError> {
    state.engine.identify(&caller.hash, clock::now())?;
    let body = crate::body::read(&request, payload, state.settings.max_gateway_body_bytes).await?;
    // Reading took a while: what the key may do now is what counts.
    let principal = state.engine.identify(&caller.hash, clock::now())?;
    let scan = Scan::of(Dialect::ChatCompletions, &body)?;
    extra.model_requested = scan.model.clone();
    let asked = resolve::asked(&scan.model)?;
    let sight = Sight {
        headers: request.headers(),
        query: request.query_string(),
        body_bytes: body.len(),
        is_rehearsal: false,
    };
    let plan = Plan::of(&state, &principal, &sight, asked, &mut rand::random::<f64>)?;
    Attempts { request, identity, state, hash: caller.hash, scan, body, extra, admitted: 0 }.run(plan).await
}
