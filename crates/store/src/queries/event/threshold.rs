//! Usage that has reached a threshold: one event for each limit, metric, epoch and threshold, ever.

use std::collections::{BTreeSet, HashSet};

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use keyward_core::event::{EventPolicy, EventType, Threshold};
use keyward_core::ids::LimitId;
use keyward_core::meter::{Count, MeterId};
use keyward_core::scope::Scope;
use uuid::{NoContext, Uuid};

use super::super::search::CHUNK;
use super::super::{Conn, limit};
use super::EventRow;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{event_deliveries, events};

/// How many rows one statement takes: SQLite allows 32,766 variables.
const ROWS: usize = 1_000;

/// Shorter windows are over before anybody could act: they would only fill the table.
const SHORTEST_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// What a counter reads after a batch.
pub(in super::super) struct Reading<'a> {
    pub(in super::super) meter: &'a MeterId,
    pub(in super::super) epoch: i64,
    pub(in super::super) count: Count,
    /// The cap that held for the last attempt that it counts.
    pub(in super::super) cap: i64,
    /// When that was settled.
    pub(in super::super) at: Timestamp,
}

/// What makes an event the only one of its kind: limit, metric, epoch, percentage.
type Key = (String, String, i64, i32);

impl Reading<'_> {
    fn key(&self, threshold: Threshold) -> Key {
        let MeterId { limit, metric } = self.meter;
        (limit.to_string(), metric.as_str().to_owned(), self.epoch, threshold.percent().into())
    }

    fn row(&self, threshold: Threshold, scope: &Scope) -> EventRow {
        let (limit_id, metric, epoch, threshold) = self.key(threshold);
        EventRow {
            id: id(self.at).to_string(),
            at: Instant(self.at),
            limit_id,
            metric,
            epoch,
            threshold,
            scope_kind: scope.kind.as_str().to_owned(),
            scope_id: scope.id.to_string(),
            used: self.count.used,
            cap: self.cap,
            window_start: Instant(self.count.window.start),
            window_end: Instant(self.count.window.end),
        }
    }
}

/// Ids are in the order of time, as far as milliseconds tell.
fn id(at: Timestamp) -> Uuid {
    let (seconds, nanos) = (at.as_second().try_into().unwrap_or(0), at.subsec_nanosecond().try_into().unwrap_or(0));
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
}

/// Writes down which thresholds these counters have reached and nobody was told of, and who is to be told. Returns how many those
/// are. A counter is looked at whenever it has moved, not when it passes a threshold: so one that an edit of the cap has put
/// behind it is told too, and one that was told before an edit is not told again.
pub(in super::super) fn record(
    c: &mut Conn,
    policy: &EventPolicy,
    readings: &[Reading<'_>],
) -> Result<usize, StoreError> {
    let worth_telling = readings.iter().filter(|reading| reading.count.window.length() >= SHORTEST_WINDOW);
    let reached = worth_telling.flat_map(|reading| {
        let thresholds = policy.thresholds.reached(reading.count.used, reading.cap);
        thresholds.map(move |threshold| (reading, threshold))
    });
    let mut reached: Vec<(&Reading<'_>, Threshold)> = reached.collect();
    if reached.is_empty() {
        return Ok(0);
    }
    let mut known = known(c, &reached)?;
    reached.retain(|(reading, threshold)| known.insert(reading.key(*threshold)));
    let limits: BTreeSet<&LimitId> = reached.iter().map(|(reading, _)| &reading.meter.limit).collect();
    let scopes = limit::scopes(c, &Vec::from_iter(limits))?;
    // A limit that was deleted while the attempt ran is nobody's any more.
    let rows = reached.into_iter().filter_map(|(reading, threshold)| {
        let scope = scopes.get(&reading.meter.limit)?;
        Some((EventType::of(reading.meter.metric), reading.row(threshold, scope)))
    });
    insert(c, policy, rows.collect())
}

/// The events that there are of these counters.
fn known(c: &mut Conn, reached: &[(&Reading<'_>, Threshold)]) -> Result<HashSet<Key>, StoreError> {
    let limits: BTreeSet<&str> = reached.iter().map(|(reading, _)| reading.meter.limit.as_str()).collect();
    let epochs: BTreeSet<i64> = reached.iter().map(|(reading, _)| reading.epoch).collect();
    let mut known = HashSet::new();
    for chunk in Vec::from_iter(limits).chunks(CHUNK) {
        let theirs = events::table.filter(events::limit_id.eq_any(chunk.iter().copied()));
        let current = theirs.filter(events::epoch.eq_any(epochs.iter().copied()));
        let keys = (events::limit_id, events::metric, events::epoch, events::threshold);
        known.extend(current.select(keys).load::<Key>(c)?);
    }
    Ok(known)
}

fn insert(c: &mut Conn, policy: &EventPolicy, mut rows: Vec<(EventType, EventRow)>) -> Result<usize, StoreError> {
    let mut written = 0;
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS));
        let kinds = rows.iter().map(|(kind, row)| (*kind, row.id.clone(), row.at));
        let kinds: Vec<(EventType, String, Instant)> = kinds.collect();
        let rows_only: Vec<EventRow> = rows.into_iter().map(|(_, row)| row).collect();
        let insertion = diesel::insert_into(events::table).values(rows_only).on_conflict_do_nothing();
        let new: HashSet<String> = insertion.returning(events::id).get_results(c)?.into_iter().collect();
        written += new.len();
        let to = |(kind, id, at): &(EventType, String, Instant)| (*kind, id.clone(), *at);
        address(c, policy, kinds.iter().filter(|(_, id, _)| new.contains(id)).map(to))?;
        rows = rest;
    }
    Ok(written)
}

/// Addresses events to everybody who wants them.
fn address(
    c: &mut Conn,
    policy: &EventPolicy,
    events: impl Iterator<Item = (EventType, String, Instant)>,
) -> Result<(), StoreError> {
    let deliveries = events.flat_map(|(kind, id, at)| {
        let endpoints = policy.endpoints.iter().filter(move |endpoint| endpoint.wants(kind));
        endpoints.map(move |endpoint| {
            (
                event_deliveries::event_id.eq(id.clone()),
                event_deliveries::endpoint.eq(endpoint.id.to_string()),
                event_deliveries::origin.eq(endpoint.origin.clone()),
                event_deliveries::attempts.eq(0),
                event_deliveries::next_at.eq(Some(at)),
            )
        })
    });
    let mut deliveries: Vec<_> = deliveries.collect();
    while !deliveries.is_empty() {
        let rest = deliveries.split_off(deliveries.len().min(ROWS));
        diesel::insert_into(event_deliveries::table).values(deliveries).execute(c)?;
        deliveries = rest;
    }
    Ok(())
}
