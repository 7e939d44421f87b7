//! Postings as the ledger stores them: in the row of their entry, as a JSON array with an array for each. What its places mean is
//! said once more in the view `ledger_postings`. A row for each posting would be a dozen of rows, each with its indexes, for every request.

use diesel::prelude::*;
use keyward_core::ledger::{LedgerEntry, Posting};
use keyward_core::meter::MeterId;
use keyward_core::window::Window;

use super::super::Conn;
use super::super::meter::metric;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::ledger;

/// A stored posting: limit, metric, start and end of the window in microseconds since 1970, cap, held, amount, whether a limit that
/// only watches would have refused it, epoch.
type Stored<T> = (T, T, i64, i64, i64, i64, i64, bool, Option<i64>);

/// A stored posting, and where it was counted.
pub(in super::super) struct Counted {
    pub(in super::super) posting: Posting,
    /// The counter's epoch that the amount was counted in; none: it was counted nowhere.
    pub(in super::super) epoch: Option<i64>,
}

/// The postings of an entry; `epochs` has the epoch of each, in their order.
pub(super) fn text(entry: &LedgerEntry, epochs: &mut impl Iterator<Item = Option<i64>>) -> Result<String, StoreError> {
    let stored: Vec<Stored<&str>> = entry.postings.iter().zip(epochs).map(stored).collect();
    serde_json::to_string(&stored).map_err(StoreError::internal)
}

fn stored((posting, epoch): (&Posting, Option<i64>)) -> Stored<&str> {
    let Posting { meter, window, cap, held, amount, would_refuse } = posting;
    let [start, end] = [window.start, window.end].map(|instant| Instant(instant).microseconds());
    (meter.limit.as_str(), meter.metric.as_str(), start, end, *cap, *held, *amount, *would_refuse, epoch)
}

/// The postings of an entry, in checking order; none of an entry that is not there.
pub(crate) fn of_entry(c: &mut Conn, request_id: &str, attempt: i32) -> Result<Vec<Posting>, StoreError> {
    let entry = ledger::table.find((request_id, attempt)).select(ledger::postings);
    let text: Option<String> = entry.first(c).optional()?;
    let counted = text.map(|text| read(&text)).transpose()?.unwrap_or_default();
    Ok(counted.into_iter().map(|counted| counted.posting).collect())
}

/// The postings in a row of the ledger.
pub(in super::super) fn read(text: &str) -> Result<Vec<Counted>, StoreError> {
    let stored: Vec<Stored<String>> = serde_json::from_str(text).map_err(unreadable)?;
    let counted = stored.into_iter().map(|(limit, name, start, end, cap, held, amount, would_refuse, epoch)| {
        let meter = MeterId { limit: limit.into(), metric: metric(name)? };
        let [start, end] = [start, end].map(Instant::from_microseconds);
        let window = Window { start: start.map_err(unreadable)?.0, end: end.map_err(unreadable)?.0 };
        Ok(Counted { posting: Posting { meter, window, cap, held, amount, would_refuse }, epoch })
    });
    counted.collect()
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::unreadable("the postings of an entry", error)
}
