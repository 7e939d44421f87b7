//! How long the questions of a dashboard take with a large ledger on SQLite: fills a database with attempts of 200 virtual keys over 90
//! days, asks, and prints a table. `cargo run --profile dist --example usage_at_size -- 10000000`
#![allow(clippy::print_stdout, reason = "its output is its result")]

use std::collections::HashSet;
use std::error::Error;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use keyward_core::ledger::{Attribution, LedgerEntry, LedgerFilter, LedgerOrder, Outcome, Postings, UsageSource};
use keyward_core::money::NanoUsd;
use keyward_core::price::TokenUsage;
use keyward_core::pricing_override::RequestType;
use keyward_core::usage::{Filters, Hour, UsageReportQuery};
use keyward_store::{Store, StoreOptions};

const DAYS: i64 = 90;
const KEYS: u64 = 200;
/// How many attempts a batch of the ledger has.
const BATCH: u64 = 5_000;
/// How often each question is asked.
const TIMES: usize = 40;
/// 2026-08-01.
const BEGIN: i64 = 1_785_542_400;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let entries: u64 = std::env::args().nth(1).ok_or("how many entries?")?.parse()?;
    let directory = tempfile::tempdir()?;
    let url = format!("sqlite://{}", directory.path().join("keyward.db").display());
    let store = Store::open(StoreOptions { url, root_key: None }).await?;
    fill(&store, entries).await?;
    println!("| question | p50 | p95 | slowest |\n|---|---|---|---|");
    for (what, query) in reports()? {
        let request = query.check(at(DAYS * 86_400)?)?;
        tell(what, async || Ok(store.usage_report(request.clone()).await.map(drop)?)).await?;
    }
    for (what, hours) in forecasts()? {
        tell(what, async || Ok(store.usage_spent(covered(), hours.0, hours.1).await.map(drop)?)).await?;
    }
    for (what, days) in [("what one key has used in 24 hours, by model", 1), ("the same in 30 days", 30)] {
        let since = at((DAYS - days) * 86_400)?;
        tell(what, async || Ok(store.usage_by_model(key_id(7).as_str().into(), since).await.map(drop)?)).await?;
    }
    for (what, filter) in ledgers()? {
        tell(what, async || Ok(store.ledger_list(filter.clone(), 100).await.map(drop)?)).await?;
    }
    Ok(())
}

fn at(seconds: i64) -> Result<Timestamp, jiff::Error> {
    Timestamp::from_second(BEGIN + seconds)
}

async fn fill(store: &Store, entries: u64) -> Result<(), Box<dyn Error>> {
    let (begin, mut writing, mut folding) = (Instant::now(), Duration::ZERO, Duration::ZERO);
    let mut hours = 0;
    for first in (0..entries).step_by(usize::try_from(BATCH)?) {
        let batch =
            (first..entries.min(first + BATCH)).map(|number| entry(number, entries)).collect::<Result<Vec<_>, _>>()?;
        let last = batch.last().map(|entry| entry.settled_at);
        let started = Instant::now();
        store.ledger_append(batch).await?;
        writing += started.elapsed();
        let started = Instant::now();
        // Its last hour is still going on.
        while store.usage_fold(Hour::of(last.unwrap_or_default())).await? {
            hours += 1;
        }
        folding += started.elapsed();
    }
    let each = writing / u32::try_from(entries)?;
    println!("{entries} entries in {:?}: {each:?} each, {hours} hours folded in {folding:?}\n", begin.elapsed());
    Ok(())
}

fn key_id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn team_id(number: u64) -> String {
    format!("00000000-0000-4000-9000-{number:012}")
}

fn customer_id(number: u64) -> String {
    format!("00000000-0000-4000-a000-{number:012}")
}

/// Attempts lie at even distances. Who makes them is as good as chance, and the same in every run.
fn entry(number: u64, of: u64) -> Result<LedgerEntry, Box<dyn Error>> {
    let chance = (number.wrapping_add(1))
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let key = (chance >> 8) % KEYS;
    let (model, provider) = match (chance >> 24) % 6 {
        0 => ("a", "openai"),
        1 => ("b", "openai"),
        2 => ("c", "anthropic"),
        3 => ("d", "anthropic"),
        4 => ("e", "gemini"),
        _ => ("f", "azure"),
    };
    let outcome = match (chance >> 32) % 1_000 {
        0..960 => Outcome::Completed,
        960..980 => Outcome::ClientCancelled,
        980..990 => Outcome::UpstreamError,
        990..999 => Outcome::TimedOut,
        _ => Outcome::Abandoned,
    };
    let millis = i64::try_from(200 + (chance >> 40) % 20_000)?;
    let span = i64::try_from(u128::from(number) * u128::from(DAYS.unsigned_abs()) * 86_400_000 / u128::from(of))?;
    let settled_at = Timestamp::from_millisecond(BEGIN * 1_000 + span)?;
    let before = |millis: i64| Timestamp::from_millisecond(settled_at.as_millisecond() - millis);
    Ok(LedgerEntry {
        attribution: Attribution {
            request_id: format!("{chance:016x}-{number:019x}").into(),
            attempt: 0,
            virtual_key_id: key_id(key).into(),
            team_id: Some(team_id(key / 10).into()),
            customer_id: (key < 100).then(|| customer_id(key / 50).into()),
            request_type: Some(RequestType::ChatCompletion),
            provider: provider.into(),
            provider_key_id: "00000000-0000-4000-b000-000000000000".into(),
            model: model.into(),
            model_served: model.into(),
        },
        usage: TokenUsage {
            input: chance % 3_000,
            cached_input: chance % 700,
            output: chance % 900,
            ..Default::default()
        }
        .into(),
        usage_source: UsageSource::Provider,
        cost: NanoUsd::from_nanos(i64::try_from(chance % 9_000_000)?),
        pricing: None,
        held: NanoUsd::from_nanos(9_000_000),
        outcome,
        admitted_at: before(millis)?,
        first_byte_at: Some(before(millis * 3 / 4)?),
        settled_at,
        postings: Postings::new(),
    })
}

type Asked<T> = Vec<(&'static str, T)>;

fn reports() -> Result<Asked<UsageReportQuery>, jiff::Error> {
    let days = |days: i64, group_by: &str, interval: Option<&str>| {
        Ok::<_, jiff::Error>(UsageReportQuery {
            // As somebody asks in the middle of a day.
            from: Some(at((DAYS - days) * 86_400 - 45_000)?.to_string()),
            to: Some(at(DAYS * 86_400 - 45_000)?.to_string()),
            group_by: Some(group_by.to_owned()),
            interval: interval.map(str::to_owned),
            ..UsageReportQuery::default()
        })
    };
    let (key, team) = (|| Some(key_id(7)), || Some(team_id(3)));
    Ok(vec![
        ("24 hours, by the hour", days(1, "", Some("hour"))?),
        ("24 hours, first keys", days(1, "virtual_key", None)?),
        ("7 days, by the hour, by outcome", days(7, "outcome", Some("hour"))?),
        ("30 days, by the day, first keys", days(30, "virtual_key", Some("day"))?),
        ("89 days, by the day", days(89, "", Some("day"))?),
        ("89 days, by the day, by provider and model", days(89, "provider,model", Some("day"))?),
        ("89 days, first keys", days(89, "virtual_key", None)?),
        ("89 days, by the day, first teams", days(89, "team", Some("day"))?),
        (
            "89 days of one key, by the day, by model",
            UsageReportQuery { virtual_key_id: key(), ..days(89, "model", Some("day"))? },
        ),
        ("30 days of one key, by the hour", UsageReportQuery { virtual_key_id: key(), ..days(30, "", Some("hour"))? }),
        (
            "89 days of one team, by key and model",
            UsageReportQuery { team_id: team(), ..days(89, "virtual_key,model", None)? },
        ),
        ("30 days, by key and model", days(30, "virtual_key,model", None)?),
        ("89 days, by key and model", days(89, "virtual_key,model", None)?),
        (
            "30 days in Berlin, by the day, by model",
            UsageReportQuery { timezone: Some("Europe/Berlin".to_owned()), ..days(30, "model", Some("day"))? },
        ),
    ])
}

/// What a forecast reads: the time that tells the pace.
fn forecasts() -> Result<Asked<(Hour, Hour)>, jiff::Error> {
    let now = Hour::of(at(DAYS * 86_400 - 45_000)?);
    Ok(vec![
        ("what 223 budgets cover, in 24 hours", (now.after(-24), now.after(1))),
        ("what 223 budgets cover, in 30 days", (now.after(-720), now.after(1))),
    ])
}

/// A budget of every virtual key, team and customer, and one of everything.
fn covered() -> HashSet<Filters> {
    let keys = (0..KEYS).map(|key| Filters { virtual_key: Some(key_id(key)), ..Filters::default() });
    let teams = (0..KEYS / 10).map(|team| Filters { team: Some(team_id(team)), ..Filters::default() });
    let customers = (0..2).map(|customer| Filters { customer: Some(customer_id(customer)), ..Filters::default() });
    keys.chain(teams).chain(customers).chain([Filters::default()]).collect()
}

fn ledgers() -> Result<Asked<LedgerFilter>, jiff::Error> {
    let of = |filters: Filters| LedgerFilter { filters, ..LedgerFilter::default() };
    let some = |text: &str| Some(text.to_owned());
    let key = || Filters { virtual_key: Some(key_id(7)), ..Filters::default() };
    let team = || Filters { team: Some(team_id(3)), ..Filters::default() };
    let customer = || Filters { customer: Some(customer_id(1)), ..Filters::default() };
    let ended = |outcome: &str| Filters { outcome: some(outcome), ..Filters::default() };
    Ok(vec![
        ("the newest 100 entries", of(Filters::default())),
        ("of a week ago", LedgerFilter { to: Some(at((DAYS - 7) * 86_400)?), ..LedgerFilter::default() }),
        ("the oldest", LedgerFilter { order: LedgerOrder::Asc, ..LedgerFilter::default() }),
        ("of one key", of(key())),
        ("of one key, completed", of(Filters { outcome: some("completed"), ..key() })),
        ("of one key, abandoned", of(Filters { outcome: some("abandoned"), ..key() })),
        ("of one key and model, timed out", of(Filters { model: some("c"), outcome: some("timed_out"), ..key() })),
        ("of one team", of(team())),
        ("of one team, abandoned", of(Filters { outcome: some("abandoned"), ..team() })),
        ("of one customer", of(customer())),
        (
            "of one customer and model, abandoned",
            of(Filters { model: some("c"), outcome: some("abandoned"), ..customer() }),
        ),
        (
            "of no customer, abandoned",
            of(Filters { customer: some(""), outcome: some("abandoned"), ..Filters::default() }),
        ),
        ("of one model", of(Filters { model: some("c"), ..Filters::default() })),
        ("of one model, abandoned", of(Filters { model: some("c"), ..ended("abandoned") })),
        ("of one provider", of(Filters { provider: some("azure"), ..Filters::default() })),
        ("that were completed", of(ended("completed"))),
        ("that ended with an error", of(ended("upstream_error"))),
        ("that were abandoned", of(ended("abandoned"))),
        ("of a model that there is not", of(Filters { model: some("z"), ..Filters::default() })),
    ])
}

async fn tell(what: &str, ask: impl AsyncFn() -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begin = Instant::now();
        ask().await?;
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    let at = |per_cent: usize| took.get((took.len() * per_cent / 100).min(took.len() - 1)).copied().unwrap_or_default();
    println!("| {what} | {:.1?} | {:.1?} | {:.1?} |", at(50), at(95), at(100));
    Ok(())
}
