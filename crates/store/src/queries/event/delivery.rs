//! Deliveries: pending as long as they have a next attempt, kept for a while when they are over.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use jiff::Timestamp;
use keyward_core::event::{DeliveryState, EventDelivery};
use keyward_core::ids::{EndpointId, EventId};

use super::super::Conn;
use super::EventRow;
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::schema::{event_deliveries, events};
use crate::store::{Attempted, PendingDelivery};

#[derive(Queryable, Selectable)]
#[diesel(table_name = event_deliveries)]
pub(super) struct DeliveryRow {
    origin: String,
    attempts: i32,
    next_at: Option<Instant>,
    delivered_at: Option<Instant>,
    last_error: Option<String>,
}

impl DeliveryRow {
    pub(super) fn into_delivery(self) -> EventDelivery {
        let Self { origin, attempts, next_at, delivered_at, last_error } = self;
        let state = match (next_at, delivered_at) {
            (_, Some(_)) => DeliveryState::Delivered,
            (Some(_), None) => DeliveryState::Pending,
            (None, None) => DeliveryState::GivenUp,
        };
        let (next_at, delivered_at) = (next_at.map(|at| at.0), delivered_at.map(|at| at.0));
        EventDelivery { endpoint: origin, state, attempts, next_at, delivered_at, last_error }
    }
}

/// The deliveries to an endpoint that are pending, the next one first.
pub(crate) fn pending(c: &mut Conn, endpoint: &EndpointId, most: i64) -> Result<Vec<PendingDelivery>, StoreError> {
    let rows: Vec<(EventRow, i32, Option<Instant>)> = event_deliveries::table
        .inner_join(events::table)
        .filter(event_deliveries::endpoint.eq(endpoint.as_str()))
        .filter(event_deliveries::next_at.is_not_null())
        .order((event_deliveries::next_at, event_deliveries::event_id))
        .limit(most)
        .select((EventRow::as_select(), event_deliveries::attempts, event_deliveries::next_at))
        .load(c)?;
    let pending = rows.into_iter().filter_map(|(row, attempts, next_at)| {
        let next_at = next_at?.0;
        Some(row.into_event(Vec::new()).map(|event| PendingDelivery { event, attempts, next_at }))
    });
    pending.collect()
}

/// Writes down what became of an attempt.
pub(crate) fn settle(
    c: &mut Conn,
    event: &EventId,
    endpoint: &EndpointId,
    attempted: Attempted,
) -> Result<(), StoreError> {
    let (next_at, delivered_at, last_error) = match attempted {
        Attempted::Delivered(at) => (None, Some(at), None),
        Attempted::Failed { error, next_at } => (next_at, None, Some(error)),
    };
    diesel::update(event_deliveries::table.find((event.as_str(), endpoint.as_str())))
        .set((
            event_deliveries::attempts.eq(event_deliveries::attempts + 1),
            event_deliveries::next_at.eq(next_at.map(Instant)),
            event_deliveries::delivered_at.eq(delivered_at.map(Instant)),
            event_deliveries::last_error.eq(last_error),
        ))
        .execute(c)?;
    Ok(())
}

/// Gives up what is addressed to others than these. Returns how many deliveries those were.
pub(crate) fn abandon(c: &mut Conn, endpoints: &[EndpointId]) -> Result<usize, StoreError> {
    let gone = event_deliveries::endpoint.ne_all(endpoints.iter().map(|id| id.as_str()));
    let pending = event_deliveries::table.filter(event_deliveries::next_at.is_not_null()).filter(gone);
    let given_up = (
        event_deliveries::next_at.eq(None::<Instant>),
        event_deliveries::last_error.eq("the endpoint is configured no longer"),
    );
    Ok(diesel::update(pending).set(given_up).execute(c)?)
}

/// Whether the event's window is still counted: as long as it is, the event must not come about again.
const IS_CURRENT: &str = "EXISTS (SELECT 1 FROM meters m WHERE m.limit_id = events.limit_id \
                          AND m.metric = events.metric AND m.epoch = events.epoch)";

/// Removes what is older than an instant and over: events whose window is counted no longer, with all their deliveries. Returns how
/// many events those were.
pub(crate) fn expire(c: &mut Conn, before: Timestamp) -> Result<usize, StoreError> {
    let recent = "EXISTS (SELECT 1 FROM event_deliveries d WHERE d.event_id = events.id \
                  AND (d.next_at IS NOT NULL OR d.delivered_at >= ";
    let is_recent = || sql::<Bool>(recent).bind::<InstantColumn, _>(Instant(before)).sql("))");
    let old = events::table.filter(events::at.lt(Instant(before)));
    let over = old.filter(diesel::dsl::not(sql::<Bool>(IS_CURRENT))).filter(diesel::dsl::not(is_recent()));
    Ok(diesel::delete(over).execute(c)?)
}
