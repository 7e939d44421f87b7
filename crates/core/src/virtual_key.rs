//! Virtual keys: the credentials applications hold, and what each of them may do.
//!
//! The entity is the response. Its singular members (`budget`, `budget_id`, `rate_limit_id`, `keys`) are views of the
//! plural ones for clients of the older API; [`VirtualKey::with_views`] derives them.

use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::Budget;
use crate::change::Versioned;
use crate::ids::{CustomerId, LimitId, TeamId, VirtualKeyId};
use crate::limits::Limits;
use crate::meter::{Count, Enforcement, Meter, MeterId, Metric, OutputClamp};
use crate::owner::{Customer, Team};
use crate::provider_config::{ProviderConfig, VirtualKeyProviderKey};
use crate::rate_limit::RateLimit;
use crate::scope::{Scope, ScopeKind};
use crate::secret::VirtualKeyValue;
use crate::window::WindowPolicy;

mod edit;
mod list;
mod mcp_config;
mod metadata;
mod requests;
mod responses;
mod rotation;

pub use edit::VirtualKeyDraft;
pub(crate) use edit::with_oldest_members;
pub use list::{SortBy, VirtualKeyFilter, VirtualKeyQuery};
pub use mcp_config::{McpConfig, McpConfigDraft, McpConfigInput};
pub use metadata::Metadata;
pub use requests::{CreateVirtualKey, UpdateVirtualKey};
pub use responses::{ModelQuota, VirtualKeyDetail, VirtualKeyQuota, VirtualKeyRevealed};
pub use rotation::{RotateVirtualKeys, Rotation, VirtualKeyHashes, VirtualKeysRotated};

/// A virtual key with everything it may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VirtualKey {
    /// Identifies the key in the management API.
    pub id: VirtualKeyId,
    /// A name for people, unique among virtual keys.
    pub name: String,
    /// The secret that applications send; redacted where it may not be seen.
    pub value: VirtualKeyValue,
    /// What the key is for.
    pub description: String,
    /// False: the gateway refuses the key.
    pub is_active: bool,
    /// True: providers without a provider config may be used too.
    pub allow_all_providers: bool,
    /// What the key may do at single providers.
    pub provider_configs: Vec<ProviderConfig>,
    /// Which MCP clients and tools the key may use.
    pub mcp_configs: Vec<McpConfig>,
    /// The provider keys attached to the provider configs, in the older API's shape.
    pub keys: Vec<VirtualKeyProviderKey>,
    /// The team that the key belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub team_id: Option<TeamId>,
    /// The customer that the key belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer_id: Option<CustomerId>,
    /// The team that the key belongs to, without what it shows on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, no_recursion)]
    pub team: Option<Box<Team>>,
    /// The customer that the key belongs to, without what it shows on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, no_recursion)]
    pub customer: Option<Box<Customer>>,
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
    /// How many of the key's requests may run at the same time; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 4294967295i64, nullable = false)]
    pub max_parallel_requests: Option<NonZeroU32>,
    /// True: new limits of the key follow the calendar.
    pub calendar_aligned: bool,
    /// From this instant on the gateway refuses the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub expires_at: Option<Timestamp>,
    /// When the key was last rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub rotated_at: Option<Timestamp>,
    /// Until when the value from before the last rotation works too; that instant excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub previous_value_expires_at: Option<Timestamp>,
    /// True: the server deletes the key when it has expired.
    #[serde(default)]
    #[schema(required = true)]
    pub delete_after_expire: bool,
    /// False: where the server's settings leave it to each key, what the key sends and gets is logged. Else it is not.
    #[serde(default)]
    #[schema(required = true)]
    pub disable_content_logging: Option<bool>,
    /// Labels of your own.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// A hash of the configuration file's definition; empty for keys made through the API.
    pub config_hash: String,
    /// When the key was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Versioned for VirtualKey {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl VirtualKey {
    /// The key's own limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { budgets: self.budgets.clone(), rate_limit: self.rate_limit.clone() }
    }

    /// The meter of what runs at the same time, if that has a cap: nothing of it is ever used, and its window does not end.
    #[must_use]
    pub fn parallel_meter(&self) -> Option<Meter> {
        let cap = self.max_parallel_requests?;
        Some(Meter {
            id: MeterId { limit: self.id.as_str().into(), metric: Metric::ParallelRequests },
            scope: Scope { kind: ScopeKind::VirtualKey, id: self.id.as_str().into() },
            cap: cap.get().into(),
            raise: None,
            windows: WindowPolicy::Never,
            anchor: self.created_at,
            enforcement: Enforcement::Hard,
            clamp: OutputClamp::Never,
        })
    }

    /// Sets the key's own limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.budgets = limits.budgets;
        self.rate_limit = limits.rate_limit;
    }

    /// Every budget of the key, of its provider configs, and of single models in those.
    pub fn all_budgets(&self) -> impl Iterator<Item = &Budget> {
        self.budgets.iter().chain(self.provider_configs.iter().flat_map(ProviderConfig::all_budgets))
    }

    /// Derives the older API's members from the ones that count, here and in the provider configs.
    #[must_use]
    pub fn with_views(mut self) -> Self {
        self.budget = self.budgets.first().cloned();
        self.budget_id = self.budget.as_ref().map(|budget| budget.id.clone());
        self.rate_limit_id = self.rate_limit.as_ref().map(|rate_limit| rate_limit.id.clone());
        self.provider_configs = self.provider_configs.into_iter().map(ProviderConfig::with_views).collect();
        self.keys = VirtualKeyProviderKey::of(&self.provider_configs);
        self
    }

    /// Shows what the meters of the key and its provider configs read at `now`.
    #[must_use]
    pub fn observed(mut self, read: &dyn Fn(&MeterId) -> Option<Count>, now: Timestamp) -> Self {
        self.set_limits(self.limits().observed(read, now));
        self.provider_configs = self.provider_configs.into_iter().map(|config| config.observed(read, now)).collect();
        self.previous_value_expires_at = self.previous_value_expires_at.filter(|until| now < *until);
        self.team = self.team.map(|team| Box::new(team.observed(read, now)));
        self.customer = self.customer.map(|customer| Box::new(customer.observed(read, now)));
        self.with_views()
    }
}
