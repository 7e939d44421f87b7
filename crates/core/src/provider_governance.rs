//! Provider governance: the limits of a provider in the whole deployment. Each is a model config that covers every model of
//! the provider for everybody, seen from the provider's side.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::{Budget, BudgetInput};
use crate::ids::{LimitId, ProviderName};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Alignment, Edit, LimitsInput};
use crate::model_config::{EVERY_MODEL, ModelConfig};
use crate::patch::Patch;
use crate::rate_limit::{RateLimit, RateLimitInput, RateLimitRule, either_form};

/// The limits of a provider in the whole deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderGovernance {
    /// The provider.
    #[schema(value_type = String)]
    pub provider: ProviderName,
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
    /// True: new limits follow the calendar.
    pub calendar_aligned: bool,
}

impl ProviderGovernance {
    /// The limits of `provider` that a model config has for it.
    #[must_use]
    pub fn of(provider: ProviderName, config: ModelConfig) -> Self {
        Self {
            provider,
            budget_id: config.budget_id,
            budget: config.budget,
            budgets: config.budgets,
            rate_limit_id: config.rate_limit_id,
            rate_limit: config.rate_limit,
            calendar_aligned: config.calendar_aligned,
        }
    }
}

/// Sets the limits of a provider: what is absent stays, null clears. Usage is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateProviderGovernance {
    /// The one budget: given members change it, null or `{}` removes it; excludes `budgets`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BudgetInput>)]
    pub budget: Patch<BudgetInput>,
    /// The full set of budgets: null or `[]` removes all; excludes `budget`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<BudgetInput>>)]
    pub budgets: Patch<Vec<BudgetInput>>,
    /// Caps on tokens and requests: given members change it, null or `{}` removes it; excludes `rate_limits`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<RateLimitInput>)]
    pub rate_limit: Patch<RateLimitInput>,
    /// The full set of rules, with one for each metric at most; null or `[]` removes all. Excludes `rate_limit`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<RateLimitRule>>)]
    pub rate_limits: Patch<Vec<RateLimitRule>>,
    /// True: limits follow the calendar unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_aligned: Option<bool>,
}

impl UpdateProviderGovernance {
    /// The model config with the provider's limits after the request: `existing`, or a new one.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn apply(
        self,
        provider: &ProviderName,
        existing: Option<&ModelConfig>,
        edit: &mut Edit<'_>,
    ) -> Result<ModelConfig, Invalid> {
        let before = match existing {
            Some(config) => config.clone(),
            None => ModelConfig::unlimited(EVERY_MODEL.into(), Some(provider.clone()), edit),
        };
        let alignment = Alignment { asked: self.calendar_aligned, standing: before.calendar_aligned };
        let limits = before.limits().edited(
            &LimitsInput {
                budget: &self.budget,
                budgets: &self.budgets,
                rate_limit: &either_form(self.rate_limit, self.rate_limits, &Pointer::ROOT)?,
                alignment,
                at: &Pointer::ROOT,
            },
            edit,
        )?;
        Ok(ModelConfig { calendar_aligned: alignment.setting(), updated_at: edit.now, ..before }.with_limits(limits))
    }
}
