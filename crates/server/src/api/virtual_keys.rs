//! Virtual keys.

use std::sync::Arc;

use actix_web::{delete, get, post, put, web};
use keyward_core::ids::VirtualKeyId;
use keyward_core::list::{Done, ListQuery, Listed, VirtualKeyChanged, VirtualKeyList};
use keyward_core::secret::{KeyHash, VirtualKeyValue};
use keyward_core::virtual_key::{CreateVirtualKey, UpdateVirtualKey, VirtualKey, VirtualKeyDetail, VirtualKeyDraft};
use uuid::Uuid;

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, VirtualKeysRead, VirtualKeysWrite};
use crate::body::Body;
use crate::clock;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a virtual key. The answer carries its secret.
#[utoipa::path(
    operation_id = "virtual_key_create",
    tag = "virtual keys",
    security((), ("admin" = [])),
    request_body = CreateVirtualKey,
    responses((status = 200, description = "The virtual key.", body = VirtualKeyChanged), BodyErrors, CommonErrors),
)]
#[post("/api/governance/virtual-keys")]
pub(super) async fn virtual_key_create(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    body: Body<CreateVirtualKey>,
) -> TaggedResult<VirtualKeyChanged> {
    let change = caller.creation("virtual_key_create", &body);
    let draft = editing(change.at, |edit| VirtualKeyDraft::create(body.request, edit))?;
    let virtual_key = edit(&state, async move |state| {
        let value = VirtualKeyValue::from_uuid(Uuid::new_v4());
        let created = state.store.virtual_key_create(change, draft, value).await?;
        Ok(in_force(&state, created))
    });
    changed("Virtual key created successfully", virtual_key.await?)
}

/// Lists virtual keys, oldest first.
#[utoipa::path(
    operation_id = "virtual_key_list",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(ListQuery),
    responses((status = 200, description = "The virtual keys.", body = VirtualKeyList), InputErrors, CommonErrors),
)]
#[get("/api/governance/virtual-keys")]
pub(super) async fn virtual_key_list(
    _: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    query: Query<ListQuery>,
) -> ApiResult<VirtualKeyList> {
    let page = query.0.check()?;
    let listed = state.store.virtual_key_list(page.clone(), state.reveal()).await?;
    let now = clock::now();
    let entries = listed.entries.into_iter().map(|key| key.observed(&state.read(), now));
    Ok(web::Json(VirtualKeyList::new(Listed { entries: entries.collect(), total: listed.total }, &page)))
}

/// Shows one virtual key.
#[utoipa::path(
    operation_id = "virtual_key_get",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(("vk_id" = String, Path, description = "The virtual key's id.")),
    responses((status = 200, description = "The virtual key.", body = VirtualKeyDetail), PathErrors, CommonErrors),
)]
#[get("/api/governance/virtual-keys/{vk_id}")]
pub(super) async fn virtual_key_get(
    _: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> TaggedResult<VirtualKeyDetail> {
    let virtual_key = state.store.virtual_key_get(id.0, state.reveal()).await?;
    let virtual_key = virtual_key.observed(&state.read(), clock::now());
    Ok(Tagged::new(virtual_key, |virtual_key| VirtualKeyDetail { virtual_key }))
}

/// Edits a virtual key: what is absent stays, null clears. Usage is never changed.
#[utoipa::path(
    operation_id = "virtual_key_update",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(("vk_id" = String, Path, description = "The virtual key's id.")),
    request_body = UpdateVirtualKey,
    responses(
        (status = 200, description = "The virtual key.", body = VirtualKeyChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/governance/virtual-keys/{vk_id}")]
pub(super) async fn virtual_key_update(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
    body: Body<UpdateVirtualKey>,
) -> TaggedResult<VirtualKeyChanged> {
    let virtual_key = edit(&state, async move |state| {
        // What is settled counts in the windows of before.
        state.settled().await?;
        let change = caller.change("virtual_key_update");
        let draft =
            move |existing: &VirtualKey, at| editing(at, |edit| VirtualKeyDraft::update(existing, body.request, edit));
        let updated = state.store.virtual_key_update(change, id.0, state.reveal(), draft).await?;
        Ok(in_force(&state, updated))
    });
    changed("Virtual key updated successfully", virtual_key.await?)
}

/// Deletes a virtual key: the gateway refuses it from now on.
#[utoipa::path(
    operation_id = "virtual_key_delete",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(("vk_id" = String, Path, description = "The virtual key's id.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/governance/virtual-keys/{vk_id}")]
pub(super) async fn virtual_key_delete(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> ApiResult<Done> {
    let change = caller.change("virtual_key_delete");
    let deleted = edit(&state, async move |state| {
        state.store.virtual_key_delete(change, id.0.clone()).await?;
        state.engine.remove_virtual_key(&id.0);
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Virtual key deleted successfully".to_owned() }))
}

/// Tells the engine, as of the same instant as the database, and reads the key's meters.
fn in_force(state: &Arc<State>, (hash, virtual_key): (KeyHash, VirtualKey)) -> VirtualKey {
    state.engine.put_virtual_key(hash, &virtual_key, virtual_key.updated_at);
    virtual_key.observed(&state.read(), clock::now())
}

fn changed(message: &str, virtual_key: VirtualKey) -> TaggedResult<VirtualKeyChanged> {
    let message = message.to_owned();
    Ok(Tagged::new(virtual_key, |virtual_key| VirtualKeyChanged { message, virtual_key }))
}
