//! Lists: paging parameters, and the envelopes that answers come in.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::budget::Budget;
use crate::invalid::Invalid;
use crate::management_key::ManagementKey;
use crate::model_config::ModelConfig;
use crate::owner::{Customer, Team};
use crate::pricing_override::PricingOverride;
use crate::provider::{Provider, ProviderKey};
use crate::provider_governance::ProviderGovernance;
use crate::rate_limit::RateLimit;
use crate::routing_rule::RoutingRule;
use crate::secret::ManagementKeyValue;
use crate::virtual_key::VirtualKey;

/// Which part of a list is asked for. Without any member it is the whole list, up to 10,000 entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// How many entries at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<u32>)]
    pub limit: Option<String>,
    /// How many entries to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<u32>)]
    pub offset: Option<String>,
    /// Only entries whose name has this in it, ignoring the case of ASCII letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Accepted for compatibility: answers always show live usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<String>,
}

/// A checked part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many entries at most.
    pub limit: i64,
    /// True when no page was asked for: `limit` only keeps the answer finite.
    pub is_whole: bool,
    /// How many entries to skip.
    pub offset: i64,
    /// Only entries whose name has this in it.
    pub search: Option<String>,
}

impl Default for Page {
    /// The whole list.
    fn default() -> Self {
        Self { limit: WHOLE_LIMIT, is_whole: true, offset: 0, search: None }
    }
}

impl Page {
    /// The whole list, however long: for the server itself, never for an answer.
    #[must_use]
    pub fn unbounded() -> Self {
        Self { limit: i64::MAX, ..Self::default() }
    }
}

/// Entries on a page unless the request says otherwise.
const DEFAULT_LIMIT: i64 = 25;
/// The most entries on a page.
pub(crate) const MAX_LIMIT: i64 = 100;
/// The most entries of a list that is asked for whole.
const WHOLE_LIMIT: i64 = 10_000;

impl ListQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit or offset that is not a number, or negative.
    pub fn check(self) -> Result<Page, Invalid> {
        match self.limit.is_none() && self.offset.is_none() && self.search.is_none() {
            true => Ok(Page::default()),
            false => self.paged(),
        }
    }

    /// The same, but never the whole list.
    pub(crate) fn paged(self) -> Result<Page, Invalid> {
        page(self.limit.as_deref(), self.offset.as_deref(), self.search, MAX_LIMIT)
    }

    /// Checks the parameters of a list that has no names to search in.
    ///
    /// # Errors
    /// As [`ListQuery::check`], and a text to search for.
    pub fn check_unsearched(self) -> Result<Page, Invalid> {
        match &self.search {
            Some(_) => Err(Invalid::at("search".into(), "this list has no names to search in")),
            None => self.check(),
        }
    }
}

/// A page of at most `most` entries; of 25 unless the request says otherwise, or as many as an export may have.
pub(crate) fn page(
    limit: Option<&str>,
    offset: Option<&str>,
    search: Option<String>,
    most: i64,
) -> Result<Page, Invalid> {
    let usual = if most > MAX_LIMIT { most } else { DEFAULT_LIMIT };
    Ok(Page {
        limit: whole_number("limit", limit)?.filter(|limit| *limit > 0).unwrap_or(usual).min(most),
        is_whole: false,
        offset: whole_number("offset", offset)?.unwrap_or(0),
        search: search.filter(|text| !text.is_empty()),
    })
}

/// A switch in a query.
pub(crate) fn flag(text: Option<&str>) -> bool {
    text == Some("true")
}

pub(crate) fn whole_number(name: &str, text: Option<&str>) -> Result<Option<i64>, Invalid> {
    let refuse = |what: &str| Invalid::at(name.into(), format!("Invalid {name} parameter: must be {what}"));
    match text.map(str::parse::<i64>) {
        None => Ok(None),
        Some(Err(_)) => Err(refuse("a number")),
        Some(Ok(..0)) => Err(refuse("non-negative")),
        Some(Ok(number)) => Ok(Some(number)),
    }
}

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entries of the page.
    pub entries: Vec<T>,
    /// How many entries match in all.
    pub total: i64,
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
            /// The page's largest size; the number of entries when no page was asked for.
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
