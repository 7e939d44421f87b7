//! The ledger: what every attempt used, and the counters that follow from it, in one transaction.

use std::collections::HashSet;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use jiff::Timestamp;
use keyward_core::budget::ModelUsage;
use keyward_core::crash_point::{CrashPoint, Probe};
use keyward_core::event::EventPolicy;
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::LedgerEntry;
use keyward_core::money::NanoUsd;

use super::search::CHUNK;
use super::{Conn, IS_WRITTEN_ROW_BY_ROW, event, usage};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::ledger;
use crate::store::{Appended, Familiarity, LedgerTotals};

mod due;
mod listing;
pub(super) mod postings;
mod row;
mod scattered;

use due::{Due, Posted};
pub(crate) use listing::list;
pub(crate) use postings::of_entry as postings_of;
use row::EntryRow;
pub(crate) use row::tokens;

/// How many rows one statement takes: SQLite allows 32,766 variables.
const ROWS: usize = 1_000;

/// Records attempts and adds what they used to the counters. What others are to be told of that is written down with it. Each is
/// recorded at most once: one that is there already is left out when they are looked for, and else an error.
pub(crate) fn append(
    c: &mut Conn,
    entries: &[LedgerEntry],
    familiarity: Familiarity,
    policy: &EventPolicy,
    probe: &Probe,
) -> Result<Appended, StoreError> {
    let new = match familiarity {
        Familiarity::AllNew => entries.iter().collect(),
        Familiarity::Unknown => unrecorded(c, entries)?,
    };
    let Posted { epochs, readings } = Due::of(&new).post(c)?;
    usage::post(c, &new)?;
    probe.reached(CrashPoint::CountersMoved);
    insert(c, &new, epochs)?;
    probe.reached(CrashPoint::EntriesInserted);
    Ok(Appended { entries: new.len(), events: event::record(c, policy, &readings)? })
}

/// Stores entries; `epochs` has the epoch of each of their postings, in their order.
fn insert(c: &mut Conn, entries: &[&LedgerEntry], epochs: Vec<Option<i64>>) -> Result<(), StoreError> {
    let mut epochs = epochs.into_iter();
    let mut rows = entries.iter().map(|entry| EntryRow::of(entry, postings::text(entry, &mut epochs)?));
    if IS_WRITTEN_ROW_BY_ROW {
        return rows.try_for_each(|row| {
            diesel::insert_into(ledger::table).values(row?).execute(c)?;
            Ok(())
        });
    }
    loop {
        let chunk = rows.by_ref().take(ROWS).collect::<Result<Vec<_>, _>>()?;
        if chunk.is_empty() {
            return Ok(());
        }
        diesel::insert_into(ledger::table).values(chunk).execute(c)?;
    }
}

/// Those that are not there yet. Nobody else writes until the transaction ends, so that they are still new when they are stored.
fn unrecorded<'a>(c: &mut Conn, entries: &'a [LedgerEntry]) -> Result<Vec<&'a LedgerEntry>, StoreError> {
    let key = |entry: &LedgerEntry| (entry.attribution.request_id.to_string(), entry.attribution.attempt);
    let mut known = HashSet::new();
    for chunk in entries.chunks(CHUNK) {
        let requests = chunk.iter().map(|entry| entry.attribution.request_id.as_str());
        let found = ledger::table.filter(ledger::request_id.eq_any(requests));
        known.extend(found.select((ledger::request_id, ledger::attempt)).load::<(String, i32)>(c)?);
    }
    Ok(entries.iter().filter(|entry| known.insert(key(entry))).collect())
}

/// What a virtual key has used since an instant, model by model, dearest first.
pub(crate) fn usage_by_model(
    c: &mut Conn,
    virtual_key: &VirtualKeyId,
    since: Timestamp,
) -> Result<Vec<ModelUsage>, StoreError> {
    let cost = || sql::<BigInt>(COST);
    let rows: Vec<(String, String, i64, i64, i64)> = ledger::table
        .filter(ledger::virtual_key_id.eq(virtual_key.as_str()))
        .filter(ledger::admitted_at.ge(Instant(since)))
        // The index is by settlement, which no attempt has before its admission.
        .filter(ledger::settled_at.ge(Instant(since)))
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
const TOKENS: &str = "CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT)";

/// What entries cost, with what was adjusted since.
const COST: &str = "CAST(COALESCE(SUM(cost + COALESCE((SELECT SUM(a.new_cost - a.old_cost) FROM ledger_adjustments a \
                    WHERE a.request_id = ledger.request_id AND a.attempt = ledger.attempt), 0)), 0) AS BIGINT)";

/// What the ledger says a virtual key has used since it was made.
pub(crate) fn totals(c: &mut Conn, virtual_key: &VirtualKeyId) -> Result<LedgerTotals, StoreError> {
    let (cost, tokens) = (sql::<BigInt>(COST), sql::<BigInt>(TOKENS));
    let unreported =
        sql::<BigInt>("CAST(COALESCE(SUM(CASE WHEN usage_source = 'provider' THEN 0 ELSE cost END), 0) AS BIGINT)");
    let (entries, cost, tokens, unreported) = ledger::table
        .filter(ledger::virtual_key_id.eq(virtual_key.as_str()))
        .select((count_star(), cost, tokens, unreported))
        .first::<(i64, i64, i64, i64)>(c)?;
    let (cost, unreported) = (NanoUsd::from_nanos(cost), NanoUsd::from_nanos(unreported));
    Ok(LedgerTotals { entries, cost, tokens, unreported })
}
