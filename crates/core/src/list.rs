//! Lists: paging parameters, and the envelopes that answers come in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::Budget;
use crate::management_key::ManagementKey;
use crate::mcp_client::McpClientEntry;
use crate::model_config::ModelConfig;
use crate::owner::{Customer, Team};
use crate::pricing_override::PricingOverride;
use crate::provider::{Provider, ProviderKey};
use crate::provider_governance::ProviderGovernance;
use crate::rate_limit::RateLimit;
use crate::routing_rule::RoutingRule;
use crate::secret::ManagementKeyValue;
use crate::virtual_key::VirtualKey;

mod page;

pub use page::{ListQuery, Page, PageQuery, UsageQuery};
pub(crate) use page::{MAX_LIMIT, flag, instant, page, whole_number};

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entries of the page.
    pub entries: Vec<T>,
    /// How many entries match in all.
    pub total: i64,
}

impl<T> Listed<T> {
    /// All that there is.
    #[must_use]
    pub fn whole(entries: Vec<T>) -> Self {
        let total = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        Self { entries, total }
    }
}

macro_rules! page_envelope {
    ($(#[$doc:meta])* $name:ident, $member:ident: $entity:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $name {
            /// The entries of this page, oldest first.
            pub $member: Vec<$entity>,
            /// How many entries this page has.
            pub count: i64,
            /// How many entries match in all.
            pub total_count: i64,
            /// How many entries the page has at most; how many there are when no page was asked for.
            pub limit: i64,
            /// How many entries were skipped.
            pub offset: i64,
        }

        impl $name {
            /// The envelope of a page.
            #[must_use]
            pub fn new(listed: Listed<$entity>, page: &Page) -> Self {
                let count = i64::try_from(listed.entries.len()).unwrap_or(i64::MAX);
                Self {
                    $member: listed.entries,
                    count,
                    total_count: listed.total,
                    limit: if page.is_whole { count } else { page.limit },
                    offset: page.offset,
                }
            }
        }
    };
}

page_envelope! {
    /// A page of virtual keys.
    VirtualKeyList, virtual_keys: VirtualKey
}
page_envelope! {
    /// A page of teams.
    TeamList, teams: Team
}
page_envelope! {
    /// A page of customers.
    CustomerList, customers: Customer
}
page_envelope! {
    /// A page of model configs.
    ModelConfigList, model_configs: ModelConfig
}
page_envelope! {
    /// A page of pricing overrides.
    PricingOverrideList, pricing_overrides: PricingOverride
}

page_envelope! {
    /// A page of routing rules.
    RoutingRuleList, rules: RoutingRule
}
page_envelope! {
    /// A page of management keys.
    ManagementKeyList, management_keys: ManagementKey
}

page_envelope! {
    /// A page of MCP clients.
    McpClientList, clients: McpClientEntry
}

macro_rules! envelope {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $name {
            $($(#[$member_doc])* pub $member: $type,)+
        }
    };
}

envelope! {
    /// What was done.
    Done {
        /// What was done, in words.
        message: String,
    }
}
envelope! {
    /// How the server is.
    Health {
        /// `ok`: it can serve.
        status: String,
    }
}
envelope! {
    /// A virtual key that was made or edited.
    VirtualKeyChanged {
        /// What was done, in words.
        message: String,
        /// The virtual key.
        virtual_key: VirtualKey,
    }
}
envelope! {
    /// A management key that was edited.
    ManagementKeyChanged {
        /// What was done, in words.
        message: String,
        /// The management key.
        management_key: ManagementKey,
    }
}
envelope! {
    /// A management key that was made or rotated, with its secret.
    ManagementKeyIssued {
        /// What was done, in words.
        message: String,
        /// The management key.
        management_key: ManagementKey,
        /// The secret, shown this once. Null when the key was made before, by the same request under the same
        /// `Idempotency-Key`: rotate the key for a new one.
        #[schema(required = true)]
        value: Option<ManagementKeyValue>,
    }
}
envelope! {
    /// One management key.
    ManagementKeyDetail {
        /// The management key.
        management_key: ManagementKey,
    }
}
envelope! {
    /// A team that was made.
    TeamChanged {
        /// What was done, in words.
        message: String,
        /// The team.
        team: Team,
    }
}
envelope! {
    /// One team.
    TeamDetail {
        /// The team.
        team: Team,
    }
}
envelope! {
    /// A customer that was made.
    CustomerChanged {
        /// What was done, in words.
        message: String,
        /// The customer.
        customer: Customer,
    }
}
envelope! {
    /// One customer.
    CustomerDetail {
        /// The customer.
        customer: Customer,
    }
}
envelope! {
    /// A routing rule that was made or edited.
    RoutingRuleChanged {
        /// What was done, in words.
        message: String,
        /// The rule.
        rule: RoutingRule,
    }
}
envelope! {
    /// One routing rule.
    RoutingRuleDetail {
        /// The rule.
        rule: RoutingRule,
    }
}
envelope! {
    /// An MCP client that was made or edited.
    McpClientChanged {
        /// Always `success`.
        status: String,
        /// What was done, in words.
        message: String,
        /// The MCP client.
        client: McpClientEntry,
    }
}
envelope! {
    /// One MCP client.
    McpClientDetail {
        /// The MCP client.
        client: McpClientEntry,
    }
}
envelope! {
    /// An MCP client that was removed.
    McpClientRemoved {
        /// Always `success`.
        status: String,
        /// What was done, in words.
        message: String,
    }
}
envelope! {
    /// All providers.
    ProviderList {
        /// The providers, by name.
        providers: Vec<Provider>,
        /// How many there are.
        total: i64,
    }
}
envelope! {
    /// All keys of one provider.
    ProviderKeyList {
        /// The keys, oldest first.
        keys: Vec<ProviderKey>,
        /// How many there are.
        total: i64,
    }
}
envelope! {
    /// The budgets of all owners.
    BudgetList {
        /// The budgets, oldest first.
        budgets: Vec<Budget>,
        /// How many this page has.
        count: i64,
        /// How many there are in all.
        total_count: i64,
    }
}
envelope! {
    /// The rate limits of all owners.
    RateLimitList {
        /// The rate limits, oldest first.
        rate_limits: Vec<RateLimit>,
        /// How many this page has.
        count: i64,
        /// How many there are in all.
        total_count: i64,
    }
}
envelope! {
    /// A model config that was made or edited.
    ModelConfigChanged {
        /// What was done, in words.
        message: String,
        /// The model config.
        model_config: ModelConfig,
    }
}
envelope! {
    /// One model config.
    ModelConfigDetail {
        /// The model config.
        model_config: ModelConfig,
    }
}
envelope! {
    /// The providers that have limits of their own.
    ProviderGovernanceList {
        /// The providers with their limits, by name.
        providers: Vec<ProviderGovernance>,
        /// How many there are.
        count: i64,
    }
}
envelope! {
    /// The limits of a provider that were set.
    ProviderGovernanceChanged {
        /// What was done, in words.
        message: String,
        /// The provider with its limits.
        provider: ProviderGovernance,
    }
}
envelope! {
    /// A pricing override that was made or edited.
    PricingOverrideChanged {
        /// What was done, in words.
        message: String,
        /// The pricing override.
        pricing_override: PricingOverride,
    }
}
envelope! {
    /// One pricing override.
    PricingOverrideDetail {
        /// The pricing override.
        pricing_override: PricingOverride,
    }
}
