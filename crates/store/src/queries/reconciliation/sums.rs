//! What the counters should read: the sums of what the books say about each epoch.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use jiff::Timestamp;
use keyward_core::ledger::{Difference, Posting};
use keyward_core::meter::{MeterId, Metric};
use keyward_core::window::Window;

use super::super::Conn;
use super::super::ledger::postings::Counted;
use super::super::meter::metric;
use super::super::search::CHUNK;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{budgets, meter_adjustments, meters, rate_limits};

/// A counter, and what the books say about its epoch.
struct Counter {
    window: Window,
    epoch: i64,
    used: i64,
    sum: i128,
}

/// The last epoch of a meter that has no counter.
struct Uncounted {
    window: Window,
    epoch: i64,
    sum: i128,
    /// When the last entry was settled that was counted in it.
    settled_at: Timestamp,
}

/// The sums of all counters, while the books are read.
pub(super) struct Sums {
    counters: HashMap<MeterId, Counter>,
    uncounted: HashMap<MeterId, Uncounted>,
}

impl Sums {
    /// Of the counters that there are, with what was adjusted of each.
    pub(super) fn begin(c: &mut Conn) -> Result<Self, StoreError> {
        let reading = (meters::window_start, meters::window_end, meters::epoch, meters::used);
        type Row = ((String, String), (Instant, Instant, i64, i64));
        let rows: Vec<Row> = meters::table.select(((meters::limit_id, meters::metric), reading)).load(c)?;
        let counters = rows.into_iter().map(|((limit, name), (start, end, epoch, used))| {
            let window = Window { start: start.0, end: end.0 };
            Ok((MeterId { limit: limit.into(), metric: metric(name)? }, Counter { window, epoch, used, sum: 0 }))
        });
        let mut sums = Self { counters: counters.collect::<Result<_, StoreError>>()?, uncounted: HashMap::new() };
        for (meter, epoch, amount) in adjustments(c)? {
            if let Some(counter) = sums.counters.get_mut(&meter).filter(|counter| counter.epoch == epoch) {
                counter.sum += amount;
            }
        }
        Ok(sums)
    }

    /// How many counters there are.
    pub(super) fn counters(&self) -> usize {
        self.counters.len()
    }

    /// Adds a posting of an entry that was settled then.
    pub(super) fn add(&mut self, counted: Counted, settled_at: Timestamp) {
        let Counted { posting: Posting { meter, window, amount, .. }, epoch } = counted;
        let Some(epoch) = epoch.filter(|_| meter.metric != Metric::ParallelRequests) else { return };
        let amount = i128::from(amount);
        if let Some(counter) = self.counters.get_mut(&meter) {
            if counter.epoch == epoch {
                counter.sum += amount;
            }
            return;
        }
        let none = Uncounted { window, epoch, sum: 0, settled_at };
        let last = self.uncounted.entry(meter).or_insert(none);
        if last.epoch < epoch {
            *last = Uncounted { window, epoch, sum: 0, settled_at };
        }
        if last.epoch == epoch {
            last.sum += amount;
            let [start, end] = [last.window.start.max(window.start), last.window.end.max(window.end)];
            (last.window, last.settled_at) = (Window { start, end }, last.settled_at.max(settled_at));
        }
    }

    /// The counters that are not the sum of their epoch, and the limits that have an epoch in the books and no counter. What was
    /// settled before a limit was made is of one that had the same id.
    pub(super) fn differences(self, c: &mut Conn) -> Result<Vec<Difference>, StoreError> {
        let wrong = self.counters.into_iter().filter_map(|(meter, counter)| {
            let Counter { window, epoch, used, sum } = counter;
            let ledger = clamped(sum);
            (used != ledger).then_some(Difference { meter, window, epoch, counter: Some(used), ledger })
        });
        let mut differences: Vec<Difference> = wrong.collect();
        let made = made(c, self.uncounted.keys().map(|meter| meter.limit.as_str()).collect())?;
        let mut missing = self.uncounted;
        missing.retain(|meter, last| made.get(meter.limit.as_str()).is_some_and(|made| last.settled_at >= *made));
        if !missing.is_empty() {
            for (meter, epoch, amount) in adjustments(c)? {
                if let Some(last) = missing.get_mut(&meter).filter(|last| last.epoch == epoch) {
                    last.sum += amount;
                }
            }
        }
        let missing = missing.into_iter().map(|(meter, Uncounted { window, epoch, sum, settled_at: _ })| Difference {
            meter,
            window,
            epoch,
            counter: None,
            ledger: clamped(sum),
        });
        differences.extend(missing);
        let place = |of: &Difference| (of.counter.is_none(), of.meter.clone());
        differences.sort_by_cached_key(place);
        Ok(differences)
    }
}

/// A sum as far as a counter can read.
fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// What was adjusted in each epoch.
fn adjustments(c: &mut Conn) -> Result<Vec<(MeterId, i64, i128)>, StoreError> {
    /// In two parts: the sum of numbers of 64 bits may need more of them.
    const HIGH: &str = "CAST(SUM(amount / 4294967296) AS BIGINT)";
    const LOW: &str = "CAST(SUM(amount % 4294967296) AS BIGINT)";
    let key = (meter_adjustments::limit_id, meter_adjustments::metric, meter_adjustments::epoch);
    let parts = (sql::<BigInt>(HIGH), sql::<BigInt>(LOW));
    type Row = ((String, String, i64), (i64, i64));
    let rows: Vec<Row> = meter_adjustments::table.group_by(key).select((key, parts)).load(c)?;
    let read = |((limit, name, epoch), (high, low)): Row| {
        let meter = MeterId { limit: limit.into(), metric: metric(name)? };
        Ok((meter, epoch, i128::from(high) * (1 << 32) + i128::from(low)))
    };
    rows.into_iter().map(read).collect()
}

/// When those of these limits were made that there are.
fn made(c: &mut Conn, limits: Vec<&str>) -> Result<HashMap<String, Timestamp>, StoreError> {
    let mut made = HashMap::new();
    for chunk in limits.chunks(CHUNK) {
        let ids = || chunk.iter().copied();
        let of_budgets = budgets::table.filter(budgets::id.eq_any(ids())).select((budgets::id, budgets::created_at));
        let of_rate_limits = rate_limits::table.filter(rate_limits::id.eq_any(ids()));
        let mut rows: Vec<(String, Instant)> = of_budgets.load(c)?;
        rows.append(&mut of_rate_limits.select((rate_limits::id, rate_limits::created_at)).load(c)?);
        made.extend(rows.into_iter().map(|(id, at)| (id, at.0)));
    }
    Ok(made)
}
