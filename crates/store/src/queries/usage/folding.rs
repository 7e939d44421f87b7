//! Folding: hours that are over are added up in coarser views, and by the day.

use diesel::dsl::min;
use diesel::prelude::*;
use keyward_core::usage::{Hour, Series};

use super::super::Conn;
use super::borrowed;
use super::reading::{self, Range};
use super::rollup::{Change, Changes, Kind};
use crate::error::StoreError;
use crate::schema::{usage_folding, usage_rollups};

/// The first hour that is not folded.
pub(super) fn until(c: &mut Conn) -> Result<Hour, StoreError> {
    Ok(Hour::from_number(usage_folding::table.find(1).select(usage_folding::folded_until).first(c)?))
}

/// Folds the next hour before `end` that has anything in it. False: there is none.
pub(crate) fn fold(c: &mut Conn, end: Hour) -> Result<bool, StoreError> {
    let folded = until(c)?;
    if folded >= end {
        return Ok(false);
    }
    let written = usage_rollups::table.filter(usage_rollups::kind.eq(Kind::WRITTEN.number()));
    let later = written.filter(usage_rollups::start.ge(folded.number())).filter(usage_rollups::start.lt(end.number()));
    let next: Option<i64> = later.select(min(usage_rollups::start)).first(c)?;
    let Some(hour) = next.map(Hour::from_number) else {
        advance(c, end)?;
        return Ok(false);
    };
    let rows = reading::rows(c, &Range { kind: Kind::WRITTEN, from: hour, to: hour.after(1) }, None)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.series).collect();
    let known: std::collections::HashMap<i64, Series<String>> = super::series::load(c, &ids)?.into_iter().collect();
    let mut changes = Changes::default();
    for row in &rows {
        let series =
            known.get(&row.series).ok_or_else(|| StoreError::unreadable("a rollup", "its series is unknown"))?;
        for kind in Kind::FOLDED {
            changes.add(kind, hour, &borrowed(series), &row.tally);
        }
    }
    changes.apply(c, Change::Add)?;
    advance(c, hour.after(1))?;
    Ok(true)
}

fn advance(c: &mut Conn, to: Hour) -> Result<(), StoreError> {
    let row = diesel::update(usage_folding::table.find(1));
    row.set(usage_folding::folded_until.eq(to.number())).execute(c)?;
    Ok(())
}
