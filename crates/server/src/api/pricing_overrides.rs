//! Pricing overrides.

use actix_web::{delete, get, patch, post, put, web};
use keyward_core::change::Change;
use keyward_core::ids::PricingOverrideId;
use keyward_core::list::{Done, PricingOverrideChanged, PricingOverrideDetail, PricingOverrideList};
use keyward_core::pricing_override::{
    CreatePricingOverride, PricingOverride, PricingOverrideQuery, UpdatePricingOverride,
};

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, PricingRead, PricingWrite};
use crate::body::Body;
use crate::error::ApiResult;
use crate::kept::Kept;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a pricing override: prices in place of the catalogue's. It holds for requests from now on. Of several that fit, the
/// narrower is laid over the wider.
#[utoipa::path(
    operation_id = "pricing_override_create",
    tag = "pricing overrides",
    security((), ("admin" = [])),
    request_body = CreatePricingOverride,
    responses(
        (status = 201, description = "The pricing override.", body = PricingOverrideChanged),
        BodyErrors,
        CommonErrors,
    ),
)]
#[post("/api/governance/pricing-overrides")]
pub(super) async fn pricing_override_create(
    caller: Authed<PricingWrite>,
    state: web::Data<State>,
    body: Body<CreatePricingOverride>,
) -> TaggedResult<PricingOverrideChanged> {
    let change = caller.creation("pricing_override_create", &body);
    let entry = editing(change.at, |edit| body.request.build(edit))?;
    let entry = edit(&state, async move |state| {
        let created = state.store.pricing_override_create(change, entry).await?;
        state.reload(Kept::Prices).await?;
        Ok(created)
    });
    let message = "Pricing override created successfully".to_owned();
    let body = |pricing_override| PricingOverrideChanged { message, pricing_override };
    Ok(Tagged::new(entry.await?, body).created())
}

/// Lists pricing overrides, oldest first. Each says what it is for: a scope, a pattern of models, kinds of requests.
#[utoipa::path(
    operation_id = "pricing_override_list",
    tag = "pricing overrides",
    security((), ("admin" = [])),
    params(PricingOverrideQuery),
    responses(
        (status = 200, description = "The pricing overrides.", body = PricingOverrideList),
        InputErrors,
        CommonErrors,
    ),
)]
#[get("/api/governance/pricing-overrides")]
pub(super) async fn pricing_override_list(
    _: Authed<PricingRead>,
    state: web::Data<State>,
    query: Query<PricingOverrideQuery>,
) -> ApiResult<PricingOverrideList> {
    let filter = query.0.check()?;
    let listed = state.store.pricing_override_list(filter.clone()).await?;
    Ok(web::Json(PricingOverrideList::new(listed, &filter.page)))
}

/// Shows one pricing override. With the prices that it has; those that it has not are the catalogue's.
#[utoipa::path(
    operation_id = "pricing_override_get",
    tag = "pricing overrides",
    security((), ("admin" = [])),
    params(("override_id" = String, Path, description = "The pricing override's id.")),
    responses(
        (status = 200, description = "The pricing override.", body = PricingOverrideDetail),
        PathErrors,
        CommonErrors,
    ),
)]
#[get("/api/governance/pricing-overrides/{override_id}")]
pub(super) async fn pricing_override_get(
    _: Authed<PricingRead>,
    state: web::Data<State>,
    id: Path<PricingOverrideId>,
) -> TaggedResult<PricingOverrideDetail> {
    let entry = state.store.pricing_override_get(id.0).await?;
    Ok(Tagged::new(entry, |pricing_override| PricingOverrideDetail { pricing_override }))
}

/// Edits a pricing override: what is absent stays, null clears an id, `patch` is replaced as a whole. It holds for requests from
/// now on; what was charged stays as it is.
#[utoipa::path(
    operation_id = "pricing_override_update",
    tag = "pricing overrides",
    security((), ("admin" = [])),
    params(("override_id" = String, Path, description = "The pricing override's id.")),
    request_body = UpdatePricingOverride,
    responses(
        (status = 200, description = "The pricing override.", body = PricingOverrideChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/governance/pricing-overrides/{override_id}")]
pub(super) async fn pricing_override_update(
    caller: Authed<PricingWrite>,
    state: web::Data<State>,
    id: Path<PricingOverrideId>,
    body: Body<UpdatePricingOverride>,
) -> TaggedResult<PricingOverrideChanged> {
    update(&state, caller.change("pricing_override_update"), id.0, body.request).await
}

/// Edits a pricing override, just as `PUT` does. What is absent stays, null clears an id, `patch` is replaced as a whole.
#[utoipa::path(
    operation_id = "pricing_override_patch",
    tag = "pricing overrides",
    security((), ("admin" = [])),
    params(("override_id" = String, Path, description = "The pricing override's id.")),
    request_body = UpdatePricingOverride,
    responses(
        (status = 200, description = "The pricing override.", body = PricingOverrideChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[patch("/api/governance/pricing-overrides/{override_id}")]
pub(super) async fn pricing_override_patch(
    caller: Authed<PricingWrite>,
    state: web::Data<State>,
    id: Path<PricingOverrideId>,
    body: Body<UpdatePricingOverride>,
) -> TaggedResult<PricingOverrideChanged> {
    update(&state, caller.change("pricing_override_patch"), id.0, body.request).await
}

/// Deletes a pricing override: the catalogue's prices hold again, or those of the next override. What was charged stays as it is.
#[utoipa::path(
    operation_id = "pricing_override_delete",
    tag = "pricing overrides",
    security((), ("admin" = [])),
    params(("override_id" = String, Path, description = "The pricing override's id.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/governance/pricing-overrides/{override_id}")]
pub(super) async fn pricing_override_delete(
    caller: Authed<PricingWrite>,
    state: web::Data<State>,
    id: Path<PricingOverrideId>,
) -> ApiResult<Done> {
    let change = caller.change("pricing_override_delete");
    let deleted = edit(&state, async move |state| {
        state.store.pricing_override_delete(change, id.0).await?;
        state.reload(Kept::Prices).await
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Pricing override deleted successfully".to_owned() }))
}

async fn update(
    state: &web::Data<State>,
    change: Change,
    id: PricingOverrideId,
    request: UpdatePricingOverride,
) -> TaggedResult<PricingOverrideChanged> {
    let entry = edit(state, async move |state| {
        let change_to = move |existing: &PricingOverride, at| editing(at, |edit| request.apply(existing, edit));
        let updated = state.store.pricing_override_update(change, id, change_to).await?;
        state.reload(Kept::Prices).await?;
        Ok(updated)
    });
    let message = "Pricing override updated successfully".to_owned();
    Ok(Tagged::new(entry.await?, |pricing_override| PricingOverrideChanged { message, pricing_override }))
}
