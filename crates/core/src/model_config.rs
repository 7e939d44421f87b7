//! Model configs: limits of one model or of every model, at one provider or at any, for everybody or for one virtual key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::Budget;
use crate::change::Versioned;
use crate::ids::{LimitId, ModelConfigId, ModelName, ProviderName, VirtualKeyId};
use crate::limits::Limits;
use crate::meter::{Count, MeterId};
use crate::rate_limit::RateLimit;
use crate::scope::{Scope, ScopeKind};

mod query;
mod requests;

pub use query::{ModelConfigFilter, ModelConfigQuery};
pub use requests::{CreateModelConfig, ScopedKey, UpdateModelConfig};

/// The model name that stands for every model.
pub const EVERY_MODEL: &str = "*";

/// Whose requests a model config covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelConfigScope {
    /// Everybody's.
    Global,
    /// Those of one virtual key.
    VirtualKey,
}

impl ModelConfigScope {
    /// The scope's name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::VirtualKey => "virtual_key",
        }
    }
}

/// Limits of one model or of every model, at one provider or at any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelConfig {
    /// Identifies the model config.
    #[schema(value_type = String)]
    pub id: ModelConfigId,
    /// The model as its provider calls it; `*` is every model.
    #[schema(value_type = String)]
    pub model_name: ModelName,
    /// The provider; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub provider: Option<ProviderName>,
    /// Whose requests it covers.
    pub scope: ModelConfigScope,
    /// The virtual key that it is for, when it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub scope_id: Option<VirtualKeyId>,
    /// The name of that virtual key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scope_name: Option<String>,
    /// True: new limits follow the calendar.
    pub calendar_aligned: bool,
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
    /// A hash of the configuration file's definition; empty when made through the API.
    pub config_hash: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Versioned for ModelConfig {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl ModelConfig {
    /// Its own limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { budgets: self.budgets.clone(), rate_limit: self.rate_limit.clone() }
    }

    /// The same with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.budget = limits.budgets.first().cloned();
        self.budget_id = self.budget.as_ref().map(|budget| budget.id.clone());
        self.rate_limit_id = limits.rate_limit.as_ref().map(|rate_limit| rate_limit.id.clone());
        self.budgets = limits.budgets;
        self.rate_limit = limits.rate_limit;
        self
    }

    /// Shows what its meters read at `now`.
    #[must_use]
    pub fn observed(self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) -> Self {
        let limits = self.limits().observed(read, now);
        self.with_limits(limits)
    }

    /// True when it covers every model.
    #[must_use]
    pub fn is_every_model(&self) -> bool {
        self.model_name.as_str() == EVERY_MODEL
    }

    /// What its limits cover, as refusals name it: one for every model of a provider is the provider's own.
    #[must_use]
    pub fn limit_scope(&self) -> Scope {
        let (kind, id) = match (self.scope, &self.provider) {
            (ModelConfigScope::VirtualKey, _) => (ScopeKind::VirtualKeyModelConfig, self.id.as_str()),
            (ModelConfigScope::Global, Some(provider)) if self.is_every_model() => {
                (ScopeKind::Provider, provider.as_str())
            }
            (ModelConfigScope::Global, Some(_) | None) => (ScopeKind::ModelConfig, self.id.as_str()),
        };
        Scope { kind, id: id.into() }
    }
}
