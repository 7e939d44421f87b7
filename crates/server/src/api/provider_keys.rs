//! Provider keys: the real credentials.

use actix_web::{delete, get, post, put, web};
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::invalid::Pointer;
use keyward_core::list::{Done, ProviderKeyList};
use keyward_core::provider::{CreateProviderKey, ProviderKey, UpdateProviderKey};
use keyward_core::provider_config::AttachedKey;
use uuid::Uuid;

use super::providers::check_variables;
use super::{BodyErrors, CommonErrors, PathErrors};
use crate::auth::{Authed, ProvidersRead, ProvidersWrite};
use crate::body::Body;
use crate::error::ApiResult;
use crate::kept::Kept;
use crate::params::Path;
use crate::state::{State, edit};
use crate::tagged::{Tagged, TaggedResult};

/// Adds a real credential to a provider. Its secret is stored encrypted and never shown again.
#[utoipa::path(
    operation_id = "provider_key_create",
    tag = "providers",
    security((), ("admin" = [])),
    params(("provider" = String, Path, description = "The provider's name.")),
    request_body = CreateProviderKey,
    responses((status = 200, description = "The key.", body = ProviderKey), BodyErrors, PathErrors, CommonErrors),
)]
#[post("/api/providers/{provider}/keys")]
pub(super) async fn provider_key_create(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    provider: Path<ProviderName>,
    body: Body<CreateProviderKey>,
) -> TaggedResult<ProviderKey> {
    let change = caller.creation("provider_key_create", &body);
    let request = UpdateProviderKey::from(body.request);
    check_variables(request.variables(&Pointer::ROOT))?;
    let draft = request.make(&Pointer::ROOT, &mut Uuid::new_v4)?;
    let key = edit(&state, async move |state| {
        let key = state.store.provider_key_create(change, provider.0, draft).await?;
        state.reload(Kept::Upstreams).await?;
        Ok(key)
    });
    Ok(Tagged::new(key.await?, |key| key))
}

/// Lists the keys of a provider, oldest first. Secrets are redacted.
#[utoipa::path(
    operation_id = "provider_key_list",
    tag = "providers",
    security((), ("admin" = [])),
    params(("provider" = String, Path, description = "The provider's name.")),
    responses((status = 200, description = "The keys.", body = ProviderKeyList), PathErrors, CommonErrors),
)]
#[get("/api/providers/{provider}/keys")]
pub(super) async fn provider_key_list(
    _: Authed<ProvidersRead>,
    state: web::Data<State>,
    provider: Path<ProviderName>,
) -> ApiResult<ProviderKeyList> {
    let keys = state.store.provider_key_list(provider.0).await?;
    let total = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    Ok(web::Json(ProviderKeyList { keys, total }))
}

/// Shows one key of a provider. Its secret is redacted.
#[utoipa::path(
    operation_id = "provider_key_get",
    tag = "providers",
    security((), ("admin" = [])),
    params(
        ("provider" = String, Path, description = "The provider's name."),
        ("key_id" = String, Path, description = "The key's id."),
    ),
    responses((status = 200, description = "The key.", body = ProviderKey), PathErrors, CommonErrors),
)]
#[get("/api/providers/{provider}/keys/{key_id}")]
pub(super) async fn provider_key_get(
    _: Authed<ProvidersRead>,
    state: web::Data<State>,
    path: Path<(ProviderName, ProviderKeyId)>,
) -> TaggedResult<ProviderKey> {
    let (provider, id) = path.0;
    Ok(Tagged::new(state.store.provider_key_get(provider, id).await?, |key| key))
}

/// Edits a key: what is absent stays, null clears. A secret that is sent back as it was shown stays.
#[utoipa::path(
    operation_id = "provider_key_update",
    tag = "providers",
    security((), ("admin" = [])),
    params(
        ("provider" = String, Path, description = "The provider's name."),
        ("key_id" = String, Path, description = "The key's id."),
    ),
    request_body = UpdateProviderKey,
    responses((status = 200, description = "The key.", body = ProviderKey), BodyErrors, PathErrors, CommonErrors),
)]
#[put("/api/providers/{provider}/keys/{key_id}")]
pub(super) async fn provider_key_update(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    path: Path<(ProviderName, ProviderKeyId)>,
    body: Body<UpdateProviderKey>,
) -> TaggedResult<ProviderKey> {
    check_variables(body.request.variables(&Pointer::ROOT))?;
    let key = edit(&state, async move |state| {
        let (change, (provider, id)) = (caller.change("provider_key_update"), path.0);
        let draft = move |existing: &ProviderKey| body.request.apply(existing, &Pointer::ROOT);
        let key = state.store.provider_key_update(change, provider, id, draft).await?;
        state.reload(Kept::Upstreams).await?;
        Ok(key)
    });
    Ok(Tagged::new(key.await?, |key| key))
}

/// Lists the keys of all providers, oldest first, in the shape that they have at virtual keys. Secrets are redacted.
#[utoipa::path(
    operation_id = "key_list",
    tag = "providers",
    security((), ("admin" = [])),
    responses((status = 200, description = "The keys.", body = Vec<AttachedKey>), CommonErrors),
)]
#[get("/api/keys")]
pub(super) async fn key_list(_: Authed<ProvidersRead>, state: web::Data<State>) -> ApiResult<Vec<AttachedKey>> {
    Ok(web::Json(state.store.key_list().await?))
}

/// Deletes a key. Provider configs that named it go on without it, and permit nothing when it was their last one.
#[utoipa::path(
    operation_id = "provider_key_delete",
    tag = "providers",
    security((), ("admin" = [])),
    params(
        ("provider" = String, Path, description = "The provider's name."),
        ("key_id" = String, Path, description = "The key's id."),
    ),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/providers/{provider}/keys/{key_id}")]
pub(super) async fn provider_key_delete(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    path: Path<(ProviderName, ProviderKeyId)>,
) -> ApiResult<Done> {
    let (change, (provider, id)) = (caller.change("provider_key_delete"), path.0);
    let deleted = edit(&state, async move |state| {
        state.store.provider_key_delete(change, provider, id).await?;
        state.reload(Kept::Upstreams).await?;
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Provider key deleted successfully".to_owned() }))
}
