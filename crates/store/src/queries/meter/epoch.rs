//! The epochs that counters begin with.

use std::collections::{HashMap, HashSet};

use diesel::dsl::max;
use diesel::prelude::*;
use keyward_core::meter::MeterId;

use super::super::Conn;
use crate::error::StoreError;
use crate::schema::{events, ledger_postings, meter_adjustments, meters};

/// A meter by the names of its limit and its metric.
type Key = (String, String);

/// The epochs of counters that are not there yet.
pub(super) struct FirstEpochs(HashMap<Key, i64>);

impl FirstEpochs {
    /// Of a meter's first counter it is zero, and so it is where the counter is there already: then nobody asks.
    ///
    /// A later one comes after all that the books know: of a limit that was deleted and is there again, nothing that was counted
    /// before is counted now. Nobody else writes until the transaction ends.
    pub(super) fn of<'a>(c: &mut Conn, meters: impl Iterator<Item = &'a MeterId>) -> Result<Self, StoreError> {
        let meters: Vec<&MeterId> = meters.collect();
        let limits = meters.iter().map(|meter| meter.limit.as_str());
        let there = meters::table.filter(meters::limit_id.eq_any(limits)).select((meters::limit_id, meters::metric));
        let there: HashSet<Key> = there.load(c)?.into_iter().collect();
        let missing = meters.into_iter().filter(|meter| !there.contains(&key(meter)));
        let missing: HashSet<&str> = missing.map(|meter| meter.limit.as_str()).collect();
        let mut first = Self(HashMap::new());
        if missing.is_empty() {
            return Ok(first);
        }
        first.follow(
            ledger_postings::table
                .filter(ledger_postings::limit_id.eq_any(missing.iter().copied()))
                .group_by((ledger_postings::limit_id, ledger_postings::metric))
                .select(((ledger_postings::limit_id, ledger_postings::metric), max(ledger_postings::epoch)))
                .load(c)?,
        );
        first.follow(
            meter_adjustments::table
                .filter(meter_adjustments::limit_id.eq_any(missing.iter().copied()))
                .group_by((meter_adjustments::limit_id, meter_adjustments::metric))
                .select(((meter_adjustments::limit_id, meter_adjustments::metric), max(meter_adjustments::epoch)))
                .load(c)?,
        );
        first.follow(
            events::table
                .filter(events::limit_id.eq_any(missing))
                .group_by((events::limit_id, events::metric))
                .select(((events::limit_id, events::metric), max(events::epoch)))
                .load(c)?,
        );
        Ok(first)
    }

    fn follow(&mut self, past: Vec<(Key, Option<i64>)>) {
        for (key, last) in past {
            let next = last.map_or(0, |last| last.saturating_add(1));
            let first = self.0.entry(key).or_insert(0);
            *first = next.max(*first);
        }
    }

    pub(super) fn first(&self, meter: &MeterId) -> i64 {
        self.0.get(&key(meter)).copied().unwrap_or(0)
    }
}

fn key(meter: &MeterId) -> Key {
    (meter.limit.to_string(), meter.metric.as_str().to_owned())
}
