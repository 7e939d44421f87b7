//! Which usage is asked for, and how it is cut up.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::dimension::{Dimension, Filters};
use super::period::{Hour, Interval};
use super::tally::Tally;
use crate::invalid::Invalid;
use crate::list::{instant, whole_number};
use crate::zone::Zone;

/// What a report is about. All of the last 24 hours, unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UsageReportQuery {
    /// Only what was settled or refused since the beginning of the hour of this instant (RFC 3339): 24 hours before `to` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<String>,
    /// Only what was settled or refused before the end of the hour of this instant (RFC 3339): now unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub to: Option<String>,
    /// The periods of `points`: at most 1,000. Absent: there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<Interval>)]
    pub interval: Option<String>,
    /// The IANA time zone that days, weeks and months begin in: UTC unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What it is told apart by, separated by commas: `customer`, `team`, `virtual_key`, `provider`, `model`, `outcome`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(example = "virtual_key,model")]
    pub group_by: Option<String>,
    /// What makes a group come first: `cost` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<Ranking>)]
    pub order_by: Option<String>,
    /// How many groups at most: 10 unless given, at most 100. What the others come to is `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 2147483647)]
    pub limit: Option<String>,
    /// Only of this customer; empty: of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Only of this team; empty: of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Only of this virtual key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_key_id: Option<String>,
    /// Only at this provider; empty: refusals before one was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only of this model, without its provider; empty: refusals before one was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only attempts that ended so, such as `completed`; or refusals with this code, such as `budget_exceeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// What makes a group come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ranking {
    /// What it costs.
    #[default]
    Cost,
    /// How many attempts it has.
    Requests,
    /// How many tokens it used.
    Tokens,
    /// How many requests were refused.
    Refusals,
}

impl Ranking {
    const ALL: [Self; 4] = [Self::Cost, Self::Requests, Self::Tokens, Self::Refusals];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Refusals => "refusals",
        }
    }

    /// What a tally is ranked by.
    #[must_use]
    pub fn of(self, tally: &Tally) -> i128 {
        match self {
            Self::Cost => tally.cost.nanos().into(),
            Self::Requests => tally.requests.into(),
            Self::Tokens => tally.counts.total().into(),
            Self::Refusals => tally.refusals.into(),
        }
    }
}

/// A checked [`UsageReportQuery`].
#[derive(Debug, Clone, PartialEq)]
pub struct UsageRequest {
    /// The first hour.
    pub from: Hour,
    /// The hour after the last.
    pub to: Hour,
    /// The periods of points.
    pub interval: Option<Interval>,
    /// Where the periods begin; empty: there are none.
    pub starts: Vec<Hour>,
    /// The zone that periods begin in.
    pub zone: Zone,
    /// What groups are told apart by; empty: there are none.
    pub group_by: Vec<Dimension>,
    /// What makes a group come first.
    pub order_by: Ranking,
    /// How many groups at most.
    pub limit: usize,
    /// Which usage.
    pub filters: Filters,
}

/// Groups unless the query says otherwise, and at most.
const GROUPS: (i64, i64) = (10, 100);
/// Hours unless the query says otherwise.
const HOURS: i64 = 24;
/// The most points.
const POINTS: usize = 1_000;

impl UsageReportQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// Something that cannot be read, an end before its beginning, or more than 1,000 periods.
    pub fn check(self, now: Timestamp) -> Result<UsageRequest, Invalid> {
        let to = instant("to", self.to)?.map_or_else(|| Hour::of(now).after(1), Hour::from);
        let from = instant("from", self.from)?.map_or_else(|| to.after(-HOURS), Hour::of);
        if from >= to {
            return Err(Invalid::at("to".into(), "Invalid to parameter: must be later than from"));
        }
        let zone = zone(self.timezone.as_deref())?;
        let interval = one_of("interval", self.interval.as_deref(), &Interval::ALL, Interval::as_str)?;
        let starts = interval.map_or(Some(Vec::new()), |every| every.starts(from, to, zone.time_zone(), POINTS));
        let too_many =
            || Invalid::at("interval".into(), format!("Invalid interval parameter: more than {POINTS} periods"));
        let (usual, most) = GROUPS;
        let limit = whole_number("limit", self.limit.as_deref())?.filter(|limit| *limit > 0).unwrap_or(usual);
        Ok(UsageRequest {
            from,
            to,
            interval,
            starts: starts.ok_or_else(too_many)?,
            zone,
            group_by: dimensions(self.group_by.as_deref())?,
            order_by: one_of("order_by", self.order_by.as_deref(), &Ranking::ALL, Ranking::as_str)?.unwrap_or_default(),
            limit: usize::try_from(limit.min(most)).unwrap_or(usize::MAX),
            filters: Filters {
                customer: self.customer_id,
                team: self.team_id,
                virtual_key: self.virtual_key_id,
                provider: self.provider,
                model: self.model,
                outcome: self.outcome,
            },
        })
    }
}

fn zone(name: Option<&str>) -> Result<Zone, Invalid> {
    let refuse = |error| Invalid::at("timezone".into(), format!("Invalid timezone parameter: {error}"));
    name.map_or(Ok(Zone::default()), |name| Zone::from_str(name).map_err(refuse))
}

fn dimensions(names: Option<&str>) -> Result<Vec<Dimension>, Invalid> {
    let mut found = Vec::new();
    for name in names.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let known = Dimension::ALL.map(Dimension::as_str).join(", ");
        let refuse = || Invalid::at("group_by".into(), format!("Invalid group_by parameter: must be of {known}"));
        let dimension = Dimension::find(name).ok_or_else(refuse)?;
        if !found.contains(&dimension) {
            found.push(dimension);
        }
    }
    Ok(found)
}

/// The one of these that has the name.
pub(crate) fn one_of<T: Copy>(
    parameter: &str,
    name: Option<&str>,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Invalid> {
    let Some(name) = name else { return Ok(None) };
    let found = all.iter().copied().find(|one| as_str(*one) == name);
    let refuse = || {
        let known: Vec<_> = all.iter().map(|one| as_str(*one)).collect();
        Invalid::at(parameter.into(), format!("Invalid {parameter} parameter: must be one of {}", known.join(", ")))
    };
    found.map(Some).ok_or_else(refuse)
}
