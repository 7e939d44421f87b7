//! Which part of a list: paging parameters, as they are asked for and checked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::invalid::Invalid;

/// Which part of a list is asked for. Without any member it is the whole list, up to 10,000 entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
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
/// The largest number in a query.
const LARGEST_NUMBER: i64 = 2_147_483_647;

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
}

/// Which part of a list that has no names is asked for. Without any member it is the whole list, up to 10,000 entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many entries at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many entries to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
    /// Accepted for compatibility: answers always show live usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<String>,
}

impl PageQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit or offset that is not a number, or negative.
    pub fn check(self) -> Result<Page, Invalid> {
        let Self { limit, offset, from_memory } = self;
        ListQuery { limit, offset, search: None, from_memory }.check()
    }
}

/// Where the usage in an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Accepted for compatibility: answers always show live usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_memory: Option<String>,
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
        Some(Ok(number)) if number > LARGEST_NUMBER => Err(refuse(&format!("at most {LARGEST_NUMBER}"))),
        Some(Ok(number)) => Ok(Some(number)),
    }
}

/// An instant in a query.
pub(crate) fn instant(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Invalid> {
    let refuse = |_| Invalid::at(name.into(), format!("Invalid {name} parameter: must be an RFC3339 timestamp"));
    text.map(|text| text.parse().map_err(refuse)).transpose()
}
