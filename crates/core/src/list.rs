//! Lists: paging parameters, and the envelopes that answers come in.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::invalid::Invalid;
use crate::owner::{Customer, Team};
use crate::provider::{Provider, ProviderKey};
use crate::routing_rule::RoutingRule;
use crate::virtual_key::VirtualKey;

/// Which part of a list is asked for. Without any member it is the whole list.
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
}

/// A checked part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// How many entries at most; none: all.
    pub limit: Option<i64>,
    /// How many entries to skip.
    pub offset: i64,
    /// Only entries whose name has this in it.
    pub search: Option<String>,
}

/// Entries on a page unless the request says otherwise.
const DEFAULT_LIMIT: i64 = 25;
/// The most entries on a page.
const MAX_LIMIT: i64 = 100;

impl ListQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit or offset that is not a number, or negative.
    pub fn check(self) -> Result<Page, Invalid> {
        if self == Self::default() {
            return Ok(Page::default());
        }
        let limit = match whole_number("limit", self.limit.as_deref())? {
            None | Some(0) => DEFAULT_LIMIT,
            Some(limit) => limit.min(MAX_LIMIT),
        };
        Ok(Page {
            limit: Some(limit),
            offset: whole_number("offset", self.offset.as_deref())?.unwrap_or(0),
            search: self.search.filter(|text| !text.is_empty()),
        })
    }
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
                    limit: page.limit.unwrap_or(count),
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
    /// A page of routing rules.
    RoutingRuleList, rules: RoutingRule
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
