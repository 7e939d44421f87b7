//! Requests that make and edit virtual keys.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{McpConfigInput, Metadata};
use crate::allow_list::AllowList;
use crate::budget::BudgetInput;
use crate::ids::{CustomerId, ProviderKeyId, ProviderName, TeamId};
use crate::patch::{Patch, null_as_absent};
use crate::provider_config::ProviderConfigInput;
use crate::rate_limit::RateLimitInput;

/// Makes a virtual key. Only `name` is required; what is absent is unrestricted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateVirtualKey {
    /// A name for people, unique among virtual keys.
    #[schema(required = true, min_length = 1, max_length = 256)]
    pub name: String,
    /// What the key is for.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_as_absent")]
    pub description: String,
    /// False: the gateway refuses the key. True unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// True: providers without a provider config may be used too. Unless given, true when `provider_configs` is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_all_providers: Option<bool>,
    /// What the key may do at single providers: absent is every provider, `[]` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_configs: Option<Vec<ProviderConfigInput>>,
    /// Which MCP clients and tools the key may use: absent or `[]` is none, but those that every virtual key may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1000)]
    pub mcp_configs: Option<Vec<McpConfigInput>>,
    /// The team that the key belongs to; excludes `customer_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// The customer that the key belongs to; excludes `team_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
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
    /// How many of the key's requests may run at the same time; absent or null: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 4294967295i64)]
    pub max_parallel_requests: Option<NonZeroU32>,
    /// Provider keys to attach to the provider config of their provider; one is made where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ids: Option<Vec<ProviderKeyId>>,
    /// True: limits follow the calendar unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_aligned: Option<bool>,
    /// From this instant on the gateway refuses the key: RFC 3339, in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// True: the server deletes the key when it has expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_after_expire: Option<bool>,
    /// False: where the server leaves it to each key, contents are logged. Null and true: they are not.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<bool>)]
    pub disable_content_logging: Patch<bool>,
    /// Labels of your own: at most 50.
    #[serde(skip_serializing_if = "Metadata::is_empty", deserialize_with = "null_as_absent")]
    pub metadata: Metadata,
    /// The oldest API's way to name providers: each that no provider config names gets one. Excludes
    /// `allow_all_providers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_providers: Option<Vec<ProviderName>>,
    /// The models of provider configs that do not name their own; needs `provider_configs` or `allowed_providers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<AllowList>,
}

/// Edits a virtual key: what is absent stays, null clears.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateVirtualKey {
    /// A name for people; it cannot be cleared.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    pub name: Patch<String>,
    /// What the key is for.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    /// False: the gateway refuses the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// True: providers without a provider config may be used too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_all_providers: Option<bool>,
    /// The full set of provider configs; an element with the `id` or the provider of an existing one edits it, others are made, the rest is removed.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<ProviderConfigInput>>)]
    pub provider_configs: Patch<Vec<ProviderConfigInput>>,
    /// The full set of MCP configs; an element with the `id` or the client of an existing one edits it, others are made, the rest is removed.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<McpConfigInput>>, max_items = 1000)]
    pub mcp_configs: Patch<Vec<McpConfigInput>>,
    /// The team that the key belongs to; null or empty detaches it, a team takes it from its customer.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Patch<TeamId>,
    /// The customer that the key belongs to; null or empty detaches it, a customer takes it from its team.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<CustomerId>)]
    pub customer_id: Patch<CustomerId>,
    /// The one budget: given members change it, null or `{}` removes it; excludes `budgets`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BudgetInput>)]
    pub budget: Patch<BudgetInput>,
    /// The full set of budgets: null or `[]` removes all; excludes `budget`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<BudgetInput>>)]
    pub budgets: Patch<Vec<BudgetInput>>,
    /// Caps on tokens and requests: given members change it, null or `{}` removes it.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<RateLimitInput>)]
    pub rate_limit: Patch<RateLimitInput>,
    /// How many of the key's requests may run at the same time; null: any number.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 4294967295i64)]
    pub max_parallel_requests: Patch<NonZeroU32>,
    /// Provider keys to attach in place of those attached now; null or `[]` detaches all.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<ProviderKeyId>>)]
    pub key_ids: Patch<Vec<ProviderKeyId>>,
    /// True: limits follow the calendar unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_aligned: Option<bool>,
    /// From this instant on the gateway refuses the key; null or empty: never.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Patch<String>,
    /// True: the server deletes the key when it has expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_after_expire: Option<bool>,
    /// False: where the server leaves it to each key, contents are logged. Null and true: they are not.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<bool>)]
    pub disable_content_logging: Patch<bool>,
    /// Labels of your own, the full set; null or `{}` removes all.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Metadata>)]
    pub metadata: Patch<Metadata>,
    /// True: what the key's budgets, and those of its provider configs, have counted in their current windows is taken off.
    /// Otherwise an edit leaves usage alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_budget_usage: Option<bool>,
}
