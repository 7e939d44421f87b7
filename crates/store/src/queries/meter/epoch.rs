//! The epochs that counters begin with.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::upsert::excluded;
use keyward_core::meter::MeterId;

use super::super::Conn;
use super::{Counted, Share};
use crate::error::StoreError;
use crate::schema::{meters, retired_meters};

/// How many rows one statement takes: SQLite allows 32,766 variables.
const ROWS: usize = 10_000;

/// The epoch of a meter's first counter.
pub(super) const FIRST: i64 = 0;

/// Gives counters that were just made the epochs that come after all that the books know: of a limit that was deleted and is there
/// again, nothing that was counted before is counted now.
pub(super) fn follow_retired(c: &mut Conn, shares: &mut [(&MeterId, &mut Share)]) -> Result<(), StoreError> {
    // A counter that has just been made reads its share; few others do.
    let is_new = |share: &Share| {
        share.counted.is_some_and(|Counted { epoch, count }| epoch == FIRST && count.used == share.amount)
    };
    let new: Vec<_> = shares.iter_mut().filter(|(_, share)| is_new(share)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let limits = new.iter().map(|(meter, _)| meter.limit.as_str());
    let retired = retired_meters::table.filter(retired_meters::limit_id.eq_any(limits));
    let key = (retired_meters::limit_id, retired_meters::metric);
    let last: HashMap<(String, String), i64> =
        retired.select((key, retired_meters::epoch)).load(c)?.into_iter().collect();
    if last.is_empty() {
        return Ok(());
    }
    for (meter, share) in new {
        let (limit, metric) = (meter.limit.to_string(), meter.metric.as_str().to_owned());
        let Some(last) = last.get(&(limit, metric)) else { continue };
        let Some(counted) = &mut share.counted else { continue };
        counted.epoch = last.saturating_add(1);
        let counter = meters::table.find((meter.limit.as_str(), meter.metric.as_str()));
        diesel::update(counter).set(meters::epoch.eq(counted.epoch)).execute(c)?;
    }
    Ok(())
}

/// Remembers the epochs of counters that are removed: limit, metric, epoch.
pub(super) fn remember(c: &mut Conn, removed: Vec<(String, String, i64)>) -> Result<(), StoreError> {
    for chunk in removed.chunks(ROWS) {
        let rows = chunk.iter().map(|(limit, metric, epoch)| {
            (retired_meters::limit_id.eq(limit), retired_meters::metric.eq(metric), retired_meters::epoch.eq(epoch))
        });
        diesel::insert_into(retired_meters::table)
            .values(rows.collect::<Vec<_>>())
            .on_conflict((retired_meters::limit_id, retired_meters::metric))
            .do_update()
            .set(retired_meters::epoch.eq(excluded(retired_meters::epoch)))
            .execute(c)?;
    }
    Ok(())
}
