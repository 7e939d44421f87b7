//! Routing rules, at their own paths and at those of earlier generations of the API.

use actix_web::{routes, web};
use keyward_core::ids::RoutingRuleId;
use keyward_core::list::{Done, Listed, RoutingRuleChanged, RoutingRuleDetail, RoutingRuleList};
use keyward_core::routing_rule::{CreateRoutingRule, RoutingRule, RoutingRuleQuery, UpdateRoutingRule};

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, RoutingRulesRead, RoutingRulesWrite};
use crate::body::Body;
use crate::error::ApiResult;
use crate::gateway::routing::Expression;
use crate::kept::Kept;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a routing rule. It is in force from now on.
#[utoipa::path(
    operation_id = "routing_rule_create",
    tag = "routing rules",
    security((), ("admin" = [])),
    request_body = CreateRoutingRule,
    responses((status = 200, description = "The rule.", body = RoutingRuleChanged), BodyErrors, CommonErrors),
)]
#[routes]
#[post("/api/routing/rules")]
#[post("/api/governance/routing-rules")]
pub(super) async fn routing_rule_create(
    caller: Authed<RoutingRulesWrite>,
    state: web::Data<State>,
    body: Body<CreateRoutingRule>,
) -> TaggedResult<RoutingRuleChanged> {
    let change = caller.creation("routing_rule_create", &body);
    let rule = editing(change.at, |edit| body.request.build(edit))?;
    Expression::check(rule.cel_expression.clone()).await?;
    let rule = edit(&state, async move |state| {
        let rule = state.store.routing_rule_create(change, rule).await?;
        state.reload(Kept::RoutingRules).await?;
        Ok(rule)
    });
    changed("Routing rule created successfully", rule.await?)
}

/// Lists routing rules, oldest first. With `scope` or `scope_id` the answer is not paged.
#[utoipa::path(
    operation_id = "routing_rule_list",
    tag = "routing rules",
    security((), ("admin" = [])),
    params(RoutingRuleQuery),
    responses((status = 200, description = "The rules.", body = RoutingRuleList), InputErrors, CommonErrors),
)]
#[routes]
#[get("/api/routing/rules")]
#[get("/api/governance/routing-rules")]
pub(super) async fn routing_rule_list(
    _: Authed<RoutingRulesRead>,
    state: web::Data<State>,
    query: Query<RoutingRuleQuery>,
) -> ApiResult<RoutingRuleList> {
    let filter = query.0.check()?;
    let page = filter.page.clone();
    let listed = state.store.routing_rule_list(filter).await?;
    let entries = listed.entries.into_iter().map(|rule| state.routing_rules.observed(rule)).collect();
    Ok(web::Json(RoutingRuleList::new(Listed { entries, total: listed.total }, &page)))
}

/// Shows one routing rule. With its expression, its targets and its fallbacks.
#[utoipa::path(
    operation_id = "routing_rule_get",
    tag = "routing rules",
    security((), ("admin" = [])),
    params(("rule_id" = String, Path, description = "The rule's id.")),
    responses((status = 200, description = "The rule.", body = RoutingRuleDetail), PathErrors, CommonErrors),
)]
#[routes]
#[get("/api/routing/rules/{rule_id}")]
#[get("/api/governance/routing-rules/{rule_id}")]
pub(super) async fn routing_rule_get(
    _: Authed<RoutingRulesRead>,
    state: web::Data<State>,
    id: Path<RoutingRuleId>,
) -> TaggedResult<RoutingRuleDetail> {
    let rule = state.store.routing_rule_get(id.0).await?;
    Ok(Tagged::new(state.routing_rules.observed(rule), |rule| RoutingRuleDetail { rule }))
}

/// Edits a routing rule: what is absent stays. The edit is in force from now on.
#[utoipa::path(
    operation_id = "routing_rule_update",
    tag = "routing rules",
    security((), ("admin" = [])),
    params(("rule_id" = String, Path, description = "The rule's id.")),
    request_body = UpdateRoutingRule,
    responses(
        (status = 200, description = "The rule.", body = RoutingRuleChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[routes]
#[put("/api/routing/rules/{rule_id}")]
#[put("/api/governance/routing-rules/{rule_id}")]
pub(super) async fn routing_rule_update(
    caller: Authed<RoutingRulesWrite>,
    state: web::Data<State>,
    id: Path<RoutingRuleId>,
    body: Body<UpdateRoutingRule>,
) -> TaggedResult<RoutingRuleChanged> {
    let change = caller.change("routing_rule_update");
    Expression::check(body.request.cel_expression.clone().unwrap_or_default()).await?;
    let rule = edit(&state, async move |state| {
        let apply = move |existing: &RoutingRule, at| editing(at, |edit| body.request.apply(existing, edit));
        let rule = state.store.routing_rule_update(change, id.0, apply).await?;
        state.reload(Kept::RoutingRules).await?;
        Ok(rule)
    });
    changed("Routing rule updated successfully", rule.await?)
}

/// Deletes a routing rule: it decides nothing from now on. Requests that have been routed already are not touched.
#[utoipa::path(
    operation_id = "routing_rule_delete",
    tag = "routing rules",
    security((), ("admin" = [])),
    params(("rule_id" = String, Path, description = "The rule's id.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[routes]
#[delete("/api/routing/rules/{rule_id}")]
#[delete("/api/governance/routing-rules/{rule_id}")]
pub(super) async fn routing_rule_delete(
    caller: Authed<RoutingRulesWrite>,
    state: web::Data<State>,
    id: Path<RoutingRuleId>,
) -> ApiResult<Done> {
    let change = caller.change("routing_rule_delete");
    let deleted = edit(&state, async move |state| {
        state.store.routing_rule_delete(change, id.0).await?;
        state.reload(Kept::RoutingRules).await
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Routing rule deleted successfully".to_owned() }))
}

fn changed(message: &str, rule: RoutingRule) -> TaggedResult<RoutingRuleChanged> {
    let message = message.to_owned();
    Ok(Tagged::new(rule, |rule| RoutingRuleChanged { message, rule }))
}
