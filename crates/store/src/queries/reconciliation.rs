//! Checking the books: every counter against the sum of its epoch, every entry against its breakdown and its postings.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use keyward_core::ids::RequestId;
use keyward_core::ledger::{Difference, EntryFault, FaultKind, Reconciliation};
use keyward_core::money::NanoUsd;
use keyward_core::price::{CostBreakdown, TokenUsage};
use serde::Serialize;

use super::ledger::{postings, tokens};
use super::{Conn, audit, meter};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::ledger;

mod sums;

use sums::Sums;

/// The most entries that are read at once.
const PAGE: i64 = 1_000;

/// Checks all books.
pub(crate) fn check(c: &mut Conn) -> Result<Reconciliation, StoreError> {
    let mut found = Reconciliation::default();
    let mut sums = Sums::begin(c)?;
    found.counters = sums.counters();
    check_entries(c, &mut sums, &mut found)?;
    found.differences = sums.differences(c)?;
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

/// What of an entry can be checked.
type Checked = ((String, i32), (i64, i64, String), (i64, Option<String>), (i32, String, Instant));

/// Checks each entry, and adds up what all of them say about the counters.
fn check_entries(c: &mut Conn, sums: &mut Sums, found: &mut Reconciliation) -> Result<(), StoreError> {
    let mut last = (String::new(), 0);
    loop {
        let used = (ledger::input_tokens, ledger::output_tokens, ledger::usage);
        let posted = (ledger::posting_count, ledger::postings, ledger::settled_at);
        let later = sql::<Bool>("(request_id, attempt) > (").bind::<Text, _>(&last.0).sql(", ");
        let later = later.bind::<Integer, _>(last.1).sql(")");
        let key = (ledger::request_id, ledger::attempt);
        let page: Vec<Checked> = ledger::table
            .filter(later)
            .order(key)
            .limit(PAGE)
            .select((key, used, (ledger::cost, ledger::pricing), posted))
            .load(c)?;
        let Some((key, ..)) = page.last() else { return Ok(()) };
        last.clone_from(key);
        found.entries = found.entries.saturating_add(page.len());
        for entry in &page {
            check_entry(entry, sums, &mut found.faults);
        }
    }
}

fn check_entry(
    ((request_id, attempt), (input, output, usage), (cost, pricing), (written, text, settled_at)): &Checked,
    sums: &mut Sums,
    faults: &mut Vec<EntryFault>,
) {
    let mut fault = |kind| {
        let request_id = RequestId::from(request_id.as_str());
        faults.push(EntryFault { request_id, attempt: *attempt, kind });
    };
    // What nobody can read is not there.
    let postings = postings::read(text).unwrap_or_default();
    let (written, there) = (i64::from(*written), i64::try_from(postings.len()).unwrap_or(i64::MAX));
    if written != there {
        fault(FaultKind::Postings { written, found: there });
    }
    postings.into_iter().for_each(|posting| sums.add(posting, settled_at.0));
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
