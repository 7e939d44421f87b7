//! Model configs.

use actix_web::{delete, get, post, put, web};
use keyward_core::ids::ModelConfigId;
use keyward_core::list::{Done, Listed, ModelConfigChanged, ModelConfigDetail, ModelConfigList};
use keyward_core::model_config::{CreateModelConfig, ModelConfig, ModelConfigQuery, ScopedKey, UpdateModelConfig};

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, ModelConfigsRead, ModelConfigsWrite};
use crate::body::Body;
use crate::clock;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a model config: limits of one model or of every model. At one provider or at any, for everybody or for one virtual key.
/// They hold besides those of virtual keys and their owners.
#[utoipa::path(
    operation_id = "model_config_create",
    tag = "model configs",
    security((), ("admin" = [])),
    request_body = CreateModelConfig,
    responses((status = 200, description = "The model config.", body = ModelConfigChanged), BodyErrors, CommonErrors),
)]
#[post("/api/governance/model-configs")]
pub(super) async fn model_config_create(
    caller: Authed<ModelConfigsWrite>,
    state: web::Data<State>,
    body: Body<CreateModelConfig>,
) -> TaggedResult<ModelConfigChanged> {
    let change = caller.creation("model_config_create", &body);
    let (at, key) = (change.at, body.request.virtual_key()?);
    let config = edit(&state, async move |state| {
        let build = move |key: Option<&ScopedKey>| editing(at, |edit| body.request.build(key, edit));
        let created = state.store.model_config_create(change, key, build).await?;
        Ok(in_force(&state, created))
    });
    changed("Model config created successfully", config.await?)
}

/// Lists model configs, oldest first. Those that are the limits of a provider are among them.
#[utoipa::path(
    operation_id = "model_config_list",
    tag = "model configs",
    security((), ("admin" = [])),
    params(ModelConfigQuery),
    responses((status = 200, description = "The model configs.", body = ModelConfigList), InputErrors, CommonErrors),
)]
#[get("/api/governance/model-configs")]
pub(super) async fn model_config_list(
    _: Authed<ModelConfigsRead>,
    state: web::Data<State>,
    query: Query<ModelConfigQuery>,
) -> ApiResult<ModelConfigList> {
    let filter = query.0.check()?;
    let listed = state.store.model_config_list(filter.clone()).await?;
    let entries = listed.entries.into_iter().map(|config| observed(&state, config)).collect();
    Ok(web::Json(ModelConfigList::new(Listed { entries, total: listed.total }, &filter.page)))
}

/// Shows one model config. With its limits and what is used of them now.
#[utoipa::path(
    operation_id = "model_config_get",
    tag = "model configs",
    security((), ("admin" = [])),
    params(("mc_id" = String, Path, description = "The model config's id.")),
    responses((status = 200, description = "The model config.", body = ModelConfigDetail), PathErrors, CommonErrors),
)]
#[get("/api/governance/model-configs/{mc_id}")]
pub(super) async fn model_config_get(
    _: Authed<ModelConfigsRead>,
    state: web::Data<State>,
    id: Path<ModelConfigId>,
) -> TaggedResult<ModelConfigDetail> {
    let config = state.store.model_config_get(id.0).await?;
    Ok(Tagged::new(observed(&state, config), |model_config| ModelConfigDetail { model_config }))
}

/// Edits a model config: what is absent stays, null clears. Usage is never changed.
#[utoipa::path(
    operation_id = "model_config_update",
    tag = "model configs",
    security((), ("admin" = [])),
    params(("mc_id" = String, Path, description = "The model config's id.")),
    request_body = UpdateModelConfig,
    responses(
        (status = 200, description = "The model config.", body = ModelConfigChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/governance/model-configs/{mc_id}")]
pub(super) async fn model_config_update(
    caller: Authed<ModelConfigsWrite>,
    state: web::Data<State>,
    id: Path<ModelConfigId>,
    body: Body<UpdateModelConfig>,
) -> TaggedResult<ModelConfigChanged> {
    let change = caller.change("model_config_update");
    let config = edit(&state, async move |state| {
        // What is settled counts in the windows of before.
        state.settled().await?;
        let change_to = move |existing: &ModelConfig, at| editing(at, |edit| body.request.apply(existing, edit));
        let updated = state.store.model_config_update(change, id.0, change_to).await?;
        Ok(in_force(&state, updated))
    });
    changed("Model config updated successfully", config.await?)
}

/// Deletes a model config: its limits hold no more. What was charged stays in the ledger.
#[utoipa::path(
    operation_id = "model_config_delete",
    tag = "model configs",
    security((), ("admin" = [])),
    params(("mc_id" = String, Path, description = "The model config's id.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/governance/model-configs/{mc_id}")]
pub(super) async fn model_config_delete(
    caller: Authed<ModelConfigsWrite>,
    state: web::Data<State>,
    id: Path<ModelConfigId>,
) -> ApiResult<Done> {
    let change = caller.change("model_config_delete");
    let deleted = edit(&state, async move |state| {
        state.store.model_config_delete(change, id.0.clone()).await?;
        state.engine.remove_model_config(&id.0);
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Model config deleted successfully".to_owned() }))
}

/// Tells the engine, as of the same instant as the database, and reads the meters.
pub(super) fn in_force(state: &State, config: ModelConfig) -> ModelConfig {
    state.engine.put_model_config(&config, config.updated_at);
    observed(state, config)
}

pub(super) fn observed(state: &State, config: ModelConfig) -> ModelConfig {
    config.observed(&state.read(), clock::now())
}

fn changed(message: &str, config: ModelConfig) -> TaggedResult<ModelConfigChanged> {
    let message = message.to_owned();
    Ok(Tagged::new(config, |model_config| ModelConfigChanged { message, model_config }))
}
