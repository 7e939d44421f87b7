//! The ledger: what every attempt used, and the counters that follow from it, in one transaction.

use std::collections::BTreeMap;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use jiff::Timestamp;
use keyward_core::budget::ModelUsage;
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::{Attribution, LedgerEntry, Posting};
use keyward_core::meter::MeterId;
use keyward_core::money::NanoUsd;
use keyward_core::price::TokenUsage;
use keyward_core::window::Window;

use super::{Conn, meter};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{ledger, ledger_postings};
use crate::store::LedgerTotals;

#[derive(Insertable)]
#[diesel(table_name = ledger_postings)]
struct PostingRow<'a> {
    request_id: &'a str,
    attempt: i32,
    position: i32,
    limit_id: &'a str,
    metric: &'static str,
    window_start: Instant,
    window_end: Instant,
    held: i64,
    amount: i64,
}

/// Records attempts, each at most once however often it is given, and adds what they used to the counters.
pub(crate) fn append(c: &mut Conn, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    let mut due = Due::default();
    for entry in entries {
        if insert(c, entry)? {
            insert_postings(c, entry)?;
            entry.postings.iter().for_each(|posting| due.add(posting));
        }
    }
    due.post(c)
}

/// Stores one entry; false when it is there already.
fn insert(c: &mut Conn, entry: &LedgerEntry) -> Result<bool, StoreError> {
    let LedgerEntry {
        attribution,
        usage,
        usage_source,
        cost,
        pricing,
        held: _,
        outcome,
        admitted_at,
        first_byte_at: _,
        settled_at,
        postings: _,
    } = entry;
    let Attribution {
        request_id,
        attempt,
        virtual_key_id,
        team_id,
        customer_id,
        provider,
        provider_key_id,
        model,
        model_served: _,
    } = attribution;
    let TokenUsage { input, cached_input, cache_write, output } = *usage;
    let inserted = diesel::insert_into(ledger::table)
        .values((
            ledger::request_id.eq(request_id.as_str()),
            ledger::attempt.eq(attempt),
            ledger::virtual_key_id.eq(virtual_key_id.as_str()),
            ledger::team_id.eq(team_id.as_ref().map(|id| id.as_str())),
            ledger::customer_id.eq(customer_id.as_ref().map(|id| id.as_str())),
            ledger::provider.eq(provider.as_str()),
            ledger::provider_key_id.eq(provider_key_id.as_str()),
            ledger::model.eq(model.as_str()),
            (
                ledger::input_tokens.eq(tokens(input)),
                ledger::cached_input_tokens.eq(tokens(cached_input)),
                ledger::cache_write_tokens.eq(tokens(cache_write)),
                ledger::output_tokens.eq(tokens(output)),
                ledger::usage_source.eq(usage_source.as_str()),
                ledger::cost.eq(cost.nanos()),
                ledger::priced.eq(pricing.is_some()),
                ledger::outcome.eq(outcome.as_str()),
                ledger::admitted_at.eq(Instant(*admitted_at)),
                ledger::settled_at.eq(Instant(*settled_at)),
            ),
        ))
        .on_conflict_do_nothing()
        .execute(c)?;
    Ok(inserted > 0)
}

/// The column has fewer bits than the count, which no provider reaches.
fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn insert_postings(c: &mut Conn, entry: &LedgerEntry) -> Result<(), StoreError> {
    let Attribution { request_id, attempt, .. } = &entry.attribution;
    let rows: Vec<PostingRow<'_>> = (0..)
        .zip(&entry.postings)
        .map(|(position, Posting { meter, window, cap: _, held, amount, would_refuse: _ })| PostingRow {
            request_id: request_id.as_str(),
            attempt: *attempt,
            position,
            limit_id: meter.limit.as_str(),
            metric: meter.metric.as_str(),
            window_start: Instant(window.start),
            window_end: Instant(window.end),
            held: *held,
            amount: *amount,
        })
        .collect();
    if !rows.is_empty() {
        diesel::insert_into(ledger_postings::table).values(rows).execute(c)?;
    }
    Ok(())
}

/// What a batch adds to each meter, in the order of its entries. Meters are ordered, so that two batches that meet in
/// the database never wait for each other in a circle.
#[derive(Default)]
struct Due<'a>(BTreeMap<&'a MeterId, Vec<(Window, i64)>>);

impl<'a> Due<'a> {
    /// Postings that follow each other in the same window are one.
    fn add(&mut self, posting: &'a Posting) {
        let due = self.0.entry(&posting.meter).or_default();
        match due.last_mut() {
            Some((window, amount)) if *window == posting.window => *amount = amount.saturating_add(posting.amount),
            Some(_) | None => due.push((posting.window, posting.amount)),
        }
    }

    fn post(self, c: &mut Conn) -> Result<(), StoreError> {
        for (meter, due) in self.0 {
            for (window, amount) in due {
                meter::post(c, meter, window, amount)?;
            }
        }
        Ok(())
    }
}

/// What a virtual key has used since an instant, model by model, dearest first.
pub(crate) fn usage_by_model(
    c: &mut Conn,
    virtual_key: &VirtualKeyId,
    since: Timestamp,
) -> Result<Vec<ModelUsage>, StoreError> {
    let cost = || sql::<BigInt>("CAST(COALESCE(SUM(cost), 0) AS BIGINT)");
    let rows: Vec<(String, String, i64, i64, i64)> = ledger::table
        .filter(ledger::virtual_key_id.eq(virtual_key.as_str()))
        .filter(ledger::admitted_at.ge(Instant(since)))
        .group_by((ledger::provider, ledger::model))
        .select((ledger::provider, ledger::model, count_star(), sql::<BigInt>(TOKENS), cost()))
        .order((cost().desc(), ledger::provider, ledger::model))
        .load(c)?;
    let usage = rows.into_iter().map(|(provider, model, total_requests, total_tokens, cost)| ModelUsage {
        model: model.into(),
        provider: provider.into(),
        total_requests,
        total_tokens,
        total_cost: NanoUsd::from_nanos(cost),
    });
    Ok(usage.collect())
}

/// Tokens of all classes. Sums of whole numbers are decimal in PostgreSQL; the cast makes them whole numbers again.
const TOKENS: &str =
    "CAST(COALESCE(SUM(input_tokens + cached_input_tokens + cache_write_tokens + output_tokens), 0) AS BIGINT)";

/// What the ledger says a virtual key has used since it was made.
pub(crate) fn totals(c: &mut Conn, virtual_key: &VirtualKeyId) -> Result<LedgerTotals, StoreError> {
    let cost = sql::<BigInt>("CAST(COALESCE(SUM(cost), 0) AS BIGINT)");
    let tokens = sql::<BigInt>(TOKENS);
    let (entries, cost, tokens) = ledger::table
        .filter(ledger::virtual_key_id.eq(virtual_key.as_str()))
        .select((count_star(), cost, tokens))
        .first::<(i64, i64, i64)>(c)?;
    Ok(LedgerTotals { entries, cost: NanoUsd::from_nanos(cost), tokens })
}
