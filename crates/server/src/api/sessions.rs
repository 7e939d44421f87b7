//! Sessions: a login opens one, a cookie carries its token.

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use keyward_core::error_body::ErrorBody;
use keyward_core::ids::SessionId;
use keyward_core::list::Done;
use keyward_core::session::{AuthStatus, AuthType, Login, SessionList};
use secrecy::ExposeSecret as _;
use utoipa::IntoResponses;

use super::{CommonErrors, PathErrors};
use crate::auth::opening::{Door, cleared_cookie, cookie, end, open};
use crate::auth::origin::{not_foreign, same_origin};
use crate::auth::presented::Presented;
use crate::auth::{Authed, Open, Sessions, session};
use crate::body::Body;
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::params::Path;
use crate::state::State;

/// The largest body of a login, in bytes: anyone may send one.
const LARGEST_LOGIN: usize = 16 * 1024;

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum LoginErrors {
    /// The request cannot be carried out as it is; `error.param` points at the member.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// User name or password is wrong.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// Authentication is not enabled; or a web page of another origin asks.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// The body is larger than the limit.
    #[response(status = 413)]
    TooLarge(ErrorBody),
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

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum StatusErrors {
    /// The cookie was not sent by a page of the server's own, or of an allowed origin.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// A fault of the server.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// The database cannot be reached.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// Opens a session: the answer sets the cookie `token`. Anybody may try, but not often: too many wrong passwords are refused for a
/// while, right ones too.
#[utoipa::path(
    operation_id = "session_login",
    tag = "sessions",
    security(()),
    request_body = Login,
    responses((status = 200, description = "The session is open.", body = Done), LoginErrors),
)]
#[post("/api/session/login")]
pub(super) async fn session_login(
    _: Open,
    request: HttpRequest,
    state: web::Data<State>,
    body: Body<Login, LARGEST_LOGIN>,
) -> Result<HttpResponse, ApiError> {
    not_foreign(request.headers(), &state.access.in_force().record.allowed_origins)?;
    let token = open(&request, &state, body.request, Door::Api).await?;
    let done = Done { message: "Login successful".to_owned() };
    Ok(HttpResponse::Ok().insert_header((SET_COOKIE, cookie(&token, request.headers()))).json(done))
}

/// Ends the session whose token comes with the request. If there is one; the cookie is cleared in any case.
#[utoipa::path(
    operation_id = "session_logout",
    tag = "sessions",
    security(()),
    responses((status = 200, description = "The session is over.", body = Done), StatusErrors),
)]
#[post("/api/session/logout")]
pub(super) async fn session_logout(
    _: Open,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let allowed = &state.access.in_force().record.allowed_origins;
    not_foreign(request.headers(), allowed)?;
    if let Presented::Session { token, by_cookie } = Presented::of(request.headers()) {
        if by_cookie {
            same_origin(request.headers(), allowed)?;
        }
        end(&request, &state, token.expose_secret()).await?;
    }
    let done = Done { message: "Logout successful".to_owned() };
    Ok(HttpResponse::Ok().insert_header((SET_COOKIE, cleared_cookie(request.headers()))).json(done))
}

/// Tells whether managing needs a credential. And whether the request has the token of an open session. Anybody may ask: a login
/// page does so first.
#[utoipa::path(
    operation_id = "session_status",
    tag = "sessions",
    security(()),
    responses((status = 200, description = "Whether and how.", body = AuthStatus), StatusErrors),
)]
#[get("/api/session/is-auth-enabled")]
pub(super) async fn session_status(_: Open, request: HttpRequest, state: web::Data<State>) -> ApiResult<AuthStatus> {
    let is_auth_enabled = state.access.in_force().is_auth_enabled();
    let has_valid_token = match Presented::of(request.headers()) {
        Presented::Session { token, .. } => session(&state, token.expose_secret()).await?.is_some(),
        Presented::Password(..) | Presented::ManagementKey(_) | Presented::Unknown | Presented::Nothing => false,
    };
    let auth_type = if is_auth_enabled { AuthType::Password } else { AuthType::None };
    Ok(web::Json(AuthStatus { is_auth_enabled, has_valid_token, auth_type, inference_auth_enforced: true }))
}

/// Lists the open sessions, oldest first. Without an admin credential there are none. Tokens are in no answer.
#[utoipa::path(
    operation_id = "session_list",
    tag = "sessions",
    security((), ("admin" = [])),
    responses((status = 200, description = "The sessions.", body = SessionList), CommonErrors),
)]
#[get("/api/sessions")]
pub(super) async fn session_list(_: Authed<Sessions>, state: web::Data<State>) -> ApiResult<SessionList> {
    match state.access.session_terms() {
        Some(terms) => Ok(web::Json(state.store.session_list(terms, clock::now()).await?)),
        None => Ok(web::Json(SessionList { sessions: Vec::new(), count: 0 })),
    }
}

/// Ends a session. Its token is refused from now on.
#[utoipa::path(
    operation_id = "session_delete",
    tag = "sessions",
    security((), ("admin" = [])),
    params(("session_id" = String, Path, description = "The session's id.")),
    responses((status = 200, description = "It is over.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/sessions/{session_id}")]
pub(super) async fn session_delete(
    caller: Authed<Sessions>,
    state: web::Data<State>,
    id: Path<SessionId>,
) -> ApiResult<Done> {
    state.store.session_delete(caller.change("session_delete"), id.0).await?;
    Ok(web::Json(Done { message: "Session ended successfully".to_owned() }))
}
