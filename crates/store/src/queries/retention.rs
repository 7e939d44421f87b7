//! Old entries go, with their postings and adjustments: those that no counter counts any longer.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use jiff::Timestamp;

use super::{Conn, usage};
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::schema::{ledger, ledger_adjustments, ledger_postings, meter_adjustments};
use crate::store::{Expired, LedgerPlace};

/// How many entries one transaction looks at.
const CHUNK: i64 = 1_000;

/// Whether a posting of the entry is in the current epoch of its meter.
const IS_COUNTED: &str = "EXISTS (SELECT 1 FROM ledger_postings p \
                          JOIN meters m ON m.limit_id = p.limit_id AND m.metric = p.metric AND m.epoch = p.epoch \
                          WHERE p.request_id = ledger.request_id AND p.attempt = ledger.attempt)";

/// Whether the adjustment is in the current epoch of its meter.
const IS_ADJUSTED: &str = "EXISTS (SELECT 1 FROM meters m WHERE m.limit_id = meter_adjustments.limit_id \
                           AND m.metric = meter_adjustments.metric AND m.epoch = meter_adjustments.epoch)";

/// Looks at the next entries that were settled before an instant, and deletes those that no counter counts.
pub(crate) fn expire(c: &mut Conn, before: Timestamp, after: Option<LedgerPlace>) -> Result<Expired, StoreError> {
    let mut query = ledger::table.filter(ledger::settled_at.lt(Instant(before))).into_boxed();
    if let Some(LedgerPlace { settled_at, request_id, attempt }) = after {
        let later = sql::<Bool>("(settled_at, request_id, attempt) > (").bind::<InstantColumn, _>(Instant(settled_at));
        let later = later.sql(", ").bind::<Text, _>(request_id).sql(", ").bind::<Integer, _>(attempt).sql(")");
        query = query.filter(later);
    }
    let place = (ledger::settled_at, ledger::request_id, ledger::attempt);
    let rows: Vec<((Instant, String, i32), bool)> =
        query.order(place).limit(CHUNK).select((place, sql::<Bool>(IS_COUNTED))).load(c)?;
    let next = rows.last().map(|((settled_at, request_id, attempt), _)| LedgerPlace {
        settled_at: settled_at.0,
        request_id: request_id.clone(),
        attempt: *attempt,
    });
    let mut gone: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
    for ((_, request_id, attempt), is_counted) in &rows {
        if !is_counted {
            gone.entry(*attempt).or_default().push(request_id);
        }
    }
    let mut deleted = 0;
    for (attempt, requests) in gone {
        deleted += delete(c, attempt, &requests)?;
    }
    if next.is_none() {
        delete_resets(c, before)?;
        usage::forget_refusals(c, before)?;
    }
    Ok(Expired { deleted, next })
}

fn delete(c: &mut Conn, attempt: i32, requests: &[&str]) -> Result<usize, StoreError> {
    macro_rules! of_entries {
        ($table:ident) => {{
            let of_attempt = $table::table.filter($table::attempt.eq(attempt));
            diesel::delete(of_attempt.filter($table::request_id.eq_any(requests))).execute(c)?
        }};
    }
    usage::withdraw(c, attempt, requests)?;
    of_entries!(meter_adjustments);
    of_entries!(ledger_adjustments);
    of_entries!(ledger_postings);
    Ok(of_entries!(ledger))
}

/// Resets belong to no entry.
fn delete_resets(c: &mut Conn, before: Timestamp) -> Result<(), StoreError> {
    let resets = meter_adjustments::table.filter(meter_adjustments::request_id.is_null());
    let old = resets.filter(meter_adjustments::adjusted_at.lt(Instant(before)));
    diesel::delete(old.filter(diesel::dsl::not(sql::<Bool>(IS_ADJUSTED)))).execute(c)?;
    Ok(())
}
