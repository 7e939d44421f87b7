//! The report: sums, percentiles, groups and points.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::dimension::{Attribute, Dimension, Series};
use super::histogram::Histogram;
use super::period::{Hour, Interval};
use super::query::{Ranking, UsageRequest};
use super::tally::Tally;
use crate::money::NanoUsd;
use crate::price::TokenUsage;

/// What usage comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageReport {
    /// When the first hour begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When the last hour ends.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// The periods of points; null: there are none.
    #[schema(required = true)]
    pub interval: Option<Interval>,
    /// The time zone that days, weeks and months begin in.
    pub timezone: String,
    /// What groups are told apart by.
    pub group_by: Vec<Dimension>,
    /// What makes a group come first.
    pub order_by: Ranking,
    /// What everything comes to.
    pub total: UsageSums,
    /// The same, period by period.
    pub points: Vec<UsagePoint>,
    /// The groups that come first.
    pub groups: Vec<UsageGroup>,
    /// The other groups; null: there are none.
    #[schema(required = true)]
    pub other: Option<UsageRest>,
}

/// What usage comes to, in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageSums {
    /// Attempts: calls of a provider. A fallback is another one.
    pub requests: u64,
    /// Requests that Keyward refused.
    pub refusals: u64,
    /// US dollars, with what was adjusted since.
    pub cost: NanoUsd,
    /// Tokens.
    pub tokens: TokenSums,
    /// From admission to the end of the answer, in milliseconds.
    pub latency_ms: Percentiles,
    /// From admission to the first byte of the answer, in milliseconds.
    pub time_to_first_byte_ms: Percentiles,
}

/// Tokens by where they went, and what was used by class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TokenSums {
    /// All tokens.
    pub total: u64,
    /// The tokens that went to models.
    pub input: u64,
    /// The tokens that came from models.
    pub output: u64,
    /// How much of each class; what there is nothing of is left out. Besides tokens: searches, images, seconds, characters.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    pub classes: TokenUsage,
}

/// Percentiles of durations, each within 6.25 % of the true one. Attempts of batches and abandoned ones are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Percentiles {
    /// How many durations there are.
    pub count: u64,
    /// The median, in milliseconds; null: there are no durations.
    #[schema(required = true)]
    pub p50: Option<u64>,
    /// The 90th percentile.
    #[schema(required = true)]
    pub p90: Option<u64>,
    /// The 95th percentile.
    #[schema(required = true)]
    pub p95: Option<u64>,
    /// The 99th percentile.
    #[schema(required = true)]
    pub p99: Option<u64>,
}

/// What usage comes to in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsagePoint {
    /// When the period begins.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// What usage comes to in it.
    pub usage: UsageSums,
}

/// What usage comes to in one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageGroup {
    /// What it has in common: a member for each dimension of `group_by`, in its order.
    pub by: Vec<GroupMember>,
    /// What usage comes to in it.
    pub usage: UsageSums,
    /// The same, period by period.
    pub points: Vec<UsagePoint>,
}

/// What a group has in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupMember {
    /// In which dimension.
    pub dimension: Dimension,
    /// The id of a customer, team or virtual key; the name of a provider or model; the outcome. Null: there is none.
    #[schema(required = true)]
    pub value: Option<String>,
    /// The name of the customer, team or virtual key; null for others, and when it is gone.
    #[schema(required = true)]
    pub name: Option<String>,
}

/// What usage comes to in the groups that do not come first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageRest {
    /// How many groups those are.
    pub groups: u64,
    /// What usage comes to in them.
    pub usage: UsageSums,
    /// The same, period by period.
    pub points: Vec<UsagePoint>,
}

/// A sum, and its points as far as there is anything in them.
#[derive(Default)]
struct Sum {
    all: Tally,
    points: HashMap<usize, Tally>,
}

impl Sum {
    fn add(&mut self, tally: &Tally, point: Option<usize>) {
        self.all.add(tally);
        if let Some(point) = point {
            self.points.entry(point).or_default().add(tally);
        }
    }

    fn join(&mut self, other: &Self) {
        self.all.add(&other.all);
        for (point, tally) in &other.points {
            self.points.entry(*point).or_default().add(tally);
        }
    }
}

/// Makes a report from tallies.
pub struct ReportBuilder<'a> {
    request: &'a UsageRequest,
    groups: Vec<(Vec<Attribute>, Sum)>,
    places: HashMap<Vec<Attribute>, usize>,
}

impl<'a> ReportBuilder<'a> {
    /// A report without anything in it.
    #[must_use]
    pub fn new(request: &'a UsageRequest) -> Self {
        Self { request, groups: Vec::new(), places: HashMap::new() }
    }

    /// The group that a series belongs to.
    pub fn group(&mut self, series: &Series<Attribute>) -> usize {
        let key: Vec<Attribute> = self.request.group_by.iter().map(|by| series.get(*by).clone()).collect();
        let (groups, next) = (&mut self.groups, self.places.len());
        *self.places.entry(key).or_insert_with_key(|key| {
            groups.push((key.clone(), Sum::default()));
            next
        })
    }

    /// Adds a tally of a time that lies in one period.
    pub fn add(&mut self, group: usize, at: Hour, tally: &Tally) {
        let point = self.request.starts.partition_point(|start| *start <= at).checked_sub(1);
        if let Some((_, sum)) = self.groups.get_mut(group) {
            sum.add(tally, point);
        }
    }

    /// The report; nothing in it has a name yet.
    #[must_use]
    pub fn finish(self) -> UsageReport {
        let Self { request, mut groups, .. } = self;
        let mut total = Sum::default();
        groups.iter().for_each(|(_, sum)| total.join(sum));
        let by_rank = |(key, sum): &(Vec<Attribute>, Sum)| (-request.order_by.of(&sum.all), key.clone());
        groups.sort_by_cached_key(by_rank);
        if request.group_by.is_empty() {
            groups.clear();
        }
        let rest = groups.split_off(groups.len().min(request.limit));
        let mut other = Sum::default();
        rest.iter().for_each(|(_, sum)| other.join(sum));
        let member = |(dimension, value): (&Dimension, Attribute)| GroupMember {
            dimension: *dimension,
            name: None,
            value: Some(value).filter(|value| !value.is_empty()),
        };
        let groups = groups.into_iter().map(|(key, sum)| UsageGroup {
            by: request.group_by.iter().zip(key).map(member).collect(),
            usage: sums(&sum.all),
            points: points(request, &sum),
        });
        UsageReport {
            from: request.from.begins(),
            to: request.to.begins(),
            interval: request.interval,
            timezone: request.zone.name().to_owned(),
            group_by: request.group_by.clone(),
            order_by: request.order_by,
            total: sums(&total.all),
            points: points(request, &total),
            groups: groups.collect(),
            other: (!rest.is_empty()).then(|| UsageRest {
                groups: u64::try_from(rest.len()).unwrap_or(u64::MAX),
                usage: sums(&other.all),
                points: points(request, &other),
            }),
        }
    }
}

fn points(request: &UsageRequest, sum: &Sum) -> Vec<UsagePoint> {
    let nothing = Tally::default();
    let point = |(place, start): (usize, &Hour)| UsagePoint {
        start: start.begins(),
        usage: sums(sum.points.get(&place).unwrap_or(&nothing)),
    };
    request.starts.iter().enumerate().map(point).collect()
}

fn sums(tally: &Tally) -> UsageSums {
    let Tally { requests, refusals, cost, counts, latency, first_byte } = tally;
    let tokens = TokenSums {
        total: counts.total(),
        input: counts.total_input(),
        output: counts.total_output(),
        classes: *counts,
    };
    UsageSums {
        requests: *requests,
        refusals: *refusals,
        cost: *cost,
        tokens,
        latency_ms: percentiles(latency),
        time_to_first_byte_ms: percentiles(first_byte),
    }
}

fn percentiles(histogram: &Histogram) -> Percentiles {
    Percentiles {
        count: histogram.count(),
        p50: histogram.quantile(500),
        p90: histogram.quantile(900),
        p95: histogram.quantile(950),
        p99: histogram.quantile(990),
    }
}
