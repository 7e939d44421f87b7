//! Providers.

use actix_web::{delete, get, post, put, web};
use keyward_core::ids::ProviderName;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::list::{Done, ProviderList};
use keyward_core::provider::{CreateProvider, Provider, ProviderDraft, UpdateProvider};
use uuid::Uuid;

use super::{BodyErrors, CommonErrors, PathErrors};
use crate::auth::{Authed, ProvidersRead, ProvidersWrite};
use crate::body::Body;
use crate::config::environment;
use crate::error::ApiResult;
use crate::kept::Kept;
use crate::params::Path;
use crate::state::{State, edit};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a provider known to the gateway, with real credentials if the request has some. Well-known providers have an address;
/// others need `network_config.base_url`.
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
    check_variables(&state, body.request.variables())?;
    let draft = permitted(&state, body.request.check(&mut Uuid::new_v4)?)?;
    let provider = edit(&state, async move |state| {
        let provider = state.store.provider_create(change, draft).await?;
        state.reload(Kept::Upstreams).await?;
        Ok(state.upstreams.observed(provider))
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
    let providers = state.store.provider_list().await?.into_iter();
    let providers: Vec<Provider> = providers.map(|provider| state.upstreams.observed(provider)).collect();
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
    let provider = state.store.provider_get(name.0).await?;
    Ok(Tagged::new(state.upstreams.observed(provider), |provider| provider))
}

/// Edits a provider: what is absent stays, null clears. With `keys` it gets exactly these, each edited in the same way.
#[utoipa::path(
    operation_id = "provider_update",
    tag = "providers",
    security((), ("admin" = [])),
    params(("provider" = String, Path, description = "The provider's name.")),
    request_body = UpdateProvider,
    responses((status = 200, description = "The provider.", body = Provider), BodyErrors, PathErrors, CommonErrors),
)]
#[put("/api/providers/{provider}")]
pub(super) async fn provider_update(
    caller: Authed<ProvidersWrite>,
    state: web::Data<State>,
    name: Path<ProviderName>,
    body: Body<UpdateProvider>,
) -> TaggedResult<Provider> {
    check_variables(&state, body.request.variables())?;
    let provider = edit(&state, async move |state| {
        let (change, current) = (caller.change("provider_update"), state.clone());
        let draft = move |existing: &Provider| permitted(&current, body.request.apply(existing, &mut Uuid::new_v4)?);
        let provider = state.store.provider_update(change, name.0, draft).await?;
        state.reload(Kept::Upstreams).await?;
        Ok(state.upstreams.observed(provider))
    });
    Ok(Tagged::new(provider.await?, |provider| provider))
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
        state.reload(Kept::Upstreams).await?;
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Provider deleted successfully".to_owned() }))
}

/// The provider must be where the configuration lets one be.
fn permitted(state: &State, draft: ProviderDraft) -> Result<ProviderDraft, Invalid> {
    if state.upstreams.permits(&draft.network.config) {
        return Ok(draft);
    }
    let at = Pointer::from("network_config").member("base_url");
    Err(Invalid::at(at, "base_url must not be a private address: block_private_upstreams is on"))
}

/// Whether a variable is the server's own configuration, which no provider gets.
pub(crate) fn is_servers_own(variable: &str) -> bool {
    variable.starts_with("KEYWARD_") || variable == "DATABASE_URL"
}

/// Makes sure that each variable may be referred to, and is set.
pub(super) fn check_variables(state: &State, references: Vec<(Pointer, String)>) -> Result<(), Invalid> {
    for (at, name) in references {
        if state.access.has_password_in(&name) {
            return Err(Invalid::at(at, format!("environment variable {name} is the server's own")));
        }
        check_variable(at, &name)?;
    }
    Ok(())
}

/// A reference to a variable that is not set is told at once, by name.
pub(crate) fn check_variable(at: Pointer, name: &str) -> Result<(), Invalid> {
    // One without a name is no reference yet; the request's own check says so.
    if name.is_empty() {
        return Ok(());
    }
    if is_servers_own(name) {
        return Err(Invalid::at(at, format!("environment variable {name} is the server's own")));
    }
    match environment(name) {
        Some(_) => Ok(()),
        None => Err(Invalid::at(at, format!("environment variable {name} is not set on the server"))),
    }
}
