//! Provider governance: the limits of a provider in the whole deployment.

use actix_web::{delete, get, put, web};
use keyward_core::ids::ProviderName;
use keyward_core::list::{Done, ProviderGovernanceChanged, ProviderGovernanceList, UsageQuery};
use keyward_core::model_config::ModelConfig;
use keyward_core::provider_governance::{ProviderGovernance, UpdateProviderGovernance};

use super::model_configs::{in_force, observed};
use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, ModelConfigsRead, ModelConfigsWrite};
use crate::body::Body;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Lists the providers that have limits of their own, by name. Each with its limits and what is used of them now.
#[utoipa::path(
    operation_id = "provider_governance_list",
    tag = "provider governance",
    security((), ("admin" = [])),
    params(UsageQuery),
    responses((status = 200, description = "The providers.", body = ProviderGovernanceList), InputErrors, CommonErrors),
)]
#[get("/api/governance/providers")]
pub(super) async fn provider_governance_list(
    _: Authed<ModelConfigsRead>,
    state: web::Data<State>,
    _: Query<UsageQuery>,
) -> ApiResult<ProviderGovernanceList> {
    let configs = state.store.provider_governance_list().await?.into_iter();
    let providers: Vec<_> = configs.filter_map(|config| shown(observed(&state, config))).collect();
    let count = i64::try_from(providers.len()).unwrap_or(i64::MAX);
    Ok(web::Json(ProviderGovernanceList { providers, count }))
}

/// Sets the limits of a provider: what is absent stays, null clears. Usage is never changed.
#[utoipa::path(
    operation_id = "provider_governance_update",
    tag = "provider governance",
    security((), ("admin" = [])),
    params(("provider_name" = String, Path, description = "The provider's name.")),
    request_body = UpdateProviderGovernance,
    responses(
        (status = 200, description = "The provider with its limits.", body = ProviderGovernanceChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/governance/providers/{provider_name}")]
pub(super) async fn provider_governance_update(
    caller: Authed<ModelConfigsWrite>,
    state: web::Data<State>,
    provider: Path<ProviderName>,
    body: Body<UpdateProviderGovernance>,
) -> TaggedResult<ProviderGovernanceChanged> {
    let change = caller.change("provider_governance_update");
    let name = provider.0.clone();
    let config = edit(&state, async move |state| {
        // What is settled counts in the windows of before.
        state.settled().await?;
        let named = provider.0.clone();
        let limits =
            move |existing: Option<&ModelConfig>, at| editing(at, |edit| body.request.apply(&named, existing, edit));
        let updated = state.store.provider_governance_update(change, provider.0, limits).await?;
        Ok(in_force(&state, updated))
    });
    let message = "Provider governance updated successfully".to_owned();
    let provider = |config| ProviderGovernanceChanged { message, provider: ProviderGovernance::of(name, config) };
    Ok(Tagged::new(config.await?, provider))
}

/// Removes the limits of a provider, if it has some. The provider itself stays as it is.
#[utoipa::path(
    operation_id = "provider_governance_delete",
    tag = "provider governance",
    security((), ("admin" = [])),
    params(("provider_name" = String, Path, description = "The provider's name.")),
    responses((status = 200, description = "It has no limits of its own.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/governance/providers/{provider_name}")]
pub(super) async fn provider_governance_delete(
    caller: Authed<ModelConfigsWrite>,
    state: web::Data<State>,
    provider: Path<ProviderName>,
) -> ApiResult<Done> {
    let change = caller.change("provider_governance_delete");
    let deleted = edit(&state, async move |state| {
        let removed = state.store.provider_governance_delete(change, provider.0).await?;
        removed.iter().for_each(|id| state.engine.remove_model_config(id));
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Provider governance deleted successfully".to_owned() }))
}

fn shown(config: ModelConfig) -> Option<ProviderGovernance> {
    config.provider.clone().map(|provider| ProviderGovernance::of(provider, config))
}
