//! What other costs do to the counters that the entries were counted in.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::LimitId;
use keyward_core::ledger::Posting;
use keyward_core::meter::{MeterId, Metric};

use super::super::Conn;
use super::super::ledger::postings::{self, Counted};
use super::Changed;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{ledger, meter_adjustments};

/// How many rows one statement takes: SQLite allows 32,766 variables.
const ROWS: usize = 1_000;

/// What is to be added to the counter of a limit in an epoch.
pub(super) type Due = BTreeMap<(LimitId, i64), i64>;

/// Writes down what changes on each meter, in the epoch that the entry was counted in. What was counted in none stays so.
pub(super) fn adjust_meters(
    c: &mut Conn,
    changed: &[Changed<'_>],
    at: Timestamp,
    due: &mut Due,
) -> Result<(), StoreError> {
    let amounts: HashMap<(&str, i32), i64> =
        changed.iter().map(|changed| (changed.entry.key(), changed.amount())).collect();
    let entries: Vec<(String, i32, String)> = ledger::table
        .filter(ledger::request_id.eq_any(changed.iter().map(|changed| changed.entry.key().0)))
        .order((ledger::request_id, ledger::attempt))
        .select((ledger::request_id, ledger::attempt, ledger::postings))
        .load(c)?;
    let mut rows = Vec::new();
    for (request_id, attempt, text) in &entries {
        let Some(amount) = amounts.get(&(request_id.as_str(), *attempt)) else { continue };
        for Counted { posting, epoch } in postings::read(text)? {
            let Posting { meter: MeterId { limit, metric }, window, .. } = posting;
            let Some(epoch) = epoch.filter(|_| metric == Metric::Cost) else { continue };
            let counted = due.entry((limit.clone(), epoch)).or_insert(0);
            *counted = counted.saturating_add(*amount);
            rows.push((
                meter_adjustments::limit_id.eq(limit.to_string()),
                meter_adjustments::metric.eq(metric.as_str()),
                meter_adjustments::window_start.eq(Instant(window.start)),
                meter_adjustments::window_end.eq(Instant(window.end)),
                meter_adjustments::epoch.eq(epoch),
                meter_adjustments::amount.eq(*amount),
                meter_adjustments::reason.eq("rerate"),
                meter_adjustments::request_id.eq(request_id),
                meter_adjustments::attempt.eq(*attempt),
                meter_adjustments::adjusted_at.eq(Instant(at)),
            ));
        }
    }
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS));
        diesel::insert_into(meter_adjustments::table).values(rows).execute(c)?;
        rows = rest;
    }
    Ok(())
}
