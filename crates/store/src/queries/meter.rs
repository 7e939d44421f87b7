//! Counters: what was used of each limit in its current window.

use std::collections::HashMap;

use diesel::dsl::{case_when, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
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

mod epoch;

#[derive(Queryable, Selectable)]
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
        let metric = self::metric(metric)?;
        let window = Window { start: window_start.0, end: window_end.0 };
        Ok((MeterId { limit: limit_id.into(), metric }, Count { window, used }))
    }
}

/// The metric of a name.
pub(super) fn metric(name: String) -> Result<Metric, StoreError> {
    let metric = Metric::ALL.into_iter().find(|known| known.as_str() == name);
    metric.ok_or_else(|| StoreError::unreadable("a metric", name))
}

/// Every counter.
pub(crate) fn load_all(c: &mut Conn) -> Result<Vec<(MeterId, Count)>, StoreError> {
    let rows: Vec<MeterRow> = meters::table.select(MeterRow::as_select()).load(c)?;
    rows.into_iter().map(MeterRow::into_count).collect()
}

/// The epochs that the counters of these limits are in.
pub(super) fn epochs(c: &mut Conn, limits: &[&str]) -> Result<Vec<(MeterId, i64)>, StoreError> {
    let theirs = meters::table.filter(meters::limit_id.eq_any(limits.iter().copied()));
    let rows: Vec<(String, String, i64)> = theirs.select((meters::limit_id, meters::metric, meters::epoch)).load(c)?;
    let read = |(limit, name, epoch): (String, String, i64)| {
        Ok((MeterId { limit: limit.into(), metric: metric(name)? }, epoch))
    };
    rows.into_iter().map(read).collect()
}

/// What is added to a counter in one window.
pub(super) struct Share {
    pub(super) window: Window,
    pub(super) amount: i64,
    /// The cap that the last attempt of it was held to, and when that was settled.
    pub(super) cap: i64,
    pub(super) settled_at: jiff::Timestamp,
    /// What became of the counter; none: the share's window was over, and it is counted nowhere.
    pub(super) counted: Option<Counted>,
}

/// A counter in the epoch that a share was counted in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) epoch: i64,
    /// What it reads with the share.
    pub(super) count: Count,
}

/// Adds shares to counters, one to each: in SQL the rule of [`Count::posted`], in one atomic statement.
///
/// A window that begins before the counted one ends and ends after it began overlaps it; one that begins later starts
/// from zero, in an epoch of its own; one that is over changes nothing. Nothing is ever used of a meter
/// that counts what runs: it has no counter.
pub(super) fn post(c: &mut Conn, shares: &mut [(&MeterId, &mut Share)]) -> Result<(), StoreError> {
    let counted = shares.iter().filter(|(meter, _)| meter.metric != Metric::ParallelRequests);
    let rows: Vec<_> = counted
        .map(|(meter, share)| {
            let (limit, metric) = (meter.limit.as_str(), meter.metric.as_str());
            (
                meters::limit_id.eq(limit),
                meters::metric.eq(metric),
                meters::window_start.eq(Instant(share.window.start)),
                meters::window_end.eq(Instant(share.window.end)),
                meters::used.eq(share.amount),
                meters::epoch.eq(epoch::FIRST),
            )
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let is_later = || excluded(meters::window_start).ge(meters::window_end);
    let is_over = || meters::window_start.ge(excluded(meters::window_end));
    let upsert = diesel::insert_into(meters::table).values(rows).on_conflict((meters::limit_id, meters::metric));
    let upsert = upsert.do_update().set((
        meters::used.eq(case_when::<_, _, BigInt>(is_over(), meters::used)
            .when(is_later(), excluded(meters::used))
            .when(sql::<Bool>(IS_FULL), i64::MAX)
            .otherwise(meters::used + excluded(meters::used))),
        meters::epoch.eq(case_when::<_, _, BigInt>(is_later(), meters::epoch + 1).otherwise(meters::epoch)),
        meters::window_start.eq(case_when::<_, _, InstantColumn>(is_later(), excluded(meters::window_start))
            .otherwise(meters::window_start)),
        meters::window_end
            .eq(case_when::<_, _, InstantColumn>(is_later(), excluded(meters::window_end))
                .otherwise(meters::window_end)),
    ));
    let counted: Vec<(MeterRow, i64)> = upsert.returning((MeterRow::as_returning(), meters::epoch)).get_results(c)?;
    let read = counted.into_iter().map(|(row, epoch)| {
        let (meter, count) = row.into_count()?;
        Ok::<_, StoreError>((meter, Counted { epoch, count }))
    });
    let read: HashMap<_, _> = read.collect::<Result<_, _>>()?;
    for (meter, share) in shares.iter_mut() {
        // As the database compares them: in microseconds.
        let end = share.window.end.as_microsecond();
        let found = read.get(*meter).filter(|counted| counted.count.window.start.as_microsecond() < end);
        share.counted = found.copied();
    }
    epoch::follow_retired(c, shares)
}

/// Whether the sum would not fit into the column.
const IS_FULL: &str = "meters.used > 9223372036854775807 - CASE WHEN excluded.used > 0 THEN excluded.used ELSE 0 END";

/// Makes `window` the counted one at `now`, where that is due: in SQL the rule of [`Count::rolled`].
fn roll(c: &mut Conn, meter: &MeterId, window: Window, now: jiff::Timestamp) -> Result<(), StoreError> {
    let (start, end) = (Instant(window.start), Instant(window.end));
    let is_over = || meters::window_end.le(Instant(window.start.max(now)));
    let counter = meters::table.find((meter.limit.as_str(), meter.metric.as_str()));
    diesel::update(counter.filter(meters::window_start.lt(end)))
        .set((
            meters::used.eq(case_when::<_, _, BigInt>(is_over(), 0).otherwise(meters::used)),
            meters::epoch.eq(case_when::<_, _, BigInt>(is_over(), meters::epoch + 1).otherwise(meters::epoch)),
            meters::window_start.eq(start),
            meters::window_end.eq(end),
        ))
        .execute(c)?;
    Ok(())
}

/// After an edit: counters adopt the windows of the new policies, and keep their usage.
pub(super) fn adopt(c: &mut Conn, meter: &Meter, now: jiff::Timestamp) -> Result<(), StoreError> {
    roll(c, &meter.id, meter.window_at(now), now)
}

/// Adds to what a budget has counted in an epoch, if that is the one that it still counts. Returns how many counters that were.
pub(super) fn adjust(c: &mut Conn, budget: &LimitId, epoch: i64, amount: i64) -> Result<usize, StoreError> {
    let counter = meters::table.find((budget.as_str(), Metric::Cost.as_str())).filter(meters::epoch.eq(epoch));
    let Some(used) = counter.select(meters::used).first::<i64>(c).optional()? else { return Ok(0) };
    Ok(diesel::update(counter).set(meters::used.eq(used.saturating_add(amount))).execute(c)?)
}

/// Makes a counter read this, whatever it reads.
pub(super) fn set(c: &mut Conn, meter: &MeterId, window: Window, used: i64, epoch: i64) -> Result<(), StoreError> {
    let reading = (
        meters::limit_id.eq(meter.limit.as_str()),
        meters::metric.eq(meter.metric.as_str()),
        meters::window_start.eq(Instant(window.start)),
        meters::window_end.eq(Instant(window.end)),
        meters::used.eq(used),
        meters::epoch.eq(epoch),
    );
    let insertion = diesel::insert_into(meters::table).values(reading);
    insertion.on_conflict((meters::limit_id, meters::metric)).do_update().set(meters::used.eq(used)).execute(c)?;
    Ok(())
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
        let row: Option<(MeterRow, i64)> =
            counter.select((MeterRow::as_select(), meters::epoch)).first(c).optional()?;
        let Some((row, epoch)) = row.filter(|(row, _)| row.used != 0) else { continue };
        let (meter, Count { window, used }) = row.into_count()?;
        let adjustment = Adjustment { meter, window, amount: used.saturating_neg() };
        diesel::update(counter).set(meters::used.eq(0)).execute(c)?;
        diesel::insert_into(meter_adjustments::table)
            .values((
                meter_adjustments::limit_id.eq(adjustment.meter.limit.as_str()),
                meter_adjustments::metric.eq(adjustment.meter.metric.as_str()),
                meter_adjustments::window_start.eq(Instant(window.start)),
                meter_adjustments::window_end.eq(Instant(window.end)),
                meter_adjustments::epoch.eq(epoch),
                meter_adjustments::amount.eq(adjustment.amount),
                meter_adjustments::reason.eq("reset"),
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
    let limits: Vec<String> = orphans.select(meters::limit_id).distinct().load(c)?;
    retire(c, &limits.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Removes the counters of limits that are going away.
pub(super) fn delete<'a>(c: &mut Conn, limits: impl Iterator<Item = &'a LimitId>) -> Result<(), StoreError> {
    retire(c, &limits.map(LimitId::as_str).collect::<Vec<_>>())
}

/// Removes the counters of limits. The epochs that they were in are remembered.
fn retire(c: &mut Conn, limits: &[&str]) -> Result<(), StoreError> {
    for chunk in limits.chunks(CHUNK) {
        let gone = || meters::table.filter(meters::limit_id.eq_any(chunk.iter().copied()));
        let epochs = gone().select((meters::limit_id, meters::metric, meters::epoch)).load(c)?;
        epoch::remember(c, epochs)?;
        diesel::delete(gone()).execute(c)?;
    }
    Ok(())
}
