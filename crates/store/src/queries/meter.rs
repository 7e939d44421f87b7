//! Counters: what was used of each limit in its current window.

use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::upsert::excluded;
use keyward_core::ids::LimitId;
use keyward_core::ledger::Adjustment;
use keyward_core::meter::{Count, Meter, MeterId, Metric};
use keyward_core::window::Window;

use super::Conn;
use super::search::CHUNK;
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::schema::{budgets, meter_adjustments, meters, rate_limits};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = meters)]
struct MeterRow {
    limit_id: String,
    metric: String,
    window_start: Instant,
    window_end: Instant,
    used: i64,
}

impl MeterRow {
    fn into_count(self) -> Result<(MeterId, Count), StoreError> {
        let Self { limit_id, metric, window_start, window_end, used } = self;
        let metric = Metric::ALL
            .into_iter()
            .find(|known| known.as_str() == metric)
            .ok_or_else(|| StoreError::unreadable("a metric", metric))?;
        let window = Window { start: window_start.0, end: window_end.0 };
        Ok((MeterId { limit: limit_id.into(), metric }, Count { window, used }))
    }
}

/// Every counter.
pub(crate) fn load_all(c: &mut Conn) -> Result<Vec<(MeterId, Count)>, StoreError> {
    let rows: Vec<MeterRow> = meters::table.select(MeterRow::as_select()).load(c)?;
    rows.into_iter().map(MeterRow::into_count).collect()
}

/// Adds `amount` to a counter: in SQL the rule of [`Count::posted`], in one atomic statement.
///
/// A window that begins before the counted one ends and ends after it began overlaps it; one that begins later starts
/// from zero; one that is over changes nothing, which the filter says. Nothing used makes no counter.
pub(super) fn post(c: &mut Conn, meter: &MeterId, window: Window, amount: i64) -> Result<(), StoreError> {
    if amount == 0 {
        return begin(c, meter, window);
    }
    let row = MeterRow {
        limit_id: meter.limit.to_string(),
        metric: meter.metric.as_str().to_owned(),
        window_start: Instant(window.start),
        window_end: Instant(window.end),
        used: amount,
    };
    let is_later = || excluded(meters::window_start).ge(meters::window_end);
    let headroom = i64::MAX - amount.max(0);
    let upsert = diesel::insert_into(meters::table)
        .values(&row)
        .on_conflict((meters::limit_id, meters::metric))
        .do_update()
        .set((
            meters::used.eq(case_when::<_, _, BigInt>(is_later(), excluded(meters::used))
                .when(meters::used.gt(headroom), i64::MAX)
                .otherwise(meters::used + excluded(meters::used))),
            meters::window_start.eq(case_when::<_, _, InstantColumn>(is_later(), excluded(meters::window_start))
                .otherwise(meters::window_start)),
            meters::window_end.eq(case_when::<_, _, InstantColumn>(is_later(), excluded(meters::window_end))
                .otherwise(meters::window_end)),
        ));
    diesel::query_dsl::methods::FilterDsl::filter(upsert, meters::window_start.lt(excluded(meters::window_end)))
        .execute(c)?;
    Ok(())
}

/// Begins `window` if it is later than the counted one, as posting nothing does.
fn begin(c: &mut Conn, meter: &MeterId, window: Window) -> Result<(), StoreError> {
    let (start, end) = (Instant(window.start), Instant(window.end));
    let counter = meters::table.find((meter.limit.as_str(), meter.metric.as_str()));
    diesel::update(counter.filter(meters::window_end.le(start)))
        .set((meters::used.eq(0), meters::window_start.eq(start), meters::window_end.eq(end)))
        .execute(c)?;
    Ok(())
}

/// Makes `window` the counted one where that is due.
fn roll(c: &mut Conn, meter: &MeterId, window: Window) -> Result<(), StoreError> {
    let (start, end) = (Instant(window.start), Instant(window.end));
    let counter = meters::table.find((meter.limit.as_str(), meter.metric.as_str()));
    diesel::update(counter.filter(meters::window_start.lt(end)))
        .set((
            meters::used.eq(case_when::<_, _, BigInt>(meters::window_end.le(start), 0).otherwise(meters::used)),
            meters::window_start.eq(start),
            meters::window_end.eq(end),
        ))
        .execute(c)?;
    Ok(())
}

/// After an edit: counters adopt the windows of the new policies, and keep their usage.
pub(super) fn adopt(c: &mut Conn, meter: &Meter, now: jiff::Timestamp) -> Result<(), StoreError> {
    roll(c, &meter.id, meter.window_at(now))
}

/// Takes off what these budgets have counted in their current windows, and says so in the books.
pub(super) fn reset<'a>(
    c: &mut Conn,
    budgets: impl Iterator<Item = &'a LimitId>,
    now: jiff::Timestamp,
) -> Result<Vec<Adjustment>, StoreError> {
    let mut adjustments = Vec::new();
    for id in budgets {
        let counter = meters::table.find((id.as_str(), Metric::Cost.as_str()));
        let row: Option<MeterRow> = counter.select(MeterRow::as_select()).first(c).optional()?;
        let Some(row) = row.filter(|row| row.used != 0) else { continue };
        let (meter, Count { window, used }) = row.into_count()?;
        let adjustment = Adjustment { meter, window, amount: used.saturating_neg() };
        diesel::update(counter).set(meters::used.eq(0)).execute(c)?;
        diesel::insert_into(meter_adjustments::table)
            .values((
                meter_adjustments::limit_id.eq(adjustment.meter.limit.as_str()),
                meter_adjustments::metric.eq(adjustment.meter.metric.as_str()),
                meter_adjustments::window_start.eq(Instant(window.start)),
                meter_adjustments::window_end.eq(Instant(window.end)),
                meter_adjustments::amount.eq(adjustment.amount),
                meter_adjustments::adjusted_at.eq(Instant(now)),
            ))
            .execute(c)?;
        adjustments.push(adjustment);
    }
    Ok(adjustments)
}

/// Removes counters without a limit: an attempt that outlived its limit wrote them.
pub(crate) fn purge(c: &mut Conn) -> Result<(), StoreError> {
    let (of_budgets, of_rate_limits) = (budgets::table.select(budgets::id), rate_limits::table.select(rate_limits::id));
    let orphans =
        meters::table.filter(meters::limit_id.ne_all(of_budgets)).filter(meters::limit_id.ne_all(of_rate_limits));
    diesel::delete(orphans).execute(c)?;
    Ok(())
}

/// Removes the counters of limits that are going away.
pub(super) fn delete<'a>(c: &mut Conn, limits: impl Iterator<Item = &'a LimitId>) -> Result<(), StoreError> {
    let ids: Vec<&str> = limits.map(LimitId::as_str).collect();
    for chunk in ids.chunks(CHUNK) {
        diesel::delete(meters::table.filter(meters::limit_id.eq_any(chunk.iter().copied()))).execute(c)?;
    }
    Ok(())
}
