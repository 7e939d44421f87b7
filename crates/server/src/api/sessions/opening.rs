//! Opening and ending a session, and its cookie.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use keyward_core::authority::Authority;
use keyward_core::change::{Actor, ActorKind, Grounds};
use keyward_core::error_code::ErrorCode;
use keyward_core::session::{Login, Session};
use rand::TryRng as _;
use rand::rngs::SysRng;
use uuid::Uuid;

use crate::auth::presented::{SESSION_COOKIE, SESSION_PREFIX};
use crate::auth::{address, session};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::State;

/// How long a session lasts at most.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Opens a session and returns its token.
pub(super) async fn open(request: &HttpRequest, state: &State, login: Login) -> Result<String, ApiError> {
    let Login { username, password } = login;
    let in_force = state.access.in_force();
    let proved = state.access.prove(&username, password.into(), &address(request)).await;
    let wrong = ApiError::new(ErrorCode::Unauthorized, "Invalid username or password");
    let proved = proved.map_err(|error| if error.code() == ErrorCode::Unauthorized { wrong } else { error })?;
    // The session is the proved credential's, and is not opened when another has come into force meanwhile.
    let terms = state.access.terms_of(&proved);
    let username = proved.username.clone();
    let actor = Actor::named(ActorKind::Admin, username.clone());
    let grounds = Grounds::Configured(in_force.record.auth_stamp()?);
    let change = Caller::of(request, actor, Authority::FULL, grounds)?.change("session_login");
    let token = token()?;
    let session = Session {
        id: Uuid::new_v4().into(),
        username,
        source: address(request),
        created_at: change.at,
        last_used_at: change.at,
        expires_at: change.at.checked_add(LIFETIME).unwrap_or(Timestamp::MAX),
    };
    state.store.session_create(change, session, &token, terms).await?;
    Ok(token)
}

/// Ends the session with this token, if it is open.
pub(super) async fn end(request: &HttpRequest, state: &State, token: &str) -> Result<(), ApiError> {
    let Some(session) = session(state, token).await? else { return Ok(()) };
    let actor = Actor::named(ActorKind::Admin, session.username);
    let grounds = Grounds::Session(session.id.clone());
    let change = Caller::of(request, actor, Authority::FULL, grounds)?.change("session_logout");
    Ok(state.store.session_delete(change, session.id).await?)
}

/// 256 random bits.
fn token() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    let fault = |error| ApiError::new(ErrorCode::Internal, "No random token can be had").because(error);
    SysRng.try_fill_bytes(&mut bytes).map_err(fault)?;
    Ok(format!("{SESSION_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// The cookie with a token.
pub(super) fn cookie(token: &str, headers: &HeaderMap) -> String {
    set(token, LIFETIME.as_secs(), headers)
}

/// The cookie that removes the one with a token.
pub(super) fn cleared_cookie(headers: &HeaderMap) -> String {
    set("", 0, headers)
}

fn set(value: &str, seconds: i64, headers: &HeaderMap) -> String {
    let schemes = headers.get("x-forwarded-proto").and_then(|schemes| schemes.to_str().ok()).unwrap_or_default();
    let nearest_client = schemes.split(',').next().unwrap_or_default().trim();
    let is_secure = nearest_client.eq_ignore_ascii_case("https");
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
