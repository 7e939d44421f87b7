//! Virtual keys.

use std::sync::Arc;

use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use keyward_core::list::{Done, Listed, VirtualKeyChanged, VirtualKeyList};
use keyward_core::secret::VirtualKeyValue;
use keyward_core::virtual_key::{
    CreateVirtualKey, UpdateVirtualKey, VirtualKey, VirtualKeyDetail, VirtualKeyDraft, VirtualKeyHashes,
    VirtualKeyQuery,
};
use keyward_store::Reveal;
use uuid::Uuid;

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, VirtualKeysRead, VirtualKeysWrite};
use crate::body::Body;
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

pub(super) mod budget_overrides;
pub(super) mod reveal;
pub(super) mod rotation;
mod table;

pub(crate) use table::table as table_of_keys;

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

/// Lists virtual keys. Besides the parameters below, `metadata_KEY=VALUE` asks for keys with that label. With `Accept: text/csv`
/// the answer is a table.
#[utoipa::path(
    operation_id = "virtual_key_list",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(VirtualKeyQuery),
    responses(
        (status = 200, description = "The virtual keys; a table in which secrets are redacted for `Accept: text/csv`.", content(
            (VirtualKeyList = "application/json"),
            (String = "text/csv"),
        )),
        InputErrors,
        CommonErrors,
    ),
)]
#[get("/api/governance/virtual-keys")]
pub(super) async fn virtual_key_list(
    caller: Authed<VirtualKeysRead>,
    request: HttpRequest,
    state: web::Data<State>,
    query: Query<VirtualKeyQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, now) = (query.0.check()?, clock::now());
    let wants_table = accepts_csv(request.headers());
    let reveal = if wants_table { Reveal::Redacted } else { caller.reveal(&state) };
    let listed = caller.store(&state).virtual_key_list(filter.clone(), now, reveal).await?;
    let entries: Vec<VirtualKey> = listed.entries.into_iter().map(|key| key.observed(&state.read(), now)).collect();
    if wants_table {
        let failed = |error| ApiError::new(ErrorCode::Internal, "The table cannot be written").because(error);
        return Ok(HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .body(table_of_keys(&entries).map_err(failed)?));
    }
    Ok(HttpResponse::Ok().json(VirtualKeyList::new(Listed { entries, total: listed.total }, &filter.page)))
}

/// Whether the table is preferred; the first media range that names either form decides.
fn accepts_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut ranges = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    ranges.find(|range| matches!(*range, "text/csv" | "application/json")) == Some("text/csv")
}

/// Shows one virtual key. With its limits and what is used of them now.
#[utoipa::path(
    operation_id = "virtual_key_get",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(("vk_id" = String, Path, description = "The virtual key's id.")),
    responses((status = 200, description = "The virtual key.", body = VirtualKeyDetail), PathErrors, CommonErrors),
)]
#[get("/api/governance/virtual-keys/{vk_id}")]
pub(super) async fn virtual_key_get(
    caller: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    id: Path<VirtualKeyId>,
) -> TaggedResult<VirtualKeyDetail> {
    let virtual_key = caller.store(&state).virtual_key_get(id.0, caller.reveal(&state)).await?;
    let virtual_key = virtual_key.observed(&state.read(), clock::now());
    Ok(Tagged::new(virtual_key, |virtual_key| VirtualKeyDetail { virtual_key }))
}

/// Edits a virtual key: what is absent stays, null clears. Usage is never changed unless `reset_budget_usage` asks for it.
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
        let (updated, adjustments) = state.store.virtual_key_update(change, id.0, state.reveal(), draft).await?;
        state.engine.adjust(&adjustments);
        Ok(in_force(&state, updated))
    });
    changed("Virtual key updated successfully", virtual_key.await?)
}

/// Deletes a virtual key: the gateway refuses it from now on. What was charged stays in the ledger.
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
fn in_force(state: &Arc<State>, (hashes, virtual_key): (VirtualKeyHashes, VirtualKey)) -> VirtualKey {
    state.engine.put_virtual_key(hashes, &virtual_key, virtual_key.updated_at);
    virtual_key.observed(&state.read(), clock::now())
}

fn changed(message: &str, virtual_key: VirtualKey) -> TaggedResult<VirtualKeyChanged> {
    let message = message.to_owned();
    Ok(Tagged::new(virtual_key, |virtual_key| VirtualKeyChanged { message, virtual_key }))
}
