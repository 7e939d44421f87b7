//! Old entries go, with their postings and adjustments: those that no counter counts any longer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use jiff::Timestamp;

use super::ledger::postings::{self, Counted};
use super::{Conn, meter, search, usage};
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::schema::{ledger, ledger_adjustments, meter_adjustments};
use crate::store::{Expired, LedgerPlace};

/// How many entries one transaction looks at.
const CHUNK: i64 = 1_000;

/// Whether the adjustment is in the current epoch of its meter.
const IS_ADJUSTED: &str = "EXISTS (SELECT 1 FROM meters m WHERE m.limit_id = meter_adjustments.limit_id \
                           AND m.metric = meter_adjustments.metric AND m.epoch = meter_adjustments.epoch)";

/// Where an entry stands: when it was settled, and which one it is.
type Place = (Instant, String, i32);
/// An entry with its postings, as they are stored.
type Row = (Place, String);

/// Looks at the next entries that were settled before an instant, and deletes those that no counter counts.
pub(crate) fn expire(c: &mut Conn, before: Timestamp, after: Option<LedgerPlace>) -> Result<Expired, StoreError> {
    let mut query = ledger::table.filter(ledger::settled_at.lt(Instant(before))).into_boxed();
    if let Some(LedgerPlace { settled_at, request_id, attempt }) = after {
        let later = sql::<Bool>("(settled_at, request_id, attempt) > (").bind::<InstantColumn, _>(Instant(settled_at));
        let later = later.sql(", ").bind::<Text, _>(request_id).sql(", ").bind::<Integer, _>(attempt).sql(")");
        query = query.filter(later);
    }
    let place = (ledger::settled_at, ledger::request_id, ledger::attempt);
    let rows: Vec<Row> = query.order(place).limit(CHUNK).select((place, ledger::postings)).load(c)?;
    let next = rows.last().map(|((settled_at, request_id, attempt), _)| LedgerPlace {
        settled_at: settled_at.0,
        request_id: request_id.clone(),
        attempt: *attempt,
    });
    let mut gone: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
    for (_, request_id, attempt) in uncounted(c, &rows)? {
        gone.entry(*attempt).or_default().push(request_id);
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

/// The entries of which no counter counts anything in its current epoch.
fn uncounted<'a>(c: &mut Conn, rows: &'a [Row]) -> Result<Vec<&'a Place>, StoreError> {
    let postings = rows.iter().map(|(_, text)| postings::read(text)).collect::<Result<Vec<_>, _>>()?;
    let limits: BTreeSet<&str> =
        postings.iter().flatten().map(|counted| counted.posting.meter.limit.as_str()).collect();
    let mut epochs = HashMap::new();
    for chunk in Vec::from_iter(limits).chunks(search::CHUNK) {
        epochs.extend(meter::epochs(c, chunk)?);
    }
    let is_counted =
        |counted: &Counted| counted.epoch.is_some() && counted.epoch == epochs.get(&counted.posting.meter).copied();
    let places = rows.iter().map(|(place, _)| place).zip(&postings);
    Ok(places.filter(|(_, postings)| !postings.iter().any(is_counted)).map(|(place, _)| place).collect())
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
    Ok(of_entries!(ledger))
}

/// Resets belong to no entry.
fn delete_resets(c: &mut Conn, before: Timestamp) -> Result<(), StoreError> {
    let resets = meter_adjustments::table.filter(meter_adjustments::request_id.is_null());
    let old = resets.filter(meter_adjustments::adjusted_at.lt(Instant(before)));
    diesel::delete(old.filter(diesel::dsl::not(sql::<Bool>(IS_ADJUSTED)))).execute(c)?;
    Ok(())
}
