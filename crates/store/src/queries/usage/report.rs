//! Reports: the fewest rollups that tell what is asked for, added up.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use keyward_core::authority::Reach;
use keyward_core::money::NanoUsd;
use keyward_core::usage::{Dimension, Filters, Hour, ReportBuilder, Series, UsageReport, UsageRequest};

use super::super::Conn;
use super::super::search::CHUNK;
use super::folding;
use super::reading::{self, Range, Rollup};
use super::rollup::Kind;
use super::series::{self, View};
use crate::error::StoreError;
use crate::schema::{customers, teams, virtual_keys};

/// Beyond so many series, all of a range is read and what does not match is left out.
const FEW: usize = 2_000;

/// What usage comes to, with the names of what is in reach.
pub(crate) fn report(c: &mut Conn, request: &UsageRequest, reach: &Reach) -> Result<UsageReport, StoreError> {
    let told = request.group_by.iter().copied().chain(request.filters.dimensions());
    let ranges = ranges(request, View::telling(told), folding::until(c)?);
    let mut report = ReportBuilder::new(request);
    let mut groups: HashMap<i64, usize> = HashMap::new();
    read(c, &ranges, &request.filters, |row, series| {
        let group = *groups.entry(row.series).or_insert_with(|| report.group(series));
        report.add(group, row.start, &row.tally);
    })?;
    let mut report = report.finish();
    name(c, &mut report, reach)?;
    Ok(report)
}

/// What was spent between two hours, by each of these sets of series.
pub(crate) fn spent(
    c: &mut Conn,
    wanted: HashSet<Filters>,
    (from, to): (Hour, Hour),
) -> Result<HashMap<Filters, NanoUsd>, StoreError> {
    let folded = folding::until(c)?;
    // What tells by owner alone, or by model alone, needs the fewer rollups of that view.
    let mut masks: HashMap<View, HashSet<Vec<Dimension>>> = HashMap::new();
    for mask in wanted.iter().map(|filters| Vec::from_iter(filters.dimensions())) {
        masks.entry(View::telling(mask.iter().copied())).or_default().insert(mask);
    }
    let mut sums: HashMap<Filters, NanoUsd> = wanted.into_iter().map(|filters| (filters, NanoUsd::ZERO)).collect();
    for (view, masks) in masks {
        for range in spans(from, to, view, folded) {
            let costs = reading::costs(c, &range)?;
            for (id, series) in series::load(c, &Vec::from_iter(costs.keys().copied()))? {
                let cost = costs.get(&id).copied().unwrap_or_default();
                for mask in &masks {
                    if let Some(sum) = sums.get_mut(&Filters::of(&series, mask)) {
                        *sum = NanoUsd::from_nanos(sum.nanos().saturating_add(cost));
                    }
                }
            }
        }
    }
    Ok(sums)
}

/// Reads ranges, and what their series stand for.
fn read(
    c: &mut Conn,
    ranges: &[Range],
    filters: &Filters,
    mut take: impl FnMut(&Rollup, &Series<String>),
) -> Result<(), StoreError> {
    let mut known: HashMap<View, HashMap<i64, Series<String>>> = HashMap::new();
    let is_filtered = filters.dimensions().next().is_some();
    for range in ranges {
        let view = range.kind.view;
        if is_filtered && !known.contains_key(&view) {
            known.insert(view, series::matching(c, view, filters)?.into_iter().collect());
        }
        let known = known.entry(view).or_default();
        let few: Option<Vec<i64>> = (is_filtered && known.len() <= FEW).then(|| known.keys().copied().collect());
        let rows = reading::rows(c, range, few.as_deref())?;
        if !is_filtered {
            let new: HashSet<i64> = rows.iter().map(|row| row.series).filter(|id| !known.contains_key(id)).collect();
            known.extend(series::load(c, &Vec::from_iter(new))?);
        }
        for row in &rows {
            if let Some(series) = known.get(&row.series) {
                take(row, series);
            }
        }
    }
    Ok(())
}

/// The ranges that a request is about, so that each rollup lies in one period.
fn ranges(request: &UsageRequest, view: View, folded: Hour) -> Vec<Range> {
    let starts = if request.starts.is_empty() { std::slice::from_ref(&request.from) } else { &request.starts };
    let ends = starts.iter().skip(1).chain([&request.to]);
    let mut ranges: Vec<Range> = Vec::new();
    for range in starts.iter().zip(ends).flat_map(|(from, to)| spans(*from, *to, view, folded)) {
        match ranges.iter_mut().rev().find(|earlier| earlier.kind == range.kind) {
            Some(earlier) if earlier.to == range.from => earlier.to = range.to,
            Some(_) | None => ranges.push(range),
        }
    }
    ranges
}

/// The ranges between two hours: whole days where there are some, hours before and after them, and what is not folded yet.
fn spans(from: Hour, to: Hour, view: View, folded: Hour) -> Vec<Range> {
    let end = to.min(folded);
    // A day that is not over has what is folded of it.
    let last_day = if to >= folded { folded.next_day() } else { to.day() };
    let first_day = from.next_day();
    let (hours, days) = (Kind { is_day: false, view }, Kind { is_day: true, view });
    let folded_parts = match first_day < last_day {
        true => vec![(hours, from, first_day), (days, first_day, last_day), (hours, last_day, end)],
        false => vec![(hours, from, end)],
    };
    let written = (Kind::WRITTEN, from.max(folded), to);
    let parts = folded_parts.into_iter().chain([written]).map(|(kind, from, to)| Range { kind, from, to });
    parts.filter(|range| range.from < range.to).collect()
}

/// Looks up what things are called.
fn name(c: &mut Conn, report: &mut UsageReport, reach: &Reach) -> Result<(), StoreError> {
    // Whoever reaches a team does not see the customer above it.
    let is_shown = |dimension| dimension != Dimension::Customer || !matches!(reach, Reach::Team(_));
    let mut names: HashMap<(Dimension, String), String> = HashMap::new();
    macro_rules! look_up {
        ($($dimension:ident: $table:ident),+) => {$(
            let members = report.groups.iter().flat_map(|group| &group.by);
            let ids: Vec<&str> = members
                .filter(|member| member.dimension == Dimension::$dimension && is_shown(member.dimension))
                .filter_map(|member| member.value.as_deref())
                .collect();
            for chunk in ids.chunks(CHUNK) {
                let found = $table::table.filter($table::id.eq_any(chunk.iter().copied()));
                let rows: Vec<(String, String)> = found.select(($table::id, $table::name)).load(c)?;
                names.extend(rows.into_iter().map(|(id, name)| ((Dimension::$dimension, id), name)));
            }
        )+};
    }
    look_up!(Customer: customers, Team: teams, VirtualKey: virtual_keys);
    for member in report.groups.iter_mut().flat_map(|group| &mut group.by) {
        let value = member.value.clone().unwrap_or_default();
        member.name = names.get(&(member.dimension, value)).cloned();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every hour is in exactly one range, and a day is only taken where all of what it has is wanted.
    #[test]
    fn the_ranges_have_each_hour_once() {
        let hour = Hour::from_number;
        for folded in [0, 5, 24, 30, 48, 71, 72, 500] {
            for from in 0..100 {
                for to in from + 1..100 {
                    let mut covered = Vec::new();
                    for range in spans(hour(from), hour(to), View::Owners, hour(folded)) {
                        let hours = (range.from.number()..range.to.number()).filter(|at| {
                            let is_folded = *at < folded;
                            assert!(!range.kind.is_day || range.from.day() == range.from);
                            if range.kind == Kind::WRITTEN { !is_folded } else { is_folded }
                        });
                        covered.extend(hours);
                        if range.kind.is_day {
                            let all = (range.from.number()..range.to.number()).filter(|at| *at < folded);
                            assert!(all.clone().all(|at| at >= from && at < to), "{from}..{to}, {folded}: {range:?}");
                        }
                    }
                    covered.sort_unstable();
                    assert_eq!(covered, Vec::from_iter(from..to), "{from}..{to}, folded until {folded}");
                }
            }
        }
    }
}
