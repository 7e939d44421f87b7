//! What a budget was spent on, model by model.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ModelName, ProviderName};
use crate::money::NanoUsd;

/// What was used of one model at one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelUsage {
    /// The model as it was asked of the provider.
    #[schema(value_type = String)]
    pub model: ModelName,
    /// The provider.
    #[schema(value_type = String)]
    pub provider: ProviderName,
    /// How many attempts reached it.
    pub total_requests: i64,
    /// Tokens of all classes.
    pub total_tokens: i64,
    /// US dollars.
    pub total_cost: NanoUsd,
}
