//! New values for virtual keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::{post, web};
use keyward_core::change::Change;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use keyward_core::list::VirtualKeyChanged;
use keyward_core::secret::VirtualKeyValue;
use keyward_core::virtual_key::{RotateVirtualKeys, Rotation, VirtualKey, VirtualKeysRotated};
use uuid::Uuid;

use super::{changed, in_force};
use crate::api::{BodyErrors, CommonErrors, PathErrors};
use crate::auth::{Authed, VirtualKeysWrite};
use crate::body::Body;
use crate::error::{ApiError, ApiResult};
use crate::params::Path;
use crate::state::{State, edit};
use crate::tagged::TaggedResult;

/// Gives a virtual key a new value; the one before works on for the configured cooldown. The answer carries the new secret.
#[utoipa::path(
    operation_id = "virtual_key_rotate",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(("vk_id" = String, Path, description = "The virtual key's id.")),
    responses((status = 200, description = "The virtual key.", body = VirtualKeyChanged), PathErrors, CommonErrors),
)]
#[post("/api/governance/virtual-keys/{vk_id}/rotate")]
pub(crate) async fn virtual_key_rotate(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> TaggedResult<VirtualKeyChanged> {
    caller.refuse_idempotency_key()?;
    let change = caller.change("virtual_key_rotate");
    let rotated = edit(&state, async move |state| rotate(&state, change, id.0).await);
    changed("Virtual key rotated successfully", rotated.await?)
}

/// Gives several virtual keys new values. Each on its own: what fails for one does not keep the others. The values before work on
/// for the configured cooldown.
#[utoipa::path(
    operation_id = "virtual_keys_rotate",
    tag = "virtual keys",
    security((), ("admin" = [])),
    request_body = RotateVirtualKeys,
    responses(
        (status = 200, description = "The virtual keys.", body = VirtualKeysRotated),
        (status = 404, description = "None of them is there.", body = keyward_core::error_body::ErrorBody),
        BodyErrors,
        CommonErrors,
    ),
)]
#[post("/api/governance/virtual-keys/rotate")]
pub(crate) async fn virtual_keys_rotate(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    body: Body<RotateVirtualKeys>,
) -> ApiResult<VirtualKeysRotated> {
    caller.refuse_idempotency_key()?;
    let ids = body.request.check()?;
    let rotated = edit(&state, async move |state| rotate_each(&state, &caller, ids).await).await?;
    if rotated.virtual_keys.is_empty() {
        return Err(ApiError::new(ErrorCode::NotFound, "Failed to rotate virtual keys: none was found").at("/ids"));
    }
    Ok(web::Json(rotated))
}

async fn rotate_each(
    state: &Arc<State>,
    caller: &Authed<VirtualKeysWrite>,
    ids: Vec<VirtualKeyId>,
) -> Result<VirtualKeysRotated, ApiError> {
    let (mut virtual_keys, mut errors) = (Vec::new(), BTreeMap::new());
    for id in ids {
        match rotate(state, caller.change("virtual_keys_rotate"), id.clone()).await {
            Ok(key) => virtual_keys.push(key),
            Err(error) if error.code() == ErrorCode::NotFound => {
                errors.insert(id.to_string(), "virtual key not found".to_owned());
            }
            // The others have their new values: whoever asked must get them.
            Err(error) if !virtual_keys.is_empty() => {
                error.log(id.as_str());
                errors.insert(id.to_string(), error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(VirtualKeysRotated { message: "Virtual keys rotated successfully".to_owned(), virtual_keys, errors })
}

async fn rotate(state: &Arc<State>, change: Change, id: VirtualKeyId) -> Result<VirtualKey, ApiError> {
    let value = VirtualKeyValue::from_uuid(Uuid::new_v4());
    let rotation = Rotation { value, cooldown: state.rotation_cooldown() };
    Ok(in_force(state, state.store.virtual_key_rotate(change, id, rotation).await?))
}
