//! The quota: what a virtual key has left, told to whoever holds its secret.

use actix_web::{get, web};
use keyward_core::error_body::ErrorBody;
use keyward_core::refusal::Refusal;
use keyward_core::virtual_key::VirtualKeyQuota;
use keyward_store::Reveal;
use utoipa::IntoResponses;

use crate::error::ApiResult;
use crate::gateway::credential::{Free, Metered};
use crate::state::State;
use crate::{clock, usage};

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum QuotaErrors {
    /// Credentials differ, or one is not readable.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The virtual key is missing or not known.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// A management key was sent in place of a virtual key.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// The virtual key was deleted a moment ago.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// A fault of the server.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// The database cannot be reached.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// Tells what a virtual key has left. It is authenticated by the virtual key itself, in any of the five headers, and answers
/// for inactive and expired keys too.
#[utoipa::path(
    operation_id = "virtual_key_quota",
    tag = "virtual keys",
    security(("virtual_key" = [])),
    responses((status = 200, description = "What is left.", body = VirtualKeyQuota), QuotaErrors),
)]
#[get("/api/governance/virtual-keys/quota")]
pub(super) async fn virtual_key_quota(caller: Metered<Free>, state: web::Data<State>) -> ApiResult<VirtualKeyQuota> {
    let id = state.engine.virtual_key_id(&caller.hash, clock::now()).ok_or(Refusal::UnknownKey)?;
    usage::up_to_now(&state).await;
    let key = state.store.virtual_key_get(id.clone(), Reveal::Redacted).await?;
    let (now, read) = (clock::now(), state.read());
    let mut key = key.observed(&read, now);
    for budget in &mut key.budgets {
        budget.per_model_usage = Some(state.store.usage_by_model(id.clone(), budget.last_reset).await?);
    }
    let configs = state.store.model_configs_of_key(id).await?;
    let configs = configs.into_iter().map(|config| config.observed(&read, now)).collect();
    Ok(web::Json(VirtualKeyQuota::of(key, configs)))
}
