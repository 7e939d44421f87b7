//! Scopes: what a limit covers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of thing owns a limit. The order is the order of checking: widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// One model, or every model, in the whole deployment.
    ModelConfig,
    /// One provider in the whole deployment.
    Provider,
    /// A customer, with all its teams and keys.
    Customer,
    /// A team, with all its keys.
    Team,
    /// One virtual key.
    VirtualKey,
    /// One model, one provider or both, for one virtual key.
    VirtualKeyModelConfig,
    /// One virtual key at one provider.
    ProviderConfig,
    /// One model for one virtual key at one provider.
    ModelBudget,
}

impl ScopeKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::ModelConfig,
        Self::Provider,
        Self::Customer,
        Self::Team,
        Self::VirtualKey,
        Self::VirtualKeyModelConfig,
        Self::ProviderConfig,
        Self::ModelBudget,
    ];

    /// The kind's name on the wire, in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModelConfig => "model_config",
            Self::Provider => "provider",
            Self::Customer => "customer",
            Self::Team => "team",
            Self::VirtualKey => "virtual_key",
            Self::VirtualKeyModelConfig => "virtual_key_model_config",
            Self::ProviderConfig => "provider_config",
            Self::ModelBudget => "model_budget",
        }
    }

    /// The kind in plain words, for messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ModelConfig => "model config",
            Self::Provider => "provider",
            Self::Customer => "customer",
            Self::Team => "team",
            Self::VirtualKey => "virtual key",
            Self::VirtualKeyModelConfig => "the virtual key's model config",
            Self::ProviderConfig => "provider config",
            Self::ModelBudget => "model budget",
        }
    }
}

/// The owner of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scope {
    /// What kind of thing the owner is.
    pub kind: ScopeKind,
    /// The owner's id; a provider's name.
    #[schema(value_type = String)]
    pub id: Arc<str>,
}
