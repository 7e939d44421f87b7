//! Routing rules.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::RoutingRuleId;
use keyward_core::invalid::Invalid;
use keyward_core::list::Listed;
use keyward_core::routing_rule::{RoutingRule, RoutingRuleFilter, RoutingScope};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Backend, Conn, audit, folded, idempotency, reference, search};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::routing_rules;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = routing_rules, treat_none_as_null = true)]
struct RuleRow {
    id: String,
    name: String,
    description: String,
    enabled: bool,
    chain_rule: bool,
    cel_expression: String,
    targets: String,
    fallbacks: String,
    scope: String,
    scope_id: String,
    query: Option<String>,
    priority: i32,
    ttft_timeout_ms: Option<i64>,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl RuleRow {
    fn new(rule: &RoutingRule) -> Result<Self, StoreError> {
        Ok(Self {
            id: rule.id.to_string(),
            name: rule.name.clone(),
            description: rule.description.clone(),
            enabled: rule.enabled,
            chain_rule: rule.chain_rule,
            cel_expression: rule.cel_expression.clone(),
            targets: json(&rule.targets)?,
            fallbacks: json(&rule.fallbacks)?,
            scope: rule.scope.as_str().to_owned(),
            scope_id: rule.scope_id.clone().unwrap_or_default(),
            query: rule.query.as_ref().map(json).transpose()?,
            priority: rule.priority,
            ttft_timeout_ms: rule.ttft_timeout_ms.map(i64::from),
            config_hash: rule.config_hash.clone(),
            created_at: Instant(rule.created_at),
            updated_at: Instant(rule.updated_at),
        })
    }

    fn into_rule(self) -> Result<RoutingRule, StoreError> {
        let Self {
            id,
            name,
            description,
            enabled,
            chain_rule,
            cel_expression,
            targets,
            fallbacks,
            scope,
            scope_id,
            query,
            priority,
            ttft_timeout_ms,
            config_hash,
            created_at,
            updated_at,
        } = self;
        let ttft_timeout_ms = ttft_timeout_ms.map(u32::try_from).transpose();
        Ok(RoutingRule {
            id: id.into(),
            config_hash,
            name,
            description,
            enabled,
            chain_rule,
            cel_expression,
            targets: parsed("routing targets", &targets)?,
            fallbacks: parsed("fallbacks", &fallbacks)?,
            scope: RoutingScope::find(&scope).ok_or_else(|| StoreError::unreadable("a routing scope", &scope))?,
            scope_id: Some(scope_id).filter(|id| !id.is_empty()),
            query: query.map(|query| parsed("a rule's query", &query)).transpose()?,
            priority,
            ttft_timeout_ms: ttft_timeout_ms.map_err(|error| StoreError::unreadable("a timeout", error))?,
            last_error: None,
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::internal)
}

fn parsed<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::unreadable(what, error))
}

/// Stores a new rule.
pub(crate) fn create(c: &mut Conn, by: &Recorder, rule: &RoutingRule) -> Result<RoutingRule, StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return get(c, &id.into());
    }
    reference::check_routing(c, rule, None)?;
    diesel::insert_into(routing_rules::table).values(RuleRow::new(rule)?).execute(c)?;
    idempotency::remember(c, by, rule.id.as_str())?;
    let created = get(c, &rule.id)?;
    audit::created(c, by, ("routing_rule", created.id.as_str()), &created)?;
    Ok(created)
}

/// One rule.
pub(crate) fn get(c: &mut Conn, id: &RoutingRuleId) -> Result<RoutingRule, StoreError> {
    let row = routing_rules::table.find(id.as_str()).select(RuleRow::as_select()).first(c).optional()?;
    row.ok_or(StoreError::NotFound(Noun::RoutingRule))?.into_rule()
}

/// The rules that match, oldest first.
pub(crate) fn list(c: &mut Conn, filter: &RoutingRuleFilter) -> Result<Listed<RoutingRule>, StoreError> {
    let total = matching(filter).count().get_result(c)?;
    let order = (routing_rules::created_at, routing_rules::id);
    let query = matching(filter).order(order).limit(filter.page.limit).offset(filter.page.offset);
    let rows = query.select(RuleRow::as_select()).load(c)?;
    let entries = rows.into_iter().map(RuleRow::into_rule).collect::<Result<_, _>>()?;
    Ok(Listed { entries, total })
}

/// Edits a rule: `edit` sees it as it is, and nobody else changes it until the edit is stored.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &RoutingRuleId,
    edit: impl FnOnce(&RoutingRule, Timestamp) -> Result<RoutingRule, Invalid>,
) -> Result<RoutingRule, StoreError> {
    lock(c, id)?;
    let before = get(c, id)?;
    by.expects(&before)?;
    let rule = edit(&before, by.change.after(before.updated_at))?;
    reference::check_routing(c, &rule, Some(&before))?;
    diesel::update(routing_rules::table.find(id.as_str())).set(RuleRow::new(&rule)?).execute(c)?;
    let after = get(c, id)?;
    audit::edited(c, by, ("routing_rule", id.as_str()), &before, &after)?;
    Ok(after)
}

/// Removes a rule.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &RoutingRuleId) -> Result<(), StoreError> {
    lock(c, id)?;
    let before = get(c, id)?;
    by.expects(&before)?;
    diesel::delete(routing_rules::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("routing_rule", id.as_str()), &before)
}

/// Keeps others from changing the rule until the unit of work ends.
fn lock(c: &mut Conn, id: &RoutingRuleId) -> Result<(), StoreError> {
    let unchanged = routing_rules::updated_at.eq(routing_rules::updated_at);
    match diesel::update(routing_rules::table.find(id.as_str())).set(unchanged).execute(c)? {
        0 => Err(StoreError::NotFound(Noun::RoutingRule)),
        _ => Ok(()),
    }
}

fn matching(filter: &RoutingRuleFilter) -> routing_rules::BoxedQuery<'static, Backend> {
    let mut query = routing_rules::table.into_boxed();
    if let Some(text) = &filter.page.search {
        query = query.filter(folded(routing_rules::name).like(search::pattern(text)).escape('\\'));
    }
    if let Some(scope) = filter.scope {
        query = query.filter(routing_rules::scope.eq(scope.as_str()));
    }
    if let Some(id) = filter.scope_id.clone() {
        query = query.filter(routing_rules::scope_id.eq(id));
    }
    query
}
