//! Health and metrics: whether the process lives, whether it can serve, and how it is doing. Nothing here costs money.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, get, web};
use keyward_core::error_body::ErrorBody;
use keyward_core::error_code::ErrorCode;
use keyward_core::list::{Done, Health};
use keyward_engine::Ledger as _;
use utoipa::IntoResponses;

use crate::auth::{Authed, MetricsRead, Open};
use crate::error::{ApiError, ApiResult};
use crate::routes::Routes;
use crate::state::State;

pub(crate) fn routes(routes: &mut Routes<'_>) {
    routes.service(livez).service(readyz).service(health).service(metrics);
}

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum ReadyErrors {
    /// The server cannot serve at the moment.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum MetricsErrors {
    /// The credential is missing or wrong.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// The management key may not do this; or, without an admin credential: the request came from a web page of another origin
    /// or through a proxy.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// Too many wrong passwords: wait for `Retry-After`.
    #[response(status = 429)]
    Throttled(ErrorBody),
    /// A fault of the server.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// The database cannot be reached.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// Tells that the process lives. Anybody may ask. Neither the database nor a provider is asked.
#[utoipa::path(
    operation_id = "livez",
    tag = "operations",
    security(()),
    responses((status = 200, description = "The process lives.", body = Done)),
)]
#[get("/livez")]
async fn livez(_: Open) -> ApiResult<Done> {
    Ok(web::Json(Done { message: "live".to_owned() }))
}

/// Tells whether the server can serve. The database answers, the ledger is written, every edit is in force, and no shutdown has
/// begun. Anybody may ask.
#[utoipa::path(
    operation_id = "readyz",
    tag = "operations",
    security(()),
    responses((status = 200, description = "The server can serve.", body = Done), ReadyErrors),
)]
#[get("/readyz")]
async fn readyz(_: Open, state: web::Data<State>) -> ApiResult<Done> {
    ready(&state).await?;
    Ok(web::Json(Done { message: "ready".to_owned() }))
}

/// The same as `/readyz`, where clients of the compatible API look for it. Anybody may ask. No provider is asked.
#[utoipa::path(
    operation_id = "health",
    tag = "operations",
    security(()),
    responses((status = 200, description = "The server can serve.", body = Health), ReadyErrors),
)]
#[get("/health")]
async fn health(_: Open, state: web::Data<State>) -> ApiResult<Health> {
    ready(&state).await?;
    Ok(web::Json(Health { status: "ok".to_owned() }))
}

/// Whether the server can serve; else why not.
pub(crate) async fn ready(state: &State) -> Result<(), ApiError> {
    if state.is_draining() {
        return Err(ApiError::new(ErrorCode::ShuttingDown, "The server is draining"));
    }
    if !state.ledger.is_available() {
        return Err(ApiError::new(ErrorCode::GovernanceUnavailable, "The ledger cannot be written"));
    }
    state.freshness.check()?;
    Ok(state.store.ping().await?)
}

/// The server's figures in Prometheus' text format. It needs a credential wherever managing does.
#[utoipa::path(
    operation_id = "metrics",
    tag = "operations",
    security(("admin" = [])),
    responses((status = 200, description = "The figures.", body = String, content_type = "text/plain"), MetricsErrors),
)]
#[get("/metrics")]
async fn metrics(_: Authed<MetricsRead>, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let text = state.metrics.text(&state.engine, &state.upstreams);
    let text =
        text.map_err(|error| ApiError::new(ErrorCode::Internal, "The metrics cannot be written").because(error))?;
    Ok(HttpResponse::Ok().content_type(ContentType::plaintext()).body(text))
}
