//! Which teams a list has.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::ids::CustomerId;
use crate::invalid::Invalid;
use crate::list::{ListQuery, Page};

/// Which teams are asked for. Without any member it is all of them, up to 10,000.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TeamQuery {
    /// How many entries at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many entries to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
    /// Only entries whose name has this in it, ignoring the case of ASCII letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only teams of this customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub customer_id: Option<CustomerId>,
    /// Accepted for compatibility: answers always show live usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<String>,
}

/// A checked part of the list of teams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TeamFilter {
    /// Which page.
    pub page: Page,
    /// Only those of this customer.
    pub customer_id: Option<CustomerId>,
}

impl From<Page> for TeamFilter {
    fn from(page: Page) -> Self {
        Self { page, customer_id: None }
    }
}

impl TeamQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit or offset that is not a number, or negative.
    pub fn check(self) -> Result<TeamFilter, Invalid> {
        let Self { limit, offset, search, customer_id, from_memory } = self;
        let query = ListQuery { limit, offset, search, from_memory };
        let customer_id = customer_id.filter(|id| !id.as_str().is_empty());
        let page = if customer_id.is_some() { query.paged()? } else { query.check()? };
        Ok(TeamFilter { page, customer_id })
    }
}
