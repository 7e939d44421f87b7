//! Which routing rules a list is asked for.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{RoutingScope, checks};
use crate::invalid::Invalid;
use crate::list::{ListQuery, Page};

/// Which routing rules are asked for. With `scope` or `scope_id` the answer is not paged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RoutingRuleQuery {
    /// Only rules of this scope: `global`, `team`, `customer` or `virtual_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Only rules of this virtual key, team or customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_id: Option<String>,
    /// How many rules at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many rules to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
    /// Only rules whose name has this in it, ignoring the case of ASCII letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Accepted for compatibility: the answer is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<String>,
}

/// A checked query for routing rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoutingRuleFilter {
    /// Only rules of this scope.
    pub scope: Option<RoutingScope>,
    /// Only rules of this virtual key, team or customer.
    pub scope_id: Option<String>,
    /// Which part of those.
    pub page: Page,
}

impl RoutingRuleQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// An unknown scope; a limit or offset that is not a number, or negative.
    pub fn check(self) -> Result<RoutingRuleFilter, Invalid> {
        let Self { scope, scope_id, limit, offset, search, from_memory: _ } = self;
        let scope = scope.filter(|scope| !scope.is_empty());
        let scope = scope.as_deref().map(checks::scope_of_name).transpose()?;
        let scope_id = scope_id.filter(|id| !id.is_empty());
        let page = ListQuery { limit, offset, search, from_memory: None }.check()?;
        let is_paged = scope.is_none() && scope_id.is_none();
        let page = if is_paged { page } else { Page { search: page.search, ..Page::default() } };
        Ok(RoutingRuleFilter { scope, scope_id, page })
    }
}
