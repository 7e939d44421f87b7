//! Providers.

use actix_web::{delete, get, post, web};
use keyward_core::ids::ProviderName;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::list::{Done, ProviderList};
use keyward_core::provider::{CreateProvider, Provider, ProviderKeyDraft};
use keyward_core::secret::SecretSource;
use uuid::Uuid;

use super::{BodyErrors, CommonErrors, PathErrors};
use crate::auth::{Authed, ProvidersRead, ProvidersWrite};
use crate::body::Body;
use crate::config::environment;
use crate::error::ApiResult;
use crate::params::Path;
use crate::state::{State, edit};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a provider known to the gateway, with real credentials if the request has some.
#[utoipa::path(
    operation_id = "provider_create",
    tag = "providers",
    security((), ("admin" = [])),
    request_body = CreateProvider,
    responses((status = 200, description = "The provider.", body = Provider), BodyErrors, CommonErrors),
)]
#[post("/api/providers")]
pub(super) async fn provider_create(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    body: Body<CreateProvider>,
) -> TaggedResult<Provider> {
    let change = caller.creation("provider_create", &body);
    let draft = body.request.check(&mut Uuid::new_v4)?;
    if !state.upstreams.permits(&draft.network_config) {
        let at = Pointer::from("network_config").member("base_url");
        return Err(Invalid::at(at, "base_url must not be a private address: block_private_upstreams is on").into());
    }
    let at = Pointer::from("keys");
    draft.keys.iter().enumerate().try_for_each(|(index, key)| check_environment(key, &at.element(index)))?;
    let provider = edit(&state, async move |state| {
        let provider = state.store.provider_create(change, draft).await?;
        state.upstreams.reload(&state.store).await?;
        Ok(provider)
    });
    Ok(Tagged::new(provider.await?, |provider| provider))
}

/// Lists providers by name. Secrets are redacted.
#[utoipa::path(
    operation_id = "provider_list",
    tag = "providers",
    security((), ("admin" = [])),
    responses((status = 200, description = "The providers.", body = ProviderList), CommonErrors),
)]
#[get("/api/providers")]
pub(super) async fn provider_list(_: Authed<ProvidersRead>, state: web::Data<State>) -> ApiResult<ProviderList> {
    let providers = state.store.provider_list().await?;
    let total = i64::try_from(providers.len()).unwrap_or(i64::MAX);
    Ok(web::Json(ProviderList { providers, total }))
}

/// Shows one provider. Secrets are redacted.
#[utoipa::path(
    operation_id = "provider_get",
    tag = "providers",
    security((), ("admin" = [])),
    params(("provider" = String, Path, description = "The provider's name.")),
    responses((status = 200, description = "The provider.", body = Provider), PathErrors, CommonErrors),
)]
#[get("/api/providers/{provider}")]
pub(super) async fn provider_get(
    _: Authed<ProvidersRead>,
    state: web::Data<State>,
    name: Path<ProviderName>,
) -> TaggedResult<Provider> {
    Ok(Tagged::new(state.store.provider_get(name.0).await?, |provider| provider))
}

/// Deletes a provider with its keys. Provider configs that name it stay and permit nothing.
#[utoipa::path(
    operation_id = "provider_delete",
    tag = "providers",
    security((), ("admin" = [])),
    params(("provider" = String, Path, description = "The provider's name.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/providers/{provider}")]
pub(super) async fn provider_delete(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    name: Path<ProviderName>,
) -> ApiResult<Done> {
    let change = caller.change("provider_delete");
    let deleted = edit(&state, async move |state| {
        state.store.provider_delete(change, name.0).await?;
        state.upstreams.reload(&state.store).await?;
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Provider deleted successfully".to_owned() }))
}

/// A reference to a variable that is not set is told at once, by name.
pub(super) fn check_environment(draft: &ProviderKeyDraft, at: &Pointer) -> Result<(), Invalid> {
    match &draft.key.value {
        SecretSource::Environment(name) if name.starts_with("KEYWARD_") || name == "DATABASE_URL" => {
            Err(Invalid::at(at.member("value"), format!("environment variable {name} is the server's own")))
        }
        SecretSource::Environment(name) if environment(name).is_none() => {
            Err(Invalid::at(at.member("value"), format!("environment variable {name} is not set on the server")))
        }
        SecretSource::Environment(_) | SecretSource::Literal(_) => Ok(()),
    }
}
