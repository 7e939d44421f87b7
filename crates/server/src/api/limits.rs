//! Budgets and rate limits of all owners, read-only: they are written through their owners.

use actix_web::{get, web};
use keyward_core::list::{BudgetList, PageQuery, RateLimitList};

use super::{CommonErrors, InputErrors};
use crate::auth::{Authed, LimitsRead};
use crate::clock;
use crate::error::ApiResult;
use crate::params::Query;
use crate::state::State;

/// Lists the budgets of all owners, oldest first. Each shows what is used in its window now. Budgets are written through their
/// owners.
#[utoipa::path(
    operation_id = "budget_list",
    tag = "budgets and rate limits",
    security((), ("admin" = [])),
    params(PageQuery),
    responses((status = 200, description = "The budgets.", body = BudgetList), InputErrors, CommonErrors),
)]
#[get("/api/governance/budgets")]
pub(super) async fn budget_list(
    _: Authed<LimitsRead>,
    state: web::Data<State>,
    query: Query<PageQuery>,
) -> ApiResult<BudgetList> {
    let listed = state.store.budget_list(query.0.check()?).await?;
    let mut budgets = listed.entries;
    for budget in &mut budgets {
        let count = state.engine.count(&budget.meter_id());
        budget.observe(count, clock::now());
    }
    let count = i64::try_from(budgets.len()).unwrap_or(i64::MAX);
    Ok(web::Json(BudgetList { budgets, count, total_count: listed.total }))
}

/// Lists the rate limits of all owners, oldest first. Each shows what is used in its windows now. Rate limits are written through
/// their owners.
#[utoipa::path(
    operation_id = "rate_limit_list",
    tag = "budgets and rate limits",
    security((), ("admin" = [])),
    params(PageQuery),
    responses((status = 200, description = "The rate limits.", body = RateLimitList), InputErrors, CommonErrors),
)]
#[get("/api/governance/rate-limits")]
pub(super) async fn rate_limit_list(
    _: Authed<LimitsRead>,
    state: web::Data<State>,
    query: Query<PageQuery>,
) -> ApiResult<RateLimitList> {
    let listed = state.store.rate_limit_list(query.0.check()?).await?;
    let mut rate_limits = listed.entries;
    rate_limits.iter_mut().for_each(|limit| limit.observe(&state.read(), clock::now()));
    let count = i64::try_from(rate_limits.len()).unwrap_or(i64::MAX);
    Ok(web::Json(RateLimitList { rate_limits, count, total_count: listed.total }))
}
