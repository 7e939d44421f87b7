//! Routing rules: what an expression says about a request decides where it goes.
//!
//! A rule chooses; it never permits. What it chose is still subject to what the virtual key may use.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::change::Versioned;
use crate::ids::{ModelName, ProviderKeyId, ProviderName, RoutingRuleId};

mod checks;
mod query;
mod requests;

pub use checks::NamedAt;
pub use query::{RoutingRuleFilter, RoutingRuleQuery};
pub use requests::{CreateRoutingRule, UpdateRoutingRule};

/// The most fallbacks of one rule: each is one more call that a client waits for.
pub const MAX_FALLBACKS: usize = 5;

/// Whose requests a rule is about. The order is the order of evaluation: narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutingScope {
    /// The requests of one virtual key.
    VirtualKey,
    /// The requests of a team's virtual keys.
    Team,
    /// The requests of all virtual keys below a customer.
    Customer,
    /// Every request.
    Global,
}

impl RoutingScope {
    /// Every scope, in the order of evaluation.
    pub const ALL: [Self; 4] = [Self::VirtualKey, Self::Team, Self::Customer, Self::Global];

    /// The scope on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VirtualKey => "virtual_key",
            Self::Team => "team",
            Self::Customer => "customer",
            Self::Global => "global",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// Where requests go, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoutingRule {
    /// Identifies it in the management API.
    pub id: RoutingRuleId,
    /// A hash of the configuration file's definition; empty when made through the API.
    pub config_hash: String,
    /// A name for people, unique within `scope` and `scope_id`.
    pub name: String,
    /// What the rule is for.
    pub description: String,
    /// False: the rule is passed over.
    pub enabled: bool,
    /// True: what it chose is evaluated again, by all rules.
    pub chain_rule: bool,
    /// When the rule applies, in the Common Expression Language; empty: always.
    pub cel_expression: String,
    /// Where requests go: one of these, drawn by weight.
    pub targets: Vec<RoutingTarget>,
    /// Where a request goes next when its target fails, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Fallback>,
    /// Whose requests the rule is about.
    pub scope: RoutingScope,
    /// The virtual key, team or customer; null in the global scope. It may have been deleted: then the rule is ignored.
    #[schema(required = true)]
    pub scope_id: Option<String>,
    /// What a query builder made the expression from; kept as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub query: Option<Map<String, Value>>,
    /// Lower ones are evaluated first within a scope.
    pub priority: i32,
    /// How long to wait for the first byte of an answer, in milliseconds, when that is shorter than the provider's timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub ttft_timeout_ms: Option<u32>,
    /// The last evaluation that failed, since the server started or the rule was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_error: Option<RoutingFailure>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Where a request goes. What is absent stays as the request has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoutingTarget {
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub provider: Option<ProviderName>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<ModelName>,
    /// The one key of the provider that serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key_id: Option<ProviderKeyId>,
    /// The share of the requests; the weights of all targets are 1 together. 1 unless given.
    #[serde(default = "whole")]
    #[schema(minimum = 0, maximum = 1)]
    pub weight: f64,
}

/// The weight of a target that has no other beside it.
const fn whole() -> f64 {
    1.0
}

/// Another place for a request, as text or in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Fallback {
    /// `provider/model`, or a provider alone, for the model that is asked for.
    Text(String),
    /// Provider and model apart.
    Parts(FallbackParts),
}

/// Another place for a request, in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FallbackParts {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
}

impl Fallback {
    /// Provider and model, no model being the one that is asked for; none when something is missing.
    #[must_use]
    pub fn place(&self) -> Option<(ProviderName, Option<ModelName>)> {
        let (provider, model) = match self {
            Self::Text(text) => match text.split_once('/') {
                Some((provider, model)) => (provider, Some(model)),
                None => (text.as_str(), None),
            },
            Self::Parts(FallbackParts { provider, model }) => (provider.as_str(), Some(model.as_str())),
        };
        let is_whole = [Some(provider), model].into_iter().flatten().all(|part| !part.trim().is_empty());
        is_whole.then(|| (provider.into(), model.map(Into::into)))
    }
}

/// An evaluation that failed: the rule was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoutingFailure {
    /// What went wrong.
    pub message: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

impl Versioned for RoutingRule {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl RoutingRule {
    /// The place in the order of evaluation: narrow scopes first, then priority, age, and id.
    #[must_use]
    pub fn order(&self) -> (RoutingScope, i32, Timestamp, &str) {
        (self.scope, self.priority, self.created_at, self.id.as_str())
    }

    /// The providers that the rule names, each with the place where it does.
    pub fn providers(&self) -> impl Iterator<Item = (NamedAt, ProviderName)> + '_ {
        let targets = self.targets.iter().enumerate();
        let targets = targets.filter_map(|(index, target)| Some((NamedAt::Target(index), target.provider.clone()?)));
        let fallbacks = self.fallbacks.iter().enumerate();
        let fallbacks = fallbacks.filter_map(|(index, fallback)| Some((NamedAt::Fallback(index), fallback.place()?.0)));
        targets.chain(fallbacks)
    }
}
