//! Entries that lie scattered among others: the rollups say in which hours they are, and whose they are.

use keyward_core::ledger::{LedgerFilter, LedgerOrder};
use keyward_core::usage::{Filters, Hour};

use super::super::Conn;
use super::super::usage::{ActiveHour, Search};
use super::listing::{Row, load, place};
use crate::error::StoreError;

/// How much longer each span is than the one that was looked through before it.
const GROWTH: i64 = 4;

/// Up to `limit` rows that match. Where there are many of them, only the first hours are looked up; where there are few, only these.
pub(super) fn list(c: &mut Conn, filter: &LedgerFilter, limit: i64) -> Result<Vec<Row>, StoreError> {
    let Some(search) = Search::new(c, &filter.filters, within(filter))? else { return Ok(Vec::new()) };
    let mut rows: Vec<Row> = Vec::new();
    for (from, to) in spans(search.from, search.to, filter.order) {
        let mut hours = search.hours(c, from, to)?;
        if filter.order == LedgerOrder::Desc {
            hours.reverse();
        }
        for hour in hours {
            let left = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(i64::MAX));
            if left <= 0 {
                return Ok(rows);
            }
            rows.append(&mut of_hour(c, filter, hour, left)?);
        }
    }
    Ok(rows)
}

/// From which hour to which a page can be.
fn within(filter: &LedgerFilter) -> (Hour, Hour) {
    let after = filter.after.as_ref().map(|place| Hour::of(place.settled_at));
    let (mut from, mut to) = (filter.from.map(Hour::of), filter.to.map(Hour::from));
    match filter.order {
        LedgerOrder::Asc => from = from.max(after),
        LedgerOrder::Desc => to = [to, after.map(|hour| hour.after(1))].into_iter().flatten().min(),
    }
    (from.unwrap_or(Hour::from_number(i64::MIN)), to.unwrap_or(Hour::from_number(i64::MAX)))
}

/// Cuts a time into spans that grow, the first of them where a page begins.
fn spans(from: Hour, to: Hour, order: LedgerOrder) -> Vec<(Hour, Hour)> {
    let (mut spans, mut long) = (Vec::new(), 1);
    let (mut from, mut to) = (from, to);
    while from < to {
        match order {
            LedgerOrder::Asc => {
                let end = from.after(long).min(to);
                spans.push((from, end));
                from = end;
            }
            LedgerOrder::Desc => {
                let start = to.after(-long).max(from);
                spans.push((start, to));
                to = start;
            }
        }
        long = long.saturating_mul(GROWTH);
    }
    spans
}

/// Up to `limit` rows of an hour. One that has more than that is read until they are found; of others only what is of virtual keys
/// that have some, so that no statement finds none.
fn of_hour(c: &mut Conn, filter: &LedgerFilter, hour: ActiveHour, limit: i64) -> Result<Vec<Row>, StoreError> {
    let ActiveHour { hour, series } = hour;
    if series.is_empty() || series.values().sum::<i64>() >= limit {
        return load(c, filter, Some(hour), limit);
    }
    let mut rows = Vec::new();
    for key in series.into_keys() {
        let filters = Filters { virtual_key: Some(key), ..filter.filters.clone() };
        rows.append(&mut load(c, &LedgerFilter { filters, ..filter.clone() }, Some(hour), limit)?);
    }
    rows.sort_by(|one, other| match filter.order {
        LedgerOrder::Asc => place(one).cmp(&place(other)),
        LedgerOrder::Desc => place(other).cmp(&place(one)),
    });
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spans_have_each_hour_once_and_in_order() {
        let hour = Hour::from_number;
        for to in 1..200 {
            let up = spans(hour(0), hour(to), LedgerOrder::Asc);
            let down = spans(hour(0), hour(to), LedgerOrder::Desc);
            for (spans, first) in [(&up, hour(0)), (&down, hour(to - 1))] {
                let mut hours: Vec<i64> = spans.iter().flat_map(|(from, to)| from.number()..to.number()).collect();
                assert!((spans[0].0..spans[0].1).contains(&first));
                hours.sort_unstable();
                assert_eq!(hours, Vec::from_iter(0..to));
            }
            assert!(up.is_sorted());
            assert!(down.iter().rev().is_sorted());
        }
        assert!(spans(hour(3), hour(3), LedgerOrder::Desc).is_empty());
    }
}
