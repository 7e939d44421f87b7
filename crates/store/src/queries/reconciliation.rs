//! Checking the books: every counter against the sum of its epoch, every entry against its breakdown and its postings.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use keyward_core::ids::RequestId;
use keyward_core::ledger::{Difference, EntryFault, FaultKind, Reconciliation};
use keyward_core::meter::MeterId;
use keyward_core::money::NanoUsd;
use keyward_core::price::{CostBreakdown, TokenUsage};
use keyward_core::window::Window;
use serde::Serialize;

use super::ledger::tokens;
use super::meter::{self, metric};
use super::{Conn, audit};
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::recorder::Recorder;
use crate::schema::{ledger, meters};

/// The most entries that are read at once.
const PAGE: i64 = 1_000;

/// The sum of what is counted in an epoch of `meters`, in two parts: the sum of numbers of 64 bits may need more of them.
macro_rules! of_epoch {
    ($part:literal) => {
        concat!(
            "CAST(COALESCE((SELECT SUM(p.amount ",
            $part,
            ") FROM ledger_postings p WHERE p.limit_id = meters.limit_id AND p.metric = meters.metric",
            " AND p.epoch = meters.epoch), 0) + COALESCE((SELECT SUM(a.amount ",
            $part,
            ") FROM meter_adjustments a WHERE a.limit_id = meters.limit_id AND a.metric = meters.metric",
            " AND a.epoch = meters.epoch), 0) AS BIGINT)"
        )
    };
}

const HIGH: &str = of_epoch!("/ 4294967296");
const LOW: &str = of_epoch!("% 4294967296");

/// The sum of both parts, as far as a counter can read.
fn sum(high: i64, low: i64) -> i64 {
    let sum = i128::from(high) * (1 << 32) + i128::from(low);
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// Checks all books.
pub(crate) fn check(c: &mut Conn) -> Result<Reconciliation, StoreError> {
    let mut found = Reconciliation::default();
    check_counters(c, &mut found)?;
    find_missing(c, &mut found)?;
    check_entries(c, &mut found)?;
    Ok(found)
}

/// Checks all books, and sets the counters to what the ledger says.
pub(crate) fn repair(c: &mut Conn, by: &Recorder) -> Result<Reconciliation, StoreError> {
    let found = check(c)?;
    for Difference { meter, window, epoch, counter: _, ledger } in &found.differences {
        meter::set(c, meter, *window, *ledger, *epoch)?;
    }
    if !found.differences.is_empty() {
        let state = |used: fn(&Difference) -> Option<i64>| -> Vec<_> {
            found.differences.iter().map(|difference| Reading::of(difference, used(difference))).collect()
        };
        let (before, after) = (state(|difference| difference.counter), state(|difference| Some(difference.ledger)));
        audit::edited(c, by, ("ledger", "counters"), &before, &after)?;
    }
    Ok(found)
}

/// What a counter reads, for the audit log.
#[derive(Serialize)]
struct Reading<'a> {
    limit_id: &'a str,
    metric: &'static str,
    used: Option<i64>,
}

impl<'a> Reading<'a> {
    fn of(Difference { meter, .. }: &'a Difference, used: Option<i64>) -> Self {
        Self { limit_id: meter.limit.as_str(), metric: meter.metric.as_str(), used }
    }
}

fn check_counters(c: &mut Conn, found: &mut Reconciliation) -> Result<(), StoreError> {
    let key = (meters::limit_id, meters::metric);
    let reading = (meters::window_start, meters::window_end, meters::epoch, meters::used);
    let parts = (sql::<BigInt>(HIGH), sql::<BigInt>(LOW));
    type Row = ((String, String), (Instant, Instant, i64, i64), (i64, i64));
    let rows: Vec<Row> = meters::table.select((key, reading, parts)).order(key).load(c)?;
    found.counters = rows.len();
    for ((limit, name), (start, end, epoch, used), (high, low)) in rows {
        let ledger = sum(high, low);
        if used != ledger {
            let meter = MeterId { limit: limit.into(), metric: metric(name)? };
            let window = Window { start: start.0, end: end.0 };
            found.differences.push(Difference { meter, window, epoch, counter: Some(used), ledger });
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Uncounted {
    #[diesel(sql_type = Text)]
    limit_id: String,
    #[diesel(sql_type = Text)]
    metric: String,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = InstantColumn)]
    window_start: Instant,
    #[diesel(sql_type = InstantColumn)]
    window_end: Instant,
    #[diesel(sql_type = BigInt)]
    high: i64,
    #[diesel(sql_type = BigInt)]
    low: i64,
}

/// Epochs of limits that are there, without a counter. What was settled before the limit was made is of one that had the same id.
const UNCOUNTED: &str = "
    FROM (
        SELECT p.limit_id, p.metric, p.epoch, MAX(p.window_start) AS window_start, MAX(p.window_end) AS window_end
        FROM ledger_postings p
        JOIN ledger e ON e.request_id = p.request_id AND e.attempt = p.attempt
        JOIN (SELECT id, created_at FROM budgets UNION ALL SELECT id, created_at FROM rate_limits) AS limits
            ON limits.id = p.limit_id
        WHERE p.epoch IS NOT NULL AND e.settled_at >= limits.created_at
            AND NOT EXISTS (SELECT 1 FROM meters m WHERE m.limit_id = p.limit_id AND m.metric = p.metric)
        GROUP BY p.limit_id, p.metric, p.epoch
    ) AS meters
    ORDER BY limit_id, metric, epoch";

fn find_missing(c: &mut Conn, found: &mut Reconciliation) -> Result<(), StoreError> {
    let members = "limit_id, metric, epoch, window_start, window_end";
    let query = format!("SELECT {members}, {HIGH} AS high, {LOW} AS low {UNCOUNTED}");
    let mut missing: Vec<Difference> = Vec::new();
    for row in diesel::sql_query(query).load::<Uncounted>(c)? {
        let Uncounted { limit_id, metric: name, epoch, window_start, window_end, high, low } = row;
        let meter = MeterId { limit: limit_id.into(), metric: metric(name)? };
        let window = Window { start: window_start.0, end: window_end.0 };
        // Of several epochs, the last one is the one that a counter would be in.
        missing.pop_if(|last| last.meter == meter);
        missing.push(Difference { meter, window, epoch, counter: None, ledger: sum(high, low) });
    }
    found.differences.append(&mut missing);
    Ok(())
}

const POSTINGS: &str =
    "(SELECT COUNT(*) FROM ledger_postings p WHERE p.request_id = ledger.request_id AND p.attempt = ledger.attempt)";

/// What of an entry can be checked.
type Checked = ((String, i32), (i64, i64, String), (i64, Option<String>), (i32, i64));

fn check_entries(c: &mut Conn, found: &mut Reconciliation) -> Result<(), StoreError> {
    let mut last = (String::new(), 0);
    loop {
        let used = (ledger::input_tokens, ledger::output_tokens, ledger::usage);
        let postings = (ledger::posting_count, sql::<BigInt>(POSTINGS));
        let later = sql::<Bool>("(request_id, attempt) > (").bind::<Text, _>(&last.0).sql(", ");
        let later = later.bind::<Integer, _>(last.1).sql(")");
        let key = (ledger::request_id, ledger::attempt);
        let page: Vec<Checked> = ledger::table
            .filter(later)
            .order(key)
            .limit(PAGE)
            .select((key, used, (ledger::cost, ledger::pricing), postings))
            .load(c)?;
        let Some((key, ..)) = page.last() else { return Ok(()) };
        last.clone_from(key);
        found.entries = found.entries.saturating_add(page.len());
        for entry in &page {
            check_entry(entry, &mut found.faults);
        }
    }
}

fn check_entry(
    ((request_id, attempt), (input, output, usage), (cost, pricing), (written, there)): &Checked,
    faults: &mut Vec<EntryFault>,
) {
    let mut fault = |kind| {
        let request_id = RequestId::from(request_id.as_str());
        faults.push(EntryFault { request_id, attempt: *attempt, kind });
    };
    let (written, there) = (i64::from(*written), *there);
    if written != there {
        fault(FaultKind::Postings { written, found: there });
    }
    let cost = NanoUsd::from_nanos(*cost);
    // What is no breakdown explains nothing.
    let breakdown = pricing.as_deref().and_then(|text| CostBreakdown::from_json(text).ok());
    let sum = breakdown.as_ref().map(CostBreakdown::cost);
    if sum.unwrap_or(NanoUsd::ZERO) != cost || (sum.is_none() && pricing.is_some()) {
        fault(FaultKind::Cost { cost, breakdown: sum });
    }
    let counts = counts(usage);
    if breakdown.is_some_and(|breakdown| !counts.as_ref().is_ok_and(|counts| breakdown.agrees_with(counts))) {
        fault(FaultKind::Breakdown);
    }
    let is_sum =
        |counts: &TokenUsage| (tokens(counts.total_input()), tokens(counts.total_output())) == (*input, *output);
    if !counts.as_ref().is_ok_and(is_sum) {
        fault(FaultKind::Usage);
    }
}

/// How much of each class an entry tells.
pub(super) fn counts(usage: &str) -> Result<TokenUsage, StoreError> {
    serde_json::from_str(usage).map_err(|error| StoreError::unreadable("what an entry has used", error))
}
