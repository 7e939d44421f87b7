//! Rollups, to read.

use std::collections::HashMap;

use diesel::dsl::{max, min};
use diesel::prelude::*;
use keyward_core::usage::{Hour, RefusalCount, Tally};

use super::super::Conn;
use super::rollup::{Kind, Stored, tally};
use super::series;
use crate::error::StoreError;
use crate::schema::usage_rollups;

/// Rollups of one kind that begin in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) kind: Kind,
    pub(super) from: Hour,
    pub(super) to: Hour,
}

/// A rollup.
pub(super) struct Rollup {
    pub(super) start: Hour,
    pub(super) series: i64,
    pub(super) tally: Tally,
}

/// How many series a statement names.
const NAMED: usize = 1_000;

macro_rules! of_range {
    ($range:expr) => {
        usage_rollups::table
            .filter(usage_rollups::kind.eq($range.kind.number()))
            .filter(usage_rollups::start.ge($range.from.number()))
            .filter(usage_rollups::start.lt($range.to.number()))
    };
}

type Row = (i64, i64, Stored);

fn read((start, series, stored): Row) -> Result<Rollup, StoreError> {
    Ok(Rollup { start: Hour::from_number(start), series, tally: tally(stored)? })
}

/// The rollups of a range, of these series or of all.
pub(super) fn rows(c: &mut Conn, range: &Range, of: Option<&[i64]>) -> Result<Vec<Rollup>, StoreError> {
    let stored = (usage_rollups::requests, usage_rollups::refusals, usage_rollups::cost, usage_rollups::detail);
    let columns = (usage_rollups::start, usage_rollups::series, stored);
    let mut rows: Vec<Row> = Vec::new();
    match of {
        None => rows = of_range!(range).select(columns).load(c)?,
        Some(ids) => {
            for chunk in ids.chunks(NAMED) {
                rows.append(&mut of_range!(range).filter(usage_rollups::series.eq_any(chunk)).select(columns).load(c)?);
            }
        }
    }
    rows.into_iter().map(read).collect()
}

/// What each series has cost in a range, in nano-dollars.
pub(super) fn costs(c: &mut Conn, range: &Range) -> Result<HashMap<i64, i64>, StoreError> {
    let rows: Vec<(i64, i64)> = of_range!(range).select((usage_rollups::series, usage_rollups::cost)).load(c)?;
    let mut costs: HashMap<i64, i64> = HashMap::new();
    for (series, cost) in rows {
        let sum = costs.entry(series).or_default();
        *sum = sum.saturating_add(cost);
    }
    Ok(costs)
}

/// The hours of a range in which something was attempted, of these series or of all.
pub(super) fn hours(c: &mut Conn, range: &Range, of: Option<&[i64]>) -> Result<Vec<Hour>, StoreError> {
    macro_rules! attempted {
        () => {
            of_range!(range).filter(usage_rollups::requests.gt(0)).select(usage_rollups::start).distinct()
        };
    }
    let mut hours: Vec<i64> = Vec::new();
    match of {
        None => hours = attempted!().load(c)?,
        Some(ids) => {
            for chunk in ids.chunks(NAMED) {
                hours.append(&mut attempted!().filter(usage_rollups::series.eq_any(chunk)).load(c)?);
            }
        }
    }
    Ok(hours.into_iter().map(Hour::from_number).collect())
}

/// In which hours of a range there is something of these series: hour and series. Nothing else is read, so that SQLite finds them by their
/// series: with another column it would rather look through all of the range.
pub(super) fn places(c: &mut Conn, range: &Range, of: &[i64]) -> Result<Vec<(Hour, i64)>, StoreError> {
    let mut places: Vec<(i64, i64)> = Vec::new();
    for chunk in of.chunks(NAMED) {
        let found = of_range!(range).filter(usage_rollups::series.eq_any(chunk));
        places.append(&mut found.select((usage_rollups::start, usage_rollups::series)).load(c)?);
    }
    Ok(places.into_iter().map(|(hour, series)| (Hour::from_number(hour), series)).collect())
}

/// The first and the last hour of those between two that have anything.
pub(super) fn extent(c: &mut Conn, (from, to): (Hour, Hour)) -> Result<Option<(Hour, Hour)>, StoreError> {
    let range = Range { kind: Kind::WRITTEN, from, to };
    // Each by itself: SQLite answers one of them from the end of the index, and both by reading all.
    let first: Option<i64> = of_range!(range).select(min(usage_rollups::start)).first(c)?;
    let last: Option<i64> = of_range!(range).select(max(usage_rollups::start)).first(c)?;
    Ok(first.zip(last).map(|(first, last)| (Hour::from_number(first), Hour::from_number(last))))
}

/// What was refused before an hour.
pub(super) fn refusals(c: &mut Conn, before: Hour) -> Result<Vec<RefusalCount>, StoreError> {
    let range = Range { kind: Kind::WRITTEN, from: Hour::from_number(i64::MIN), to: before };
    let refused = of_range!(range).filter(usage_rollups::refusals.gt(0));
    let rows: Vec<(i64, i64, i64)> =
        refused.select((usage_rollups::start, usage_rollups::series, usage_rollups::refusals)).load(c)?;
    let ids: Vec<i64> = rows.iter().map(|(_, series, _)| *series).collect();
    let known: HashMap<_, _> = series::load(c, &ids)?.into_iter().collect();
    let counted = rows.into_iter().filter_map(|(hour, id, count)| {
        let (hour, count) = (Hour::from_number(hour), u64::try_from(count).ok()?);
        Some(RefusalCount { hour, series: known.get(&id)?.clone(), count })
    });
    Ok(counted.collect())
}
