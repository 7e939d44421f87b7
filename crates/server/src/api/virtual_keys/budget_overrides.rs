//! Overrides: the cap of one budget of a virtual key, raised for a time.

use std::sync::Arc;

use actix_web::{delete, put, web};
use jiff::Timestamp;
use keyward_core::budget::{Budget, BudgetOverridden, OverrideBudget};
use keyward_core::change::Change;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::{LimitId, VirtualKeyId};
use keyward_core::invalid::Invalid;
use keyward_core::meter::Raise;

use super::in_force;
use crate::api::{BodyErrors, CommonErrors, PathErrors};
use crate::auth::{Authed, VirtualKeysWrite};
use crate::body::Body;
use crate::error::{ApiError, ApiResult};
use crate::params::Path;
use crate::state::{State, edit};

/// Raises the cap of a budget for some windows, or until the override is removed. Replaces an earlier one.
#[utoipa::path(
    operation_id = "budget_override_set",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(
        ("vk_id" = String, Path, description = "The virtual key's id."),
        ("budget_id" = String, Path, description = "The id of a budget of the key or of one of its provider configs."),
    ),
    request_body = OverrideBudget,
    responses((status = 200, description = "The budget.", body = BudgetOverridden), BodyErrors, PathErrors, CommonErrors),
)]
#[put("/api/governance/virtual-keys/{vk_id}/budgets/{budget_id}/override")]
pub(crate) async fn budget_override_set(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    path: Path<(VirtualKeyId, LimitId)>,
    body: Body<OverrideBudget>,
) -> ApiResult<BudgetOverridden> {
    let change = caller.change("budget_override_set");
    let raise = move |budget: &Budget, now: Timestamp| body.request.raise(budget, now).map(Some);
    let overridden = edit(&state, async move |state| set(&state, change, path.0, raise).await);
    Ok(web::Json(overridden.await?))
}

/// Removes the override of a budget; without one, nothing happens. The budget's own cap holds from now on.
#[utoipa::path(
    operation_id = "budget_override_remove",
    tag = "virtual keys",
    security((), ("admin" = [])),
    params(
        ("vk_id" = String, Path, description = "The virtual key's id."),
        ("budget_id" = String, Path, description = "The id of a budget of the key or of one of its provider configs."),
    ),
    responses((status = 200, description = "The budget.", body = BudgetOverridden), PathErrors, CommonErrors),
)]
#[delete("/api/governance/virtual-keys/{vk_id}/budgets/{budget_id}/override")]
pub(crate) async fn budget_override_remove(
    caller: Authed<VirtualKeysWrite>,
    state: web::Data<State>,
    path: Path<(VirtualKeyId, LimitId)>,
) -> ApiResult<BudgetOverridden> {
    let change = caller.change("budget_override_remove");
    let overridden = edit(&state, async move |state| set(&state, change, path.0, |_, _| Ok(None)).await);
    Ok(web::Json(overridden.await?))
}

async fn set(
    state: &Arc<State>,
    change: Change,
    (id, budget): (VirtualKeyId, LimitId),
    raise: impl FnOnce(&Budget, Timestamp) -> Result<Option<Raise>, Invalid> + Send + 'static,
) -> Result<BudgetOverridden, ApiError> {
    let key = in_force(state, state.store.budget_override_set(change, id, budget.clone(), raise).await?);
    let found = key.all_budgets().find(|own| own.id == budget).cloned();
    let gone = || ApiError::new(ErrorCode::NotFound, "Budget not found");
    Ok(BudgetOverridden::of(found.ok_or_else(gone)?))
}
