//! When a budget will be used up, if spending goes on as it does.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::dimension::Filters;
use super::period::Hour;
use crate::budget::Budget;
use crate::ids::{CustomerId, LimitId, ModelName, ProviderName, TeamId, VirtualKeyId};
use crate::invalid::Invalid;
use crate::list::whole_number;
use crate::money::NanoUsd;

/// Which forecasts are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ForecastQuery {
    /// How many hours before now tell the pace: 24 unless given, at most 720.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 720)]
    pub hours: Option<String>,
    /// How many budgets at most, those that are used up first: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 2147483647)]
    pub limit: Option<String>,
}

/// A checked [`ForecastQuery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastRequest {
    /// How many hours tell the pace.
    pub hours: i64,
    /// How many budgets at most.
    pub limit: usize,
}

impl ForecastQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A number that is none, or too many hours.
    pub fn check(self) -> Result<ForecastRequest, Invalid> {
        let hours = whole_number("hours", self.hours.as_deref())?.unwrap_or(24);
        if !(1..=720).contains(&hours) {
            return Err(Invalid::at("hours".into(), "Invalid hours parameter: must be from 1 to 720"));
        }
        let limit = whole_number("limit", self.limit.as_deref())?.filter(|limit| *limit > 0).unwrap_or(25);
        Ok(ForecastRequest { hours, limit: usize::try_from(limit.min(100)).unwrap_or(usize::MAX) })
    }
}

impl ForecastRequest {
    /// The first hour that tells the pace.
    #[must_use]
    pub fn since(&self, now: Timestamp) -> Hour {
        Hour::of(now).after(-self.hours)
    }
}

/// What spending a budget covers: that which has all of these.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct BudgetScope {
    /// The customer; null: any.
    #[schema(value_type = Option<String>, required = true)]
    pub customer_id: Option<CustomerId>,
    /// The team; null: any.
    #[schema(value_type = Option<String>, required = true)]
    pub team_id: Option<TeamId>,
    /// The virtual key; null: any.
    #[schema(value_type = Option<String>, required = true)]
    pub virtual_key_id: Option<VirtualKeyId>,
    /// The provider; null: any.
    #[schema(value_type = Option<String>, required = true)]
    pub provider: Option<ProviderName>,
    /// The model; null: any.
    #[schema(value_type = Option<String>, required = true)]
    pub model: Option<ModelName>,
}

impl BudgetScope {
    /// The usage that it covers.
    #[must_use]
    pub fn filters(&self) -> Filters {
        Filters {
            customer: self.customer_id.as_ref().map(ToString::to_string),
            team: self.team_id.as_ref().map(ToString::to_string),
            virtual_key: self.virtual_key_id.as_ref().map(ToString::to_string),
            provider: self.provider.as_ref().map(ToString::to_string),
            model: self.model.as_ref().map(ToString::to_string),
            outcome: None,
        }
    }
}

/// When one budget will be used up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetForecast {
    /// The budget.
    #[schema(value_type = String)]
    pub budget_id: LimitId,
    /// What it covers.
    pub scope: BudgetScope,
    /// The cap in US dollars, with what an override adds to it now.
    pub max_limit: NanoUsd,
    /// US dollars used in the current window.
    pub current_usage: NanoUsd,
    /// When the current window ends; null: it does not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub resets_at: Option<Timestamp>,
    /// US dollars in a day at the present pace.
    pub per_day: NanoUsd,
    /// When the cap is reached at that pace; null: not before the window ends. The present, if it is reached already.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub exhausts_at: Option<Timestamp>,
    /// US dollars that will be used when the window ends, at that pace and as if there were no cap; null: it does not end.
    #[schema(required = true)]
    pub usage_at_reset: Option<NanoUsd>,
}

/// Which budgets are used up first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ForecastList {
    /// The forecasts: first those of budgets that are used up before their window ends, the earliest first; then the others, those
    /// with the largest share used first.
    pub forecasts: Vec<BudgetForecast>,
    /// How many there are.
    pub count: i64,
    /// How many budgets there are in all.
    pub total_count: i64,
    /// The first instant that tells the pace.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When the forecasts were made.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// Seconds of a day.
const DAY: i128 = 86_400;

impl BudgetForecast {
    /// The forecast for a budget that shows its usage at `now`. `spent` was spent since `since` of all that it covers. A budget that was made
    /// later has a pace of its own: what it has counted.
    #[must_use]
    pub fn new(budget: &Budget, scope: BudgetScope, spent: NanoUsd, since: Timestamp, now: Timestamp) -> Self {
        let over = budget.override_amount.unwrap_or(NanoUsd::ZERO);
        let max_limit = NanoUsd::from_nanos(budget.max_limit.nanos().saturating_add(over.nanos()));
        let (spent, since) = match budget.created_at > since {
            true => (budget.current_usage, budget.created_at.max(budget.last_reset)),
            false => (spent, since),
        };
        let span = i128::from(now.duration_since(since).as_secs().max(1));
        let spent = i128::from(spent.nanos().max(0));
        let at_pace = |seconds: i128| spent.saturating_mul(seconds) / span;
        let left = i128::from(max_limit.nanos()) - i128::from(budget.current_usage.nanos());
        let in_time = |at: &Timestamp| budget.resets_at.is_none_or(|reset| *at < reset);
        let used_up = |seconds: i128| {
            let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            now.checked_add(seconds).ok().filter(in_time)
        };
        let exhausts_at = match (left, spent) {
            (..=0, _) => Some(now),
            (_, 0) => None,
            (left, spent) => used_up((left.saturating_mul(span).saturating_add(spent - 1)) / spent),
        };
        let usage_at_reset = budget.resets_at.map(|reset| {
            let seconds = i128::from(reset.duration_since(now).as_secs().max(0));
            nanos(i128::from(budget.current_usage.nanos()).saturating_add(at_pace(seconds)))
        });
        Self {
            budget_id: budget.id.clone(),
            scope,
            max_limit,
            current_usage: budget.current_usage,
            resets_at: budget.resets_at,
            per_day: nanos(at_pace(DAY)),
            exhausts_at,
            usage_at_reset,
        }
    }

    /// What makes a forecast come first. Of the same rank, older budgets do.
    fn rank(&self) -> (bool, Option<Timestamp>, i128) {
        let share = i128::from(self.current_usage.nanos()).saturating_mul(1_000_000_000_000)
            / i128::from(self.max_limit.nanos().max(1));
        (self.exhausts_at.is_none(), self.exhausts_at, -share)
    }
}

impl ForecastList {
    /// The first `limit` of these.
    #[must_use]
    pub fn new(mut forecasts: Vec<BudgetForecast>, limit: usize, since: Timestamp, at: Timestamp) -> Self {
        let total_count = i64::try_from(forecasts.len()).unwrap_or(i64::MAX);
        forecasts.sort_by_cached_key(BudgetForecast::rank);
        forecasts.truncate(limit);
        let count = i64::try_from(forecasts.len()).unwrap_or(i64::MAX);
        Self { forecasts, count, total_count, since, at }
    }
}

fn nanos(nanos: i128) -> NanoUsd {
    NanoUsd::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}
