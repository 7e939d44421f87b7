//! Usage: what attempts and refusals come to, and when budgets will be used up.

use actix_web::{get, web};
use keyward_core::usage::{ForecastList, ForecastQuery, UsageReport, UsageReportQuery};

use super::{CommonErrors, InputErrors};
use crate::auth::{Authed, UsageRead};
use crate::error::ApiResult;
use crate::params::Query;
use crate::state::State;
use crate::{clock, usage};

/// Reports usage. What attempts and refusals come to, as a whole, in groups, and period by period. Whole hours are counted, by when
/// attempts were settled. Sums are those of the ledger; percentiles are within 6.25 % of the true ones.
#[utoipa::path(
    operation_id = "usage_report",
    tag = "usage",
    security((), ("admin" = [])),
    params(UsageReportQuery),
    responses((status = 200, description = "What usage comes to.", body = UsageReport), InputErrors, CommonErrors),
)]
#[get("/api/governance/usage")]
pub(super) async fn usage_report(
    caller: Authed<UsageRead>,
    state: web::Data<State>,
    query: Query<UsageReportQuery>,
) -> ApiResult<UsageReport> {
    let request = query.0.check(clock::now())?;
    Ok(web::Json(usage::report(&state, &caller.store(&state), request).await?))
}

/// Forecasts budgets. When each will be used up if spending goes on as in the last hours, first those that are used up first. Of more
/// than 10,000 budgets, the oldest are looked at.
#[utoipa::path(
    operation_id = "usage_forecast",
    tag = "usage",
    security((), ("admin" = [])),
    params(ForecastQuery),
    responses((status = 200, description = "The forecasts.", body = ForecastList), InputErrors, CommonErrors),
)]
#[get("/api/governance/usage/forecast")]
pub(super) async fn usage_forecast(
    caller: Authed<UsageRead>,
    state: web::Data<State>,
    query: Query<ForecastQuery>,
) -> ApiResult<ForecastList> {
    let request = query.0.check()?;
    Ok(web::Json(usage::forecast(&state, &caller.store(&state), request, clock::now()).await?))
}
