//! What a configuration file declares: for each entity the request that the API would get for it, the place in the file, and
//! how it changes what is there.
//!
//! An entity has a definition, a text of which the store keeps a keyed hash. While the hash is that of the file, what the API
//! has made of the entity stays; with another one, the file's values replace it. Nothing here touches what was used.

use crate::budget::BudgetInput;
use crate::ids::{LimitId, ProviderKeyId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::Edit;
use crate::patch::Patch;
use crate::rate_limit::RateLimitInput;
use crate::server_config::ClientConfigInput;

mod limits;
mod mcp_client;
mod model_config;
mod owners;
mod pricing_override;
mod provider;
mod routing_rule;
mod virtual_key;

pub use limits::{DeclaredBudget, DeclaredLimits, DeclaredRateLimit, LimitRow};
pub use mcp_client::DeclaredMcpClient;
pub use model_config::DeclaredModelConfig;
pub use owners::{DeclaredCustomer, DeclaredTeam};
pub use pricing_override::DeclaredPricingOverride;
pub use provider::{DeclaredKey, DeclaredProvider};
pub use routing_rule::DeclaredRoutingRule;
pub use virtual_key::{DeclaredVirtualKey, McpConfigPlace};

/// What a configuration file declares. A section that is none is not in the file.
#[derive(Debug, Clone, Default)]
pub struct Declaration {
    /// True: what the sections do not name is deleted, and they win over the API whatever their hashes say.
    pub is_authoritative: bool,
    /// Providers with their keys.
    pub providers: Option<Vec<DeclaredProvider>>,
    /// MCP clients.
    pub mcp_clients: Option<Vec<DeclaredMcpClient>>,
    /// Customers.
    pub customers: Option<Vec<DeclaredCustomer>>,
    /// Teams.
    pub teams: Option<Vec<DeclaredTeam>>,
    /// Virtual keys.
    pub virtual_keys: Option<Vec<DeclaredVirtualKey>>,
    /// Limits of models and providers.
    pub model_configs: Option<Vec<DeclaredModelConfig>>,
    /// False: those are of providers only, and the file does not speak of models.
    pub speaks_of_models: bool,
    /// Routing rules.
    pub routing_rules: Option<Vec<DeclaredRoutingRule>>,
    /// Pricing overrides.
    pub pricing_overrides: Option<Vec<DeclaredPricingOverride>>,
    /// What holds for the API's clients, and where it stands in the file.
    pub client: Option<(ClientConfigInput, Pointer)>,
}

/// Finds a provider key by its id, else by its name.
pub type FindKey<'a> = &'a dyn Fn(&ProviderKeyId) -> Option<ProviderKeyId>;

/// Finds what a virtual key names.
#[derive(Clone, Copy)]
pub struct Find<'a> {
    /// Finds a provider key by its id, else by its name.
    pub provider_key: FindKey<'a>,
    /// Finds the name of an MCP client by that name, else by the `client_id`, else by the row number.
    pub mcp_client: &'a dyn Fn(&str) -> Option<String>,
}

/// How much of an entity the file may replace.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    /// Hashes a definition.
    pub digest: &'a dyn Fn(&str) -> String,
    /// True: the file wins whatever the hashes say.
    pub is_authoritative: bool,
}

impl Basis<'_> {
    /// Whether the file's definition is another one than the one that `stored` is the hash of.
    #[must_use]
    pub fn differs(&self, definition: &str, stored: &str) -> bool {
        self.is_authoritative || (self.digest)(definition) != stored
    }
}

impl Declaration {
    /// What is wrong with the entities, each taken for a new one. What they refer to is not looked at.
    #[must_use]
    pub fn faults(&self, edit: &mut Edit<'_>) -> Vec<Invalid> {
        let mut faults = Vec::new();
        let digest = |_: &str| String::new();
        let basis = Basis { digest: &digest, is_authoritative: false };
        let find = Find { provider_key: &|_| None, mcp_client: &|_| None };
        let mut note = |result: Result<(), Invalid>| faults.extend(result.err());
        self.providers.iter().flatten().for_each(|one| note(one.edit(None, basis, edit.mint).map(drop)));
        self.mcp_clients.iter().flatten().for_each(|one| note(one.edit(None, edit).map(drop)));
        self.customers.iter().flatten().for_each(|one| note(one.edit(None, basis, edit).map(drop)));
        self.teams.iter().flatten().for_each(|one| note(one.edit(None, basis, edit).map(drop)));
        self.virtual_keys.iter().flatten().for_each(|one| note(one.edit(None, find, basis, edit).map(drop)));
        self.model_configs.iter().flatten().for_each(|one| note(one.fault(edit)));
        self.routing_rules.iter().flatten().for_each(|one| note(one.edit(None, edit).map(drop)));
        self.pricing_overrides.iter().flatten().for_each(|one| note(one.edit(None, edit).map(drop)));
        faults
    }
}

/// A value that replaces whatever there was; none clears it.
fn set<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Null, Patch::Value)
}

/// A member of a full request: absent is the same as null.
fn full<T>(patch: Patch<T>) -> Patch<T> {
    match patch {
        Patch::Absent => Patch::Null,
        given @ (Patch::Null | Patch::Value(_)) => given,
    }
}

/// The budget in full: what is absent is as in a new one of an owner with this calendar setting.
fn full_budget(input: &BudgetInput, id: Option<LimitId>, calendar_aligned: bool) -> BudgetInput {
    let BudgetInput {
        id: _,
        max_limit,
        reset_duration,
        calendar_aligned: own,
        timezone,
        reset_config,
        enforcement,
        output_clamp,
    } = input.clone();
    let fits = reset_duration.as_ref().is_some_and(|duration| duration.calendar().is_some());
    BudgetInput {
        id,
        max_limit,
        reset_duration,
        calendar_aligned: Some(own.unwrap_or(calendar_aligned && fits)),
        timezone: Some(timezone.unwrap_or_default()),
        reset_config: full(reset_config),
        enforcement: full(enforcement),
        output_clamp: full(output_clamp),
    }
}

/// The rate limit in full: what is absent is as in a new one of an owner with this calendar setting.
fn full_rate_limit(input: &RateLimitInput, calendar_aligned: bool) -> RateLimitInput {
    let durations = [input.token_reset_duration.as_ref().value(), input.request_reset_duration.as_ref().value()];
    let fits = durations.into_iter().flatten().any(|duration| duration.calendar().is_some());
    let RateLimitInput {
        token_max_limit,
        token_reset_duration,
        request_max_limit,
        request_reset_duration,
        calendar_aligned: own,
        enforcement,
        output_clamp,
    } = input.clone();
    RateLimitInput {
        token_max_limit: full(token_max_limit),
        token_reset_duration: full(token_reset_duration),
        request_max_limit: full(request_max_limit),
        request_reset_duration: full(request_reset_duration),
        calendar_aligned: Some(own.unwrap_or(calendar_aligned && fits)),
        enforcement: full(enforcement),
        output_clamp: full(output_clamp),
    }
}

/// The definition of an entity: its request, and what else it consists of.
fn definition(parts: &impl serde::Serialize) -> String {
    // Requests are made of texts, numbers and lists: they can always be written.
    serde_json::to_string(parts).unwrap_or_default()
}
