//! What is summed up of the ledger, and how it is read.

mod budgets;
mod pages;
mod reports;
mod rollups;

use jiff::Timestamp;
use keyward_core::ledger::{Attribution, LedgerEntry, LedgerRecord, Outcome};
use keyward_core::price::{ServiceTier, TokenUsage, Usage};
use keyward_core::usage::{Filters, Hour, RefusalCount, Series, UsageReportQuery, UsageRequest};
use keyward_store::Store;

use crate::attempt::entry;
use crate::request::at;

const MIDNIGHT: &str = "2026-11-23T00:00:00Z";

fn minutes(minutes: i64) -> Timestamp {
    Timestamp::from_second(at(MIDNIGHT).as_second() + minutes * 60).unwrap()
}

/// An attempt by who it was, and when.
#[derive(Debug, Clone)]
struct Made {
    key: u8,
    model: u8,
    outcome: usize,
    is_batch: bool,
    cost: i64,
    minute: i64,
    millis: i64,
}

fn attempt(request: &str, made: &Made) -> LedgerEntry {
    let entry = entry(request, &format!("key {}", made.key).into(), Vec::new());
    let settled_at = minutes(made.minute);
    let before = |millis: i64| Timestamp::from_millisecond(settled_at.as_millisecond() - millis).unwrap();
    let counts = TokenUsage { input: 100, cached_input: u64::from(made.key), output: 7, ..TokenUsage::default() };
    let tier = if made.is_batch { ServiceTier::Batch } else { ServiceTier::Standard };
    LedgerEntry {
        attribution: Attribution {
            // The odd ones belong to a team, which has a customer where it is the third.
            team_id: (made.key % 2 == 1).then(|| format!("team {}", made.key).into()),
            customer_id: (made.key == 3).then(|| "customer".into()),
            model: format!("model {}", made.model).into(),
            ..entry.attribution
        },
        usage: Usage { tier, ..Usage::from(counts) },
        cost: keyward_core::money::NanoUsd::from_nanos(made.cost),
        outcome: Outcome::ALL[made.outcome],
        admitted_at: before(made.millis),
        first_byte_at: (made.millis % 2 == 0).then(|| before(made.millis / 2)),
        settled_at,
        ..entry
    }
}

fn simple(request: &str, key: u8, minute: i64) -> LedgerEntry {
    attempt(request, &Made { key, model: key, outcome: 0, is_batch: false, cost: 10, minute, millis: 400 })
}

async fn fold(store: &Store, until: Timestamp) {
    while store.usage_fold(Hour::of(until)).await.unwrap() {}
}

fn refusal(key: u8, minute: i64, count: u64) -> RefusalCount {
    let series = Series {
        virtual_key: format!("key {key}"),
        outcome: "budget_exceeded".to_owned(),
        team: if key == 1 { "team 1".to_owned() } else { String::new() },
        ..Series::default()
    };
    RefusalCount { hour: Hour::of(minutes(minute)), series, count }
}

fn request(from: i64, to: i64, group_by: &str, interval: Option<&str>) -> UsageRequest {
    let query = UsageReportQuery {
        from: Some(minutes(from).to_string()),
        to: Some(minutes(to).to_string()),
        group_by: Some(group_by.to_owned()),
        interval: interval.map(str::to_owned),
        limit: Some("3".to_owned()),
        ..UsageReportQuery::default()
    };
    query.check(at(MIDNIGHT)).unwrap()
}

fn series(record: &LedgerRecord) -> Series<String> {
    Series {
        customer: record.customer_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        team: record.team_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        virtual_key: record.virtual_key_id.to_string(),
        provider: record.provider.to_string(),
        model: record.model.to_string(),
        outcome: record.outcome.clone(),
    }
}

fn matches(filters: &Filters, series: &Series<String>) -> bool {
    filters.dimensions().all(|by| filters.get(by).as_ref() == Some(series.get(by)))
}
