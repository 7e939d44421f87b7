//! What other costs do to the counters that the entries were counted in.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::LimitId;
use keyward_core::meter::Metric;

use super::super::Conn;
use super::Changed;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{ledger_postings, meter_adjustments};

/// How many rows one statement takes: SQLite allows 32,766 variables.
const ROWS: usize = 1_000;

#[derive(Queryable, Selectable)]
#[diesel(table_name = ledger_postings)]
struct CostPosting {
    request_id: String,
    attempt: i32,
    limit_id: String,
    window_start: Instant,
    window_end: Instant,
    epoch: Option<i64>,
}

/// What is to be added to the counter of a limit in an epoch.
pub(super) type Due = BTreeMap<(LimitId, i64), i64>;

/// Writes down what changes on each meter, in the epoch that the entry was counted in. What was counted in none stays so.
pub(super) fn adjust_meters(
    c: &mut Conn,
    changed: &[Changed<'_>],
    at: Timestamp,
    due: &mut Due,
) -> Result<(), StoreError> {
    let of =
        |changed: &Changed<'_>| ((changed.entry.row.request_id.clone(), changed.entry.row.attempt), changed.amount());
    let amounts: HashMap<(String, i32), i64> = changed.iter().map(of).collect();
    let requests = changed.iter().map(|changed| changed.entry.row.request_id.as_str());
    let postings: Vec<CostPosting> = ledger_postings::table
        .filter(ledger_postings::request_id.eq_any(requests))
        .filter(ledger_postings::metric.eq(Metric::Cost.as_str()))
        .filter(ledger_postings::epoch.is_not_null())
        .order((ledger_postings::request_id, ledger_postings::attempt, ledger_postings::position))
        .select(CostPosting::as_select())
        .load(c)?;
    let mut rows = Vec::new();
    for CostPosting { request_id, attempt, limit_id, window_start, window_end, epoch } in postings {
        let key = (request_id, attempt);
        let (Some(amount), Some(epoch)) = (amounts.get(&key).copied(), epoch) else { continue };
        let counted = due.entry((limit_id.as_str().into(), epoch)).or_insert(0);
        *counted = counted.saturating_add(amount);
        rows.push((
            meter_adjustments::limit_id.eq(limit_id),
            meter_adjustments::metric.eq(Metric::Cost.as_str()),
            meter_adjustments::window_start.eq(window_start),
            meter_adjustments::window_end.eq(window_end),
            meter_adjustments::epoch.eq(epoch),
            meter_adjustments::amount.eq(amount),
            meter_adjustments::reason.eq("rerate"),
            meter_adjustments::request_id.eq(key.0),
            meter_adjustments::attempt.eq(attempt),
            meter_adjustments::adjusted_at.eq(Instant(at)),
        ));
    }
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS));
        diesel::insert_into(meter_adjustments::table).values(rows).execute(c)?;
        rows = rest;
    }
    Ok(())
}
