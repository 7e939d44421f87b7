//! Provider configs: what one virtual key may do at one provider.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::allow_list::AllowList;
use crate::budget::{Budget, BudgetInput};
use crate::ids::{LimitId, ProviderKeyId, ProviderName, VirtualKeyId};
use crate::limits::Limits;
use crate::meter::{Count, MeterId};
use crate::model_budget::{ModelBudget, ModelBudgetInput};
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput};
use crate::scope::{Scope, ScopeKind};

mod attached_key;
mod draft;

pub use attached_key::{
    AttachedKey, VirtualKeyAzureConfig, VirtualKeyBedrockConfig, VirtualKeyProviderKey, VirtualKeyVertexConfig,
};
pub use draft::{KeyAccess, ProviderConfigDraft};

/// What one virtual key may do at one provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderConfig {
    /// Identifies the provider config.
    pub id: i64,
    /// The virtual key that it belongs to.
    pub virtual_key_id: VirtualKeyId,
    /// The provider.
    pub provider: ProviderName,
    /// The share of requests that name no provider; null: only requests that name this one.
    #[schema(required = true)]
    pub weight: Option<f64>,
    /// The models that may be used: `["*"]` is every model, `[]` is none.
    pub allowed_models: AllowList,
    /// The models that may not be used, whatever `allowed_models` says.
    pub blacklisted_models: AllowList,
    /// True: every key of the provider may serve; false: those in `keys`.
    pub allow_all_keys: bool,
    /// The id of `budget`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub budget_id: Option<LimitId>,
    /// The budget with the shortest window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub budget: Option<Budget>,
    /// All budgets, shortest window first.
    pub budgets: Vec<Budget>,
    /// The id of `rate_limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rate_limit_id: Option<LimitId>,
    /// Caps on tokens and requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rate_limit: Option<RateLimit>,
    /// The provider keys that may serve, when not all may.
    pub keys: Vec<AttachedKey>,
    /// Limits of single models, by model; left out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_budgets: Vec<ModelBudget>,
}

impl ProviderConfig {
    /// The provider config's own limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { budgets: self.budgets.clone(), rate_limit: self.rate_limit.clone() }
    }

    /// Sets the provider config's own limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.budgets = limits.budgets;
        self.rate_limit = limits.rate_limit;
    }

    /// What its own limits cover, as refusals name it.
    #[must_use]
    pub fn limit_scope(&self) -> Scope {
        Scope { kind: ScopeKind::ProviderConfig, id: self.id.to_string().into() }
    }

    /// The limits of the provider config and of its single models, with what each covers.
    pub fn all_limits(&self) -> impl Iterator<Item = (Scope, Limits)> {
        let own = (self.limit_scope(), self.limits());
        let models = self.model_budgets.iter().map(|budget| (budget.limit_scope(), budget.limits()));
        std::iter::once(own).chain(models)
    }

    /// Shows what the meters read at `now`, those of single models included.
    #[must_use]
    pub(crate) fn observed(mut self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) -> Self {
        self.set_limits(self.limits().observed(read, now));
        let models = self.model_budgets.into_iter().map(|budget| {
            let limits = budget.limits().observed(read, now);
            budget.with_limits(limits)
        });
        self.model_budgets = models.collect();
        self
    }

    /// Every budget of the provider config, those of single models included.
    pub fn all_budgets(&self) -> impl Iterator<Item = &Budget> {
        self.budgets.iter().chain(self.model_budgets.iter().flat_map(|model| &model.budgets))
    }

    /// Which keys of the provider may serve.
    #[must_use]
    pub fn key_access(&self) -> KeyAccess {
        if self.allow_all_keys {
            KeyAccess::All
        } else {
            KeyAccess::Only(self.keys.iter().map(|key| key.key_id.clone()).collect())
        }
    }

    pub(crate) fn with_views(mut self) -> Self {
        self.budget = self.budgets.first().cloned();
        self.budget_id = self.budget.as_ref().map(|budget| budget.id.clone());
        self.rate_limit_id = self.rate_limit.as_ref().map(|rate_limit| rate_limit.id.clone());
        self
    }
}

/// A provider config as requests give it. In a new one, what is absent is unrestricted. One with the `id` or the provider of
/// an existing one edits that: what is absent stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderConfigInput {
    /// The existing provider config that is meant, on update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// The provider; it must be configured. Required in a new provider config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// The share of requests that name no provider; 1 unless given, null: never picked by weight.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<f64>, minimum = 0)]
    pub weight: Patch<f64>,
    /// The models that may be used: `["*"]` is every model, `[]` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<AllowList>,
    /// The models that may not be used, whatever `allowed_models` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blacklisted_models: Option<AllowList>,
    /// The provider keys that may serve: absent or `["*"]` is every key, `[]` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ids: Option<Vec<ProviderKeyId>>,
    /// One budget; excludes `budgets`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BudgetInput>)]
    pub budget: Patch<BudgetInput>,
    /// Budgets with different durations; excludes `budget`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<BudgetInput>>)]
    pub budgets: Patch<Vec<BudgetInput>>,
    /// Caps on tokens and requests.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<RateLimitInput>)]
    pub rate_limit: Patch<RateLimitInput>,
    /// The full set of limits of single models: null or `[]` removes all. An element with the `id` or the model of an existing
    /// one edits it.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<ModelBudgetInput>>)]
    pub model_budgets: Patch<Vec<ModelBudgetInput>>,
}
