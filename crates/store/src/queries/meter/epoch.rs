//! The epochs that counters begin with.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::upsert::excluded;
use keyward_core::meter::MeterId;

use super::super::Conn;
use crate::error::StoreError;
use crate::schema::retired_meters;

/// How many rows one statement takes: SQLite allows 32,766 variables.
const ROWS: usize = 10_000;

/// The last epochs of counters that were removed, by the names of limit and metric.
pub(super) struct FirstEpochs(HashMap<(String, String), i64>);

impl FirstEpochs {
    /// Of a meter's first counter it is zero. A later one comes after all that the books know: of a limit that was deleted and is
    /// there again, nothing that was counted before is counted now.
    pub(super) fn of<'a>(c: &mut Conn, meters: impl Iterator<Item = &'a MeterId>) -> Result<Self, StoreError> {
        let retired = retired_meters::table.filter(retired_meters::limit_id.eq_any(meters.map(|of| of.limit.as_str())));
        let key = (retired_meters::limit_id, retired_meters::metric);
        Ok(Self(retired.select((key, retired_meters::epoch)).load(c)?.into_iter().collect()))
    }

    pub(super) fn first(&self, meter: &MeterId) -> i64 {
        if self.0.is_empty() {
            return 0;
        }
        let key = (meter.limit.to_string(), meter.metric.as_str().to_owned());
        self.0.get(&key).map_or(0, |last| last.saturating_add(1))
    }
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
