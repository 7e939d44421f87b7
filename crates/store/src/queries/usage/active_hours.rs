//! Where in the ledger there is something to be found: the rollups know, so that nobody looks through what does not match.

use std::collections::{BTreeMap, HashMap};

use keyward_core::usage::{Filters, Hour};

use super::super::Conn;
use super::folding;
use super::reading::{self, Range};
use super::rollup::Kind;
use super::series::{self, View};
use crate::error::StoreError;

/// Up to so many series are looked for by themselves; of more, only whether there are any in an hour.
const FEW: usize = 2_000;

/// An hour in which attempts were settled that match.
pub(crate) struct ActiveHour {
    pub(crate) hour: Hour,
    /// The virtual keys that had some, and how many series each: so many attempts at least. Empty: that is not told.
    pub(crate) series: BTreeMap<String, i64>,
}

/// A search for attempts that match, between two hours.
pub(crate) struct Search {
    /// The first hour in which there is anything.
    pub(crate) from: Hour,
    /// After the last one.
    pub(crate) to: Hour,
    sought: Sought,
}

/// The series that match.
enum Sought {
    /// Each with its virtual key.
    Few(HashMap<i64, String>),
    /// In the coarsest view that tells, which hours have from when they are folded.
    Many { view: View, series: Vec<i64>, folded: Hour },
}

impl Search {
    /// None: between these hours there is nothing at all.
    pub(crate) fn new(c: &mut Conn, filters: &Filters, within: (Hour, Hour)) -> Result<Option<Self>, StoreError> {
        let Some((first, last)) = reading::extent(c, within)? else { return Ok(None) };
        let sought = match series::keys(c, filters, FEW)? {
            Some(keys) => Sought::Few(keys),
            None => {
                let view = View::telling(filters.dimensions());
                let series = series::matching(c, view, filters)?.into_iter().map(|(id, _)| id).collect();
                Sought::Many { view, series, folded: folding::until(c)? }
            }
        };
        Ok(Some(Self { from: first, to: last.after(1), sought }))
    }

    /// The active hours between two, in order. Hours that are not folded count as active while they have anything, where many series
    /// match.
    pub(crate) fn hours(&self, c: &mut Conn, from: Hour, to: Hour) -> Result<Vec<ActiveHour>, StoreError> {
        let mut hours: BTreeMap<Hour, BTreeMap<String, i64>> = BTreeMap::new();
        match &self.sought {
            Sought::Few(keys) => {
                let ids = Vec::from_iter(keys.keys().copied());
                for (hour, series) in reading::places(c, &Range { kind: Kind::WRITTEN, from, to }, &ids)? {
                    let Some(key) = keys.get(&series) else { continue };
                    *hours.entry(hour).or_default().entry(key.clone()).or_default() += 1;
                }
            }
            Sought::Many { view, series, folded } => {
                let kind = Kind { is_day: false, view: *view };
                let past = reading::hours(c, &Range { kind, from, to: to.min(*folded) }, Some(series))?;
                let rest = Range { kind: Kind::WRITTEN, from: from.max(*folded), to };
                let hours_of_rest = reading::hours(c, &rest, None)?;
                hours.extend(past.into_iter().chain(hours_of_rest).map(|hour| (hour, BTreeMap::new())));
            }
        }
        Ok(hours.into_iter().map(|(hour, series)| ActiveHour { hour, series }).collect())
    }
}
