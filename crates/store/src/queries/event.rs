//! Events: written in the transaction that brought them about, delivered afterwards.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::event::{Event, EventDelivery, EventType, Threshold, ThresholdReached};
use keyward_core::list::{Listed, Page};
use keyward_core::refusal::Quantity;
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::window::FOREVER;

use super::{Conn, meter};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{event_deliveries, events};

mod delivery;
mod threshold;

use delivery::DeliveryRow;
pub(crate) use delivery::{abandon, expire, pending, settle};
pub(super) use threshold::{Reading, record};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = events)]
struct EventRow {
    id: String,
    at: Instant,
    limit_id: String,
    metric: String,
    epoch: i64,
    threshold: i32,
    scope_kind: String,
    scope_id: String,
    used: i64,
    cap: i64,
    window_start: Instant,
    window_end: Instant,
}

impl EventRow {
    fn into_event(self, deliveries: Vec<EventDelivery>) -> Result<Event, StoreError> {
        let Self {
            id,
            at,
            limit_id,
            metric,
            epoch: _,
            threshold,
            scope_kind,
            scope_id,
            used,
            cap,
            window_start,
            window_end: Instant(window_end),
        } = self;
        let metric = meter::metric(metric)?;
        let kind = ScopeKind::ALL.into_iter().find(|kind| kind.as_str() == scope_kind);
        let data = ThresholdReached {
            scope: Scope {
                kind: kind.ok_or_else(|| StoreError::unreadable("a kind of scope", scope_kind))?,
                id: scope_id.into(),
            },
            limit: limit_id.into(),
            metric,
            threshold: percentage(threshold)?,
            used: Quantity::of(metric, used),
            cap: Quantity::of(metric, cap),
            window_start: window_start.0,
            window_end: Some(window_end).filter(|end| *end != FOREVER),
        };
        Ok(Event { id: id.into(), kind: EventType::of(metric), at: at.0, data, deliveries })
    }
}

fn percentage(stored: i32) -> Result<Threshold, StoreError> {
    let threshold = u8::try_from(stored).ok().and_then(|percent| Threshold::try_from(percent).ok());
    threshold.ok_or_else(|| StoreError::unreadable("a threshold", stored.to_string()))
}

/// A page of events with their deliveries, newest first.
pub(crate) fn list(c: &mut Conn, page: &Page) -> Result<Listed<Event>, StoreError> {
    let total = events::table.count().get_result(c)?;
    let rows: Vec<EventRow> = events::table
        .order((events::at.desc(), events::threshold.desc(), events::id.desc()))
        .limit(page.limit)
        .offset(page.offset)
        .select(EventRow::as_select())
        .load(c)?;
    let ids = rows.iter().map(|row| row.id.as_str());
    let deliveries: Vec<(String, DeliveryRow)> = event_deliveries::table
        .filter(event_deliveries::event_id.eq_any(ids))
        .order((event_deliveries::origin, event_deliveries::endpoint))
        .select((event_deliveries::event_id, DeliveryRow::as_select()))
        .load(c)?;
    let mut of_events: HashMap<String, Vec<EventDelivery>> = HashMap::new();
    for (event, row) in deliveries {
        of_events.entry(event).or_default().push(row.into_delivery());
    }
    let entries = rows.into_iter().map(|row| {
        let deliveries = of_events.remove(&row.id).unwrap_or_default();
        row.into_event(deliveries)
    });
    Ok(Listed { entries: entries.collect::<Result<_, _>>()?, total })
}
