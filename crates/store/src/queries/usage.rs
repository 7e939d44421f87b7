//! Usage: what the ledger comes to by the hour, written in the transaction of what it sums up.
//!
//! A rollup is a tally of an hour and a series, or of a day. What is written goes into the hours of the view that tells everything
//! apart. Hours that are over are folded: added up in two coarser views, and all three by the day. Whatever changes in a folded
//! hour changes in all of them, so that every kind says the same at every instant.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use jiff::Timestamp;
use keyward_core::ledger::{LedgerEntry, Outcome};
use keyward_core::money::NanoUsd;
use keyward_core::price::ServiceTier;
use keyward_core::usage::{Attempted, Hour, RefusalCount, Series, Tally};

use super::Conn;
use super::reconciliation::counts;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::ledger;

mod active_hours;
mod budget_scopes;
mod folding;
mod reading;
mod report;
mod rollup;
mod series;

pub(crate) use active_hours::{ActiveHour, Search};
pub(crate) use budget_scopes::budget_scopes;
pub(crate) use folding::fold;
pub(crate) use report::{report, spent};
use rollup::Change;

/// Tallies of hours and series.
type Tallies<'a> = HashMap<(Hour, Series<&'a str>), Tally>;

/// Adds new entries.
pub(super) fn post(c: &mut Conn, entries: &[&LedgerEntry]) -> Result<(), StoreError> {
    let mut tallies = Tallies::new();
    for entry in entries {
        let of = &entry.attribution;
        let series = Series {
            customer: of.customer_id.as_ref().map_or("", |id| id.as_str()),
            team: of.team_id.as_ref().map_or("", |id| id.as_str()),
            virtual_key: of.virtual_key_id.as_str(),
            provider: of.provider.as_str(),
            model: of.model.as_str(),
            outcome: entry.outcome.as_str(),
        };
        let key = (Hour::of(entry.settled_at), series);
        tallies.entry(key).or_default().record(&Attempted::from(*entry));
    }
    rollup::apply(c, tallies, Change::Add)
}

/// Adds refusals.
pub(crate) fn refuse(c: &mut Conn, refusals: &[RefusalCount]) -> Result<(), StoreError> {
    let mut tallies = Tallies::new();
    for RefusalCount { hour, series, count } in refusals {
        let key = (*hour, borrowed(series));
        tallies.entry(key).or_default().add(&Tally::refused(*count));
    }
    rollup::apply(c, tallies, Change::Add)
}

/// Takes off entries that are about to be deleted: these requests' attempts of this number.
pub(super) fn withdraw(c: &mut Conn, attempt: i32, requests: &[&str]) -> Result<(), StoreError> {
    let entries = entries(c, attempt, requests)?;
    let mut tallies = Tallies::new();
    for entry in &entries {
        tallies.entry(entry.key()?).or_default().record(&entry.attempted);
    }
    rollup::apply(c, tallies, Change::Subtract)
}

/// Adds what entries cost more since, or less: request, attempt, nano-dollars.
pub(super) fn adjust<'a>(c: &mut Conn, changed: impl Iterator<Item = (&'a str, i32, i64)>) -> Result<(), StoreError> {
    let mut attempts: BTreeMap<i32, HashMap<&str, i64>> = BTreeMap::new();
    for (request, attempt, amount) in changed {
        attempts.entry(attempt).or_default().insert(request, amount);
    }
    for (attempt, amounts) in attempts {
        let entries = entries(c, attempt, &amounts.keys().copied().collect::<Vec<_>>())?;
        let mut tallies = Tallies::new();
        for entry in &entries {
            let amount = amounts.get(entry.request_id.as_str()).copied().unwrap_or(0);
            tallies.entry(entry.key()?).or_default().add(&Tally::adjusted(NanoUsd::from_nanos(amount)));
        }
        rollup::apply(c, tallies, Change::Add)?;
    }
    Ok(())
}

/// Takes off what was refused before an instant, but for its last hour.
pub(super) fn forget_refusals(c: &mut Conn, before: Timestamp) -> Result<(), StoreError> {
    let rows = reading::refusals(c, Hour::of(before))?;
    let mut tallies = Tallies::new();
    for RefusalCount { hour, series, count } in &rows {
        tallies.entry((*hour, borrowed(series))).or_default().add(&Tally::refused(*count));
    }
    rollup::apply(c, tallies, Change::Subtract)
}

fn borrowed(series: &Series<String>) -> Series<&str> {
    let Series { customer, team, virtual_key, provider, model, outcome } = series;
    Series { customer, team, virtual_key, provider, model, outcome }
}

/// An entry that is in the books.
struct Entry {
    request_id: String,
    series: Series<String>,
    attempted: Attempted,
}

impl Entry {
    fn key(&self) -> Result<(Hour, Series<&str>), StoreError> {
        Ok((Hour::of(self.attempted.settled_at), borrowed(&self.series)))
    }
}

/// What an entry costs, with what was adjusted since.
const COST: &str = "CAST(cost + COALESCE((SELECT SUM(a.new_cost - a.old_cost) FROM ledger_adjustments a \
                    WHERE a.request_id = ledger.request_id AND a.attempt = ledger.attempt), 0) AS BIGINT)";

#[derive(Queryable)]
struct EntryRow {
    request_id: String,
    owners: (Option<String>, Option<String>, String),
    served: (String, String, String),
    usage: (String, String, i64),
    times: (Instant, Option<Instant>, Instant),
}

/// These requests' attempts of this number.
fn entries(c: &mut Conn, attempt: i32, requests: &[&str]) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<EntryRow> = ledger::table
        .filter(ledger::attempt.eq(attempt))
        .filter(ledger::request_id.eq_any(requests))
        .select((
            ledger::request_id,
            (ledger::customer_id, ledger::team_id, ledger::virtual_key_id),
            (ledger::provider, ledger::model, ledger::outcome),
            (ledger::usage, ledger::service_tier, sql::<BigInt>(COST)),
            (ledger::admitted_at, ledger::first_byte_at, ledger::settled_at),
        ))
        .load(c)?;
    rows.into_iter().map(EntryRow::into_entry).collect()
}

impl EntryRow {
    fn into_entry(self) -> Result<Entry, StoreError> {
        let Self { request_id, owners, served, usage, times } = self;
        let (customer, team, virtual_key) = owners;
        let (provider, model, outcome) = served;
        let (usage, tier, cost) = usage;
        let (admitted_at, first_byte_at, settled_at) = times;
        let ended = Outcome::ALL.into_iter().find(|known| known.as_str() == outcome);
        let attempted = Attempted {
            counts: counts(&usage)?,
            cost: NanoUsd::from_nanos(cost),
            tier: ServiceTier::find(&tier).ok_or_else(|| StoreError::unreadable("a service tier", &tier))?,
            outcome: ended.ok_or_else(|| StoreError::unreadable("an outcome", &outcome))?,
            admitted_at: admitted_at.0,
            first_byte_at: first_byte_at.map(|at| at.0),
            settled_at: settled_at.0,
        };
        let (customer, team) = (customer.unwrap_or_default(), team.unwrap_or_default());
        Ok(Entry { request_id, series: Series { customer, team, virtual_key, provider, model, outcome }, attempted })
    }
}
