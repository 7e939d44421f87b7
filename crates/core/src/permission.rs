//! Permissions: what a management key may do, one kind of resource at a time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of resource of the management API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Virtual keys.
    VirtualKeys,
    /// Teams.
    Teams,
    /// Customers.
    Customers,
    /// Providers and their keys.
    Providers,
    /// Routing rules.
    RoutingRules,
    /// Limits of models.
    ModelConfigs,
    /// Pricing overrides.
    PricingOverrides,
    /// MCP clients.
    McpClients,
    /// The audit log.
    Audit,
    /// Events, of all owners.
    Events,
    /// Usage, the ledger, and forecasts.
    Usage,
    /// The server's configuration.
    Config,
    /// Metrics.
    Metrics,
    /// Management keys.
    ManagementKeys,
}

impl Resource {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::VirtualKeys,
        Self::Teams,
        Self::Customers,
        Self::Providers,
        Self::RoutingRules,
        Self::ModelConfigs,
        Self::PricingOverrides,
        Self::McpClients,
        Self::Audit,
        Self::Events,
        Self::Usage,
        Self::Config,
        Self::Metrics,
        Self::ManagementKeys,
    ];

    /// Whether resources of this kind belong to a team or a customer, so that a reach can be told from the rest. A management
    /// key that is limited to a team or a customer gets at nothing else.
    #[must_use]
    pub const fn has_owners(self) -> bool {
        match self {
            Self::VirtualKeys | Self::Teams | Self::Customers | Self::Usage | Self::ManagementKeys => true,
            Self::Providers
            | Self::RoutingRules
            | Self::ModelConfigs
            | Self::PricingOverrides
            | Self::McpClients
            | Self::Audit
            | Self::Events
            | Self::Config
            | Self::Metrics => false,
        }
    }
}

/// What may be done with a resource. The later includes the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Look at it.
    Read,
    /// Look at it, make it, edit it, delete it.
    Write,
}

/// What a management key may do with one kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The kind of resource.
    pub resource: Resource,
    /// What may be done with it; `write` includes `read`.
    pub access: Access,
}

impl Permission {
    /// The permission to do this with resources of this kind.
    #[must_use]
    pub const fn new(resource: Resource, access: Access) -> Self {
        Self { resource, access }
    }

    /// Whether whoever has this may do the other as well.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self.resource == other.resource && self.access >= other.access
    }
}
