//! Requests about routing rules, and what they make of a rule.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Fallback, RoutingRule, RoutingScope, RoutingTarget, checks};
use crate::ids::{ModelName, ProviderName};
use crate::invalid::{Invalid, Pointer};
use crate::limits::Edit;
use crate::name::check_name;
use crate::patch::{Patch, null_as_absent};

/// Makes a routing rule. `name` and one target are required.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateRoutingRule {
    /// A name for people, unique within `scope` and `scope_id`.
    #[schema(required = true, min_length = 1, max_length = 256)]
    pub name: String,
    /// What the rule is for.
    #[serde(deserialize_with = "null_as_absent")]
    pub description: String,
    /// False: the rule is passed over. True unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// True: what it chose is evaluated again, by all rules.
    #[serde(deserialize_with = "null_as_absent")]
    pub chain_rule: bool,
    /// When the rule applies, in the Common Expression Language, in at most 1,024 bytes; empty: always.
    #[serde(deserialize_with = "null_as_absent")]
    #[schema(max_length = 1024)]
    pub cel_expression: String,
    /// Where requests go: one of these, drawn by weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<RoutingTarget>>,
    /// The provider of the only target, in place of `targets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// The model of the only target, in place of `targets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Where a request goes next when its target fails, in this order: `provider/model`, at most 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 5)]
    pub fallbacks: Option<Vec<Fallback>>,
    /// Whose requests the rule is about: `global` (unless given), `team`, `customer` or `virtual_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The virtual key, team or customer; required unless the scope is global.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_id: Option<String>,
    /// What a query builder made the expression from; kept as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub query: Option<Map<String, Value>>,
    /// Lower ones are evaluated first within a scope; 0 unless given.
    #[serde(deserialize_with = "null_as_absent")]
    pub priority: i32,
    /// How long to wait for the first byte of an answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub ttft_timeout_ms: Option<u32>,
}

/// Edits a routing rule: what is absent stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateRoutingRule {
    /// A name for people; an empty one is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 256)]
    pub name: Option<String>,
    /// What the rule is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// False: the rule is passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// True: what it chose is evaluated again, by all rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_rule: Option<bool>,
    /// When the rule applies; empty: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub cel_expression: Option<String>,
    /// Replaces all targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<RoutingTarget>>,
    /// The provider of the only target, in place of `targets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// The model of the only target, in place of `targets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Replaces all fallbacks; null or `[]` removes them.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<Fallback>>, max_items = 5)]
    pub fallbacks: Patch<Vec<Fallback>>,
    /// Whose requests the rule is about: `global`, `team`, `customer` or `virtual_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The virtual key, team or customer.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub scope_id: Patch<String>,
    /// What a query builder made the expression from; null removes it.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Object>)]
    pub query: Patch<Map<String, Value>>,
    /// Lower ones are evaluated first within a scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// How long to wait for the first byte of an answer, in milliseconds; null: the provider's timeout.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub ttft_timeout_ms: Patch<u32>,
}

impl CreateRoutingRule {
    /// Checks the request and makes the rule it asks for. The expression and what the rule refers to are not checked yet.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn build(self, edit: &mut Edit<'_>) -> Result<RoutingRule, Invalid> {
        check_name(&self.name, "name field is required")?;
        let targets = given_targets(self.targets, self.provider, self.model)?.unwrap_or_default();
        let targets = checks::targets(targets, "at least one target is required")?;
        let fallbacks = self.fallbacks.unwrap_or_default();
        checks::fallbacks(&fallbacks)?;
        let scope = self.scope.filter(|scope| !scope.is_empty());
        let scope = scope.as_deref().unwrap_or(RoutingScope::Global.as_str());
        let (scope, scope_id) = checks::scope(scope, self.scope_id)?;
        Ok(RoutingRule {
            id: (edit.mint)().into(),
            config_hash: String::new(),
            name: self.name,
            description: self.description,
            enabled: self.enabled.unwrap_or(true),
            chain_rule: self.chain_rule,
            cel_expression: self.cel_expression,
            targets,
            fallbacks,
            scope,
            scope_id,
            query: self.query,
            priority: self.priority,
            ttft_timeout_ms: patience(self.ttft_timeout_ms)?,
            last_error: None,
            created_at: edit.now,
            updated_at: edit.now,
        })
    }
}

impl UpdateRoutingRule {
    /// What the request makes of `existing`. The expression and what the rule refers to are not checked yet.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn apply(self, existing: &RoutingRule, edit: &mut Edit<'_>) -> Result<RoutingRule, Invalid> {
        let name = self.name.filter(|name| !name.is_empty()).unwrap_or_else(|| existing.name.clone());
        check_name(&name, "name field is required")?;
        let targets = match given_targets(self.targets, self.provider, self.model)? {
            Some(targets) => checks::targets(targets, "at least one routing target is required")?,
            None => existing.targets.clone(),
        };
        let fallbacks = self.fallbacks.or_keep(Some(existing.fallbacks.clone())).unwrap_or_default();
        checks::fallbacks(&fallbacks)?;
        let name_of_scope = self.scope.filter(|scope| !scope.is_empty());
        let moves = name_of_scope.as_deref().is_some_and(|scope| scope != existing.scope.as_str());
        // An id says nothing in another scope.
        let old_id = existing.scope_id.clone().filter(|_| !moves);
        let name_of_scope = name_of_scope.as_deref().unwrap_or(existing.scope.as_str());
        let (scope, scope_id) = checks::scope(name_of_scope, self.scope_id.or_keep(old_id))?;
        Ok(RoutingRule {
            id: existing.id.clone(),
            config_hash: existing.config_hash.clone(),
            name,
            description: self.description.unwrap_or_else(|| existing.description.clone()),
            enabled: self.enabled.unwrap_or(existing.enabled),
            chain_rule: self.chain_rule.unwrap_or(existing.chain_rule),
            cel_expression: self.cel_expression.unwrap_or_else(|| existing.cel_expression.clone()),
            targets,
            fallbacks,
            scope,
            scope_id,
            query: self.query.or_keep(existing.query.clone()),
            priority: self.priority.unwrap_or(existing.priority),
            ttft_timeout_ms: patience(self.ttft_timeout_ms.or_keep(existing.ttft_timeout_ms))?,
            last_error: None,
            created_at: existing.created_at,
            updated_at: edit.now,
        })
    }
}

/// The targets of a request: those of the list, or the one that older requests name by `provider` and `model`.
fn given_targets(
    targets: Option<Vec<RoutingTarget>>,
    provider: Option<ProviderName>,
    model: Option<ModelName>,
) -> Result<Option<Vec<RoutingTarget>>, Invalid> {
    let provider = provider.filter(|name| !name.as_str().is_empty());
    let model = model.filter(|name| !name.as_str().is_empty());
    match (targets, provider, model) {
        (targets, None, None) => Ok(targets),
        (None, provider, model) => Ok(Some(vec![RoutingTarget { provider, model, key_id: None, weight: 1.0 }])),
        (Some(_), provider, _) => {
            let at = Pointer::from(if provider.is_some() { "provider" } else { "model" });
            Err(Invalid::at(at, "give either targets or provider and model, not both"))
        }
    }
}

/// No answer comes within no time.
fn patience(milliseconds: Option<u32>) -> Result<Option<u32>, Invalid> {
    match milliseconds {
        Some(0) => Err(Invalid::at("ttft_timeout_ms".into(), "ttft_timeout_ms must be at least 1")),
        Some(1..) | None => Ok(milliseconds),
    }
}

#[cfg(test)]
mod tests;
