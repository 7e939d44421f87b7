//! The list of events: paging parameters, and the envelope.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Event;
use crate::invalid::Invalid;
use crate::list::{Listed, MAX_LIMIT, Page, page};

/// Which events are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// How many events at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many events to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
}

impl EventQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit or offset that is not a number, or negative.
    pub fn check(self) -> Result<Page, Invalid> {
        page(self.limit.as_deref(), self.offset.as_deref(), None, MAX_LIMIT)
    }
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventList {
    /// The events of this page, newest first.
    pub events: Vec<Event>,
    /// How many events this page has.
    pub count: i64,
    /// How many events there are.
    pub total_count: i64,
    /// How many events the page has at most.
    pub limit: i64,
    /// How many events were skipped.
    pub offset: i64,
}

impl EventList {
    /// The envelope of a page.
    #[must_use]
    pub fn new(listed: Listed<Event>, page: &Page) -> Self {
        Self {
            count: i64::try_from(listed.entries.len()).unwrap_or(i64::MAX),
            events: listed.entries,
            total_count: listed.total,
            limit: page.limit,
            offset: page.offset,
        }
    }
}
