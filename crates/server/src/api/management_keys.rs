//! Management keys.

use actix_web::{delete, get, post, put, web};
use keyward_core::ids::ManagementKeyId;
use keyward_core::list::{
    Done, ListQuery, ManagementKeyChanged, ManagementKeyDetail, ManagementKeyIssued, ManagementKeyList,
};
use keyward_core::management_key::{CreateManagementKey, ManagementKey, UpdateManagementKey};
use keyward_core::secret::ManagementKeyValue;
use uuid::Uuid;

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, ManagementKeysRead, ManagementKeysWrite};
use crate::body::Body;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a management key. The answer has its secret, this once. Nobody makes a key that may do more than they may.
#[utoipa::path(
    operation_id = "management_key_create",
    tag = "management keys",
    security((), ("admin" = [])),
    request_body = CreateManagementKey,
    responses((status = 200, description = "The key and its secret.", body = ManagementKeyIssued), BodyErrors, CommonErrors),
)]
#[post("/api/management-keys")]
pub(super) async fn management_key_create(
    caller: Authed<ManagementKeysWrite>,
    state: web::Data<State>,
    body: Body<CreateManagementKey>,
) -> TaggedResult<ManagementKeyIssued> {
    let change = caller.creation("management_key_create", &body);
    let key = editing(change.at, |edit| body.request.build(edit))?;
    let value = ManagementKeyValue::from_uuid(Uuid::new_v4());
    let issued = edit(&state, async move |state| {
        let (key, is_new) = state.store.management_key_create(change, key, &value).await?;
        Ok((key, is_new.then_some(value)))
    });
    let (key, value) = issued.await?;
    let message = "Management key created successfully".to_owned();
    Ok(Tagged::new(key, |management_key| ManagementKeyIssued { message, management_key, value }))
}

/// Lists management keys, oldest first. Their secrets are in no answer but the one that made them.
#[utoipa::path(
    operation_id = "management_key_list",
    tag = "management keys",
    security((), ("admin" = [])),
    params(ListQuery),
    responses((status = 200, description = "The keys.", body = ManagementKeyList), InputErrors, CommonErrors),
)]
#[get("/api/management-keys")]
pub(super) async fn management_key_list(
    caller: Authed<ManagementKeysRead>,
    state: web::Data<State>,
    query: Query<ListQuery>,
) -> ApiResult<ManagementKeyList> {
    let page = query.0.check()?;
    let listed = caller.store(&state).management_key_list(page.clone()).await?;
    Ok(web::Json(ManagementKeyList::new(listed, &page)))
}

/// Shows one management key. With what it may do and until when. Its secret is in no answer but the one that made it.
#[utoipa::path(
    operation_id = "management_key_get",
    tag = "management keys",
    security((), ("admin" = [])),
    params(("key_id" = String, Path, description = "The management key's id.")),
    responses((status = 200, description = "The key.", body = ManagementKeyDetail), PathErrors, CommonErrors),
)]
#[get("/api/management-keys/{key_id}")]
pub(super) async fn management_key_get(
    caller: Authed<ManagementKeysRead>,
    state: web::Data<State>,
    id: Path<ManagementKeyId>,
) -> TaggedResult<ManagementKeyDetail> {
    let key = caller.store(&state).management_key_get(id.0).await?;
    Ok(Tagged::new(key, |management_key| ManagementKeyDetail { management_key }))
}

/// Edits a management key: what is absent stays, null clears. Nobody lets a key do more than they may themselves.
#[utoipa::path(
    operation_id = "management_key_update",
    tag = "management keys",
    security((), ("admin" = [])),
    params(("key_id" = String, Path, description = "The management key's id.")),
    request_body = UpdateManagementKey,
    responses(
        (status = 200, description = "The key.", body = ManagementKeyChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/management-keys/{key_id}")]
pub(super) async fn management_key_update(
    caller: Authed<ManagementKeysWrite>,
    state: web::Data<State>,
    id: Path<ManagementKeyId>,
    body: Body<UpdateManagementKey>,
) -> TaggedResult<ManagementKeyChanged> {
    let change = caller.change("management_key_update");
    let key = edit(&state, async move |state| {
        let draft = move |existing: &ManagementKey, at| existing.edited(body.request, at);
        Ok(state.store.management_key_update(change, id.0, draft).await?)
    });
    let message = "Management key updated successfully".to_owned();
    Ok(Tagged::new(key.await?, |management_key| ManagementKeyChanged { message, management_key }))
}

/// Gives a management key another secret, which the answer has, this once. The old one is refused at once.
#[utoipa::path(
    operation_id = "management_key_rotate",
    tag = "management keys",
    security((), ("admin" = [])),
    params(("key_id" = String, Path, description = "The management key's id.")),
    responses((status = 200, description = "The key and its secret.", body = ManagementKeyIssued), PathErrors, CommonErrors),
)]
#[post("/api/management-keys/{key_id}/rotate")]
pub(super) async fn management_key_rotate(
    caller: Authed<ManagementKeysWrite>,
    state: web::Data<State>,
    id: Path<ManagementKeyId>,
) -> TaggedResult<ManagementKeyIssued> {
    caller.refuse_idempotency_key()?;
    let change = caller.change("management_key_rotate");
    let value = ManagementKeyValue::from_uuid(Uuid::new_v4());
    let issued = edit(&state, async move |state| {
        let key = state.store.management_key_rotate(change, id.0, &value).await?;
        Ok((key, Some(value)))
    });
    let (key, value) = issued.await?;
    let message = "Management key rotated successfully".to_owned();
    Ok(Tagged::new(key, |management_key| ManagementKeyIssued { message, management_key, value }))
}

/// Deletes a management key: it is refused from now on. What it did stays in the audit log.
#[utoipa::path(
    operation_id = "management_key_delete",
    tag = "management keys",
    security((), ("admin" = [])),
    params(("key_id" = String, Path, description = "The management key's id.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/management-keys/{key_id}")]
pub(super) async fn management_key_delete(
    caller: Authed<ManagementKeysWrite>,
    state: web::Data<State>,
    id: Path<ManagementKeyId>,
) -> ApiResult<Done> {
    let change = caller.change("management_key_delete");
    let deleted = edit(&state, async move |state| Ok(state.store.management_key_delete(change, id.0).await?));
    deleted.await?;
    Ok(web::Json(Done { message: "Management key deleted successfully".to_owned() }))
}
