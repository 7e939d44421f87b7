//! Opening and ending a session, and its cookie. The administrator opens one with user name and password, whoever has a management
//! key with that.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use keyward_core::authority::Authority;
use keyward_core::change::{Actor, ActorKind, Change, Grounds};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::ManagementKeyId;
use keyward_core::session::{Login, Session};
use keyward_store::SessionTerms;
use rand::TryRng as _;
use rand::rngs::SysRng;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::presented::{SESSION_COOKIE, SESSION_PREFIX};
use super::{actor_of_key, address, of_session, session};
use crate::caller::Caller;
use crate::error::ApiError;
use crate::state::State;

/// How long a session lasts at most.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Which way a session is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Over the API.
    Api,
    /// At the dashboard.
    Dashboard,
}

/// Opens a session of the administrator, and returns its token.
pub(crate) async fn open(request: &HttpRequest, state: &State, login: Login, door: Door) -> Result<String, ApiError> {
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
    Opening { change, username, management_key_id: None, key: None, door, terms }.store(request, state).await
}

/// Opens a session of whoever has a management key, and returns its token.
pub(crate) async fn open_with_key(
    request: &HttpRequest,
    state: &State,
    secret: SecretString,
    door: Door,
) -> Result<String, ApiError> {
    let disabled = || ApiError::new(ErrorCode::AuthenticationDisabled, "Authentication is not enabled");
    let terms = state.access.session_terms().ok_or_else(disabled)?;
    let key = state.access.prove_key(&state.store, &secret, &address(request)).await?;
    let caller = Caller::of(request, actor_of_key(&key), key.authority(), Grounds::ManagementKey(key.id.clone()))?;
    let opening = Opening {
        change: caller.change("session_login"),
        username: key.name,
        management_key_id: Some(key.id),
        key: Some(secret),
        door,
        terms,
    };
    opening.store(request, state).await
}

/// A session that is to be opened.
struct Opening {
    change: Change,
    username: String,
    management_key_id: Option<ManagementKeyId>,
    /// The secret of the management key.
    key: Option<SecretString>,
    door: Door,
    terms: SessionTerms,
}

impl Opening {
    async fn store(self, request: &HttpRequest, state: &State) -> Result<String, ApiError> {
        let Self { change, username, management_key_id, key, door, terms } = self;
        let token = token()?;
        let session = Session {
            id: Uuid::new_v4().into(),
            username,
            management_key_id,
            from_dashboard: door == Door::Dashboard,
            source: address(request),
            created_at: change.at,
            last_used_at: change.at,
            expires_at: change.at.checked_add(LIFETIME).unwrap_or(Timestamp::MAX),
        };
        let key = key.as_ref().map(|secret| secret.expose_secret());
        state.store.session_create(change, session, &token, key, terms).await?;
        Ok(token)
    }
}

/// Ends the session with this token, if it is open.
pub(crate) async fn end(request: &HttpRequest, state: &State, token: &str) -> Result<(), ApiError> {
    let Some(open) = session(state, token).await? else { return Ok(()) };
    let id = open.session.id.clone();
    let (actor, authority, grounds) = of_session(open);
    let change = Caller::of(request, actor, authority, grounds)?.change("session_logout");
    Ok(state.store.session_delete(change, id).await?)
}

/// 256 random bits.
fn token() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    let fault = |error| ApiError::new(ErrorCode::Internal, "No random token can be had").because(error);
    SysRng.try_fill_bytes(&mut bytes).map_err(fault)?;
    Ok(format!("{SESSION_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// The cookie with a token.
pub(crate) fn cookie(token: &str, headers: &HeaderMap) -> String {
    set(token, LIFETIME.as_secs(), headers)
}

/// The cookie that removes the one with a token.
pub(crate) fn cleared_cookie(headers: &HeaderMap) -> String {
    set("", 0, headers)
}

fn set(value: &str, seconds: i64, headers: &HeaderMap) -> String {
    let schemes = headers.get("x-forwarded-proto").and_then(|schemes| schemes.to_str().ok()).unwrap_or_default();
    let nearest_client = schemes.split(',').next().unwrap_or_default().trim();
    let is_secure = nearest_client.eq_ignore_ascii_case("https");
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
