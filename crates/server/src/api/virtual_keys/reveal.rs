//! The secrets of virtual keys, for those who have lost them.

use actix_web::{get, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use keyward_core::virtual_key::VirtualKeyRevealed;
use keyward_store::Reveal;

use crate::api::{CommonErrors, PathErrors};
use crate::auth::{Authed, VirtualKeysWrite};
use crate::error::{ApiError, ApiResult};
use crate::params::Path;
use crate::state::{State, edit};

/// Shows the secret of a virtual key, and records in the audit log that it did. Refused when `reveal_virtual_keys` is
/// `on_create`.
#[utoipa::path(
    operation_id = "virtual_key_reveal",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(("vk_id" = String, Path, description = "The virtual key's id.")),
    responses((status = 200, description = "The secret.", body = VirtualKeyRevealed), PathErrors, CommonErrors),
)]
#[get("/api/governance/virtual-keys/{vk_id}/reveal")]
pub(crate) async fn virtual_key_reveal(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> ApiResult<VirtualKeyRevealed> {
    reveal(&caller, "virtual_key_reveal", &state, id.0).await
}

/// Shows the secret of a virtual key, for the button that copies. The same as `reveal` but for its name in the audit log.
#[utoipa::path(
    operation_id = "virtual_key_copy",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(("vk_id" = String, Path, description = "The virtual key's id.")),
    responses((status = 200, description = "The secret.", body = VirtualKeyRevealed), PathErrors, CommonErrors),
)]
#[get("/api/governance/virtual-keys/{vk_id}/copy")]
pub(crate) async fn virtual_key_copy(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> ApiResult<VirtualKeyRevealed> {
    reveal(&caller, "virtual_key_copy", &state, id.0).await
}

async fn reveal(
    caller: &Authed<VirtualKeysWrite>,
    operation: &'static str,
    state: &web::Data<State>,
    id: VirtualKeyId,
) -> ApiResult<VirtualKeyRevealed> {
    if state.reveal() == Reveal::Redacted {
        let message = "Secrets are shown when a key is made, and never again: reveal_virtual_keys is on_create";
        return Err(ApiError::new(ErrorCode::SecretHidden, message));
    }
    let change = caller.change(operation);
    let revealed = edit(state, async move |state| {
        let value = state.store.virtual_key_reveal(change, id.clone()).await?;
        Ok(VirtualKeyRevealed { id, value })
    });
    Ok(web::Json(revealed.await?))
}
