//! Rollups, to write: what changes is read, changed, and written back, one row for each hour and series of a batch. Nobody else
//! writes until the transaction ends.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::upsert::excluded;
use keyward_core::money::NanoUsd;
use keyward_core::usage::{Hour, Series, Tally};

use super::super::Conn;
use super::super::search::CHUNK;
use super::series::{self, View};
use super::{Tallies, folding};
use crate::error::StoreError;
use crate::schema::usage_rollups;

/// How many rows one statement takes: SQLite allows 32,766 variables.
const ROWS: usize = 1_000;

/// What is done with tallies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Subtract,
}

/// How long a rollup is, and what it tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) is_day: bool,
    pub(super) view: View,
}

impl Kind {
    /// What is written.
    pub(super) const WRITTEN: Self = Self { is_day: false, view: View::All };
    /// What hours that are over are added up in besides.
    pub(super) const FOLDED: [Self; 5] = [
        Self { is_day: false, view: View::COARSE[0] },
        Self { is_day: false, view: View::COARSE[1] },
        Self { is_day: true, view: View::All },
        Self { is_day: true, view: View::COARSE[0] },
        Self { is_day: true, view: View::COARSE[1] },
    ];

    pub(super) const fn number(self) -> i32 {
        self.view.number() + if self.is_day { 3 } else { 0 }
    }

    const fn start(self, hour: Hour) -> Hour {
        if self.is_day { hour.day() } else { hour }
    }
}

/// Which rollup: its kind, where it begins, and of which series.
pub(super) type Key = (i32, i64, i64);

/// What is to change, in the order of keys: two batches never wait for each other in a circle.
#[derive(Default)]
pub(super) struct Changes<'a>(BTreeMap<Key, (View, Series<&'a str>, Tally)>);

impl<'a> Changes<'a> {
    /// A change of the rollup of this kind that an hour goes into.
    pub(super) fn add(&mut self, kind: Kind, hour: Hour, series: &Series<&'a str>, tally: &Tally) {
        let series = kind.view.of(series);
        let key = (kind.number(), kind.start(hour).number(), series::id(kind.view, &series));
        self.0.entry(key).or_insert_with(|| (kind.view, series, Tally::default())).2.add(tally);
    }

    /// Carries it out.
    pub(super) fn apply(self, c: &mut Conn, change: Change) -> Result<(), StoreError> {
        let mut known = existing(c, self.0.keys())?;
        let (mut rows, mut gone, mut new) = (Vec::with_capacity(self.0.len()), Vec::new(), Vec::new());
        for (key, (view, series, tally)) in self.0 {
            let known = known.remove(&key);
            if known.is_none() {
                new.push((key.2, view, series));
            }
            let mut sum = known.unwrap_or_default();
            match change {
                Change::Add => sum.add(&tally),
                Change::Subtract => sum.subtract(&tally),
            }
            if sum.is_empty() { gone.push(key) } else { rows.push(Row::of(key, &sum)) }
        }
        series::remember(c, &new)?;
        write(c, rows)?;
        delete(c, &gone)
    }
}

/// Changes what is written, and what it was added up in.
pub(super) fn apply(c: &mut Conn, tallies: Tallies<'_>, change: Change) -> Result<(), StoreError> {
    if tallies.is_empty() {
        return Ok(());
    }
    let folded = folding::until(c)?;
    let mut changes = Changes::default();
    for ((hour, series), tally) in &tallies {
        changes.add(Kind::WRITTEN, *hour, series, tally);
        if *hour < folded {
            Kind::FOLDED.into_iter().for_each(|kind| changes.add(kind, *hour, series, tally));
        }
    }
    changes.apply(c, change)
}

/// A tally as a row.
#[derive(Insertable)]
#[diesel(table_name = usage_rollups, treat_none_as_default_value = false)]
struct Row {
    kind: i32,
    start: i64,
    series: i64,
    requests: i64,
    refusals: i64,
    cost: i64,
    input_tokens: i64,
    output_tokens: i64,
    detail: Vec<u8>,
}

impl Row {
    fn of((kind, start, series): Key, tally: &Tally) -> Self {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            kind,
            start,
            series,
            requests: number(tally.requests),
            refusals: number(tally.refusals),
            cost: tally.cost.nanos(),
            input_tokens: number(tally.counts.total_input()),
            output_tokens: number(tally.counts.total_output()),
            detail: tally.detail(),
        }
    }
}

/// What of a row makes its tally again: requests, refusals, cost, detail.
pub(super) type Stored = (i64, i64, i64, Vec<u8>);

/// The tally that a row has.
pub(super) fn tally((requests, refusals, cost, detail): Stored) -> Result<Tally, StoreError> {
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let (requests, refusals, cost) = (number(requests), number(refusals), NanoUsd::from_nanos(cost));
    let tally = Tally { requests, refusals, cost, ..Tally::default() }.with_detail(&detail);
    tally.ok_or_else(|| StoreError::unreadable("a rollup", "its detail is none"))
}

fn existing<'a>(c: &mut Conn, keys: impl Iterator<Item = &'a Key>) -> Result<HashMap<Key, Tally>, StoreError> {
    let mut places: BTreeMap<(i32, i64), Vec<i64>> = BTreeMap::new();
    keys.for_each(|(kind, start, series)| places.entry((*kind, *start)).or_default().push(*series));
    let mut found = HashMap::new();
    for ((kind, start), series) in places {
        let there = usage_rollups::table.filter(usage_rollups::kind.eq(kind)).filter(usage_rollups::start.eq(start));
        for chunk in series.chunks(CHUNK) {
            let stored = (usage_rollups::requests, usage_rollups::refusals, usage_rollups::cost, usage_rollups::detail);
            let rows: Vec<(i64, Stored)> =
                there.filter(usage_rollups::series.eq_any(chunk)).select((usage_rollups::series, stored)).load(c)?;
            for (series, stored) in rows {
                found.insert((kind, start, series), tally(stored)?);
            }
        }
    }
    Ok(found)
}

fn write(c: &mut Conn, mut rows: Vec<Row>) -> Result<(), StoreError> {
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS));
        diesel::insert_into(usage_rollups::table)
            .values(rows)
            .on_conflict((usage_rollups::kind, usage_rollups::start, usage_rollups::series))
            .do_update()
            .set((
                usage_rollups::requests.eq(excluded(usage_rollups::requests)),
                usage_rollups::refusals.eq(excluded(usage_rollups::refusals)),
                usage_rollups::cost.eq(excluded(usage_rollups::cost)),
                usage_rollups::input_tokens.eq(excluded(usage_rollups::input_tokens)),
                usage_rollups::output_tokens.eq(excluded(usage_rollups::output_tokens)),
                usage_rollups::detail.eq(excluded(usage_rollups::detail)),
            ))
            .execute(c)?;
        rows = rest;
    }
    Ok(())
}

fn delete(c: &mut Conn, gone: &[Key]) -> Result<(), StoreError> {
    for (kind, start, series) in gone {
        diesel::delete(usage_rollups::table.find((*kind, *start, *series))).execute(c)?;
    }
    Ok(())
}
