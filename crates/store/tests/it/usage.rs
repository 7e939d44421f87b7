//! Rollups say what the ledger says, whatever has happened to it.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use keyward_core::authority::Reach;
use keyward_core::catalogue::Catalogue;
use keyward_core::ledger::{Attribution, LedgerEntry, LedgerFilter, LedgerOrder, LedgerRecord, Outcome, Rerating};
use keyward_core::price::{ServiceTier, TokenUsage, Usage};
use keyward_core::usage::{
    Attempted, Dimension, Filters, Hour, RefusalCount, ReportBuilder, Series, Tally, UsageReport, UsageReportQuery,
    UsageRequest,
};
use keyward_store::Store;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::json;

use crate::attempt::entry;
use crate::database::Database;
use crate::request::{self, at, change};

const MIDNIGHT: &str = "2026-11-23T00:00:00Z";

fn minutes(minutes: i64) -> Timestamp {
    Timestamp::from_second(at(MIDNIGHT).as_second() + minutes * 60).unwrap()
}

/// An attempt by who it was, and when.
#[derive(Debug, Clone)]
struct Made {
    key: u8,
    model: u8,
    outcome: usize,
    is_batch: bool,
    cost: i64,
    minute: i64,
    millis: i64,
}

fn made() -> impl Strategy<Value = Made> {
    (0..4_u8, 0..3_u8, 0..5_usize, any::<bool>(), 0..1_000_i64, 0..4_000_i64, 0..90_000_i64).prop_map(
        |(key, model, outcome, is_batch, cost, minute, millis)| Made {
            key,
            model,
            outcome,
            is_batch,
            cost,
            minute,
            millis,
        },
    )
}

fn attempt(request: &str, made: &Made) -> LedgerEntry {
    let entry = entry(request, &format!("key {}", made.key).into(), Vec::new());
    let settled_at = minutes(made.minute);
    let before = |millis: i64| Timestamp::from_millisecond(settled_at.as_millisecond() - millis).unwrap();
    let counts = TokenUsage { input: 100, cached_input: u64::from(made.key), output: 7, ..TokenUsage::default() };
    let tier = if made.is_batch { ServiceTier::Batch } else { ServiceTier::Standard };
    LedgerEntry {
        attribution: Attribution {
            // The odd ones belong to a team, which has a customer where it is the third.
            team_id: (made.key % 2 == 1).then(|| format!("team {}", made.key).into()),
            customer_id: (made.key == 3).then(|| "customer".into()),
            model: format!("model {}", made.model).into(),
            ..entry.attribution
        },
        usage: Usage { tier, ..Usage::from(counts) },
        cost: keyward_core::money::NanoUsd::from_nanos(made.cost),
        outcome: Outcome::ALL[made.outcome],
        admitted_at: before(made.millis),
        first_byte_at: (made.millis % 2 == 0).then(|| before(made.millis / 2)),
        settled_at,
        ..entry
    }
}

#[derive(Debug, Clone)]
enum Step {
    Settle(Vec<Made>),
    Refuse(Vec<(u8, i64, u64)>),
    Fold(i64),
    Prune(i64),
    Rerate(i64, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(made(), 1..30).prop_map(Step::Settle),
        2 => prop::collection::vec((0..4_u8, 0..4_000_i64, 1..9_u64), 1..5).prop_map(Step::Refuse),
        3 => (0..5_000_i64).prop_map(Step::Fold),
        1 => (0..4_000_i64).prop_map(Step::Prune),
        1 => (0..4_000_i64, 1..900_u32).prop_map(|(since, nanos)| Step::Rerate(since, nanos)),
    ]
}

/// The books, and what of them only the test knows.
struct Books {
    store: Store,
    settled: usize,
    refused: Vec<RefusalCount>,
}

impl Books {
    async fn carry_out(&mut self, step: &Step) {
        match step {
            Step::Settle(all) => {
                let entries: Vec<LedgerEntry> =
                    all.iter().zip(self.settled..).map(|(made, n)| attempt(&format!("r{n}"), made)).collect();
                self.settled += entries.len();
                // The last is given twice, which changes nothing.
                let again = entries.last().cloned();
                self.store.ledger_append(entries).await.unwrap();
                self.store.ledger_append(again.into_iter().collect::<Vec<_>>()).await.unwrap();
            }
            Step::Refuse(all) => {
                let refused: Vec<RefusalCount> =
                    all.iter().map(|(key, minute, count)| refusal(*key, *minute, *count)).collect();
                self.store.refusals_add(refused.clone()).await.unwrap();
                self.refused.extend(refused);
            }
            Step::Fold(minute) => fold(&self.store, minutes(*minute)).await,
            Step::Prune(minute) => {
                let before = minutes(*minute);
                let mut place = None;
                loop {
                    place = self.store.ledger_expire(before, place).await.unwrap().next;
                    if place.is_none() {
                        break;
                    }
                }
                self.refused.retain(|refused| refused.hour >= Hour::of(before));
            }
            Step::Rerate(minute, nanos) => {
                let which =
                    Rerating { since: minutes(*minute), until: None, provider: None, model: None, dry_run: false };
                self.store.ledger_rerate(change("ledger_rerate"), which, catalogue(*nanos), None).await.unwrap();
            }
        }
    }

    async fn ledger(&self) -> Vec<LedgerRecord> {
        self.store.ledger_list(LedgerFilter::default(), i64::MAX).await.unwrap()
    }

    /// The report as the ledger's entries make it, one by one.
    async fn expected(&self, request: &UsageRequest) -> UsageReport {
        let mut report = ReportBuilder::new(request);
        let mut add = |hour: Hour, series: &Series<String>, tally: &Tally| {
            let matches =
                request.filters.dimensions().all(|by| request.filters.get(by).as_ref() == Some(series.get(by)));
            if matches && hour >= request.from && hour < request.to {
                let group = report.group(series);
                report.add(group, hour, tally);
            }
        };
        for record in self.ledger().await {
            let mut tally = Tally::default();
            tally.record(&attempted(&record));
            add(Hour::of(record.settled_at), &series(&record), &tally);
        }
        for refused in &self.refused {
            add(refused.hour, &refused.series, &Tally::refused(refused.count));
        }
        report.finish()
    }
}

async fn fold(store: &Store, until: Timestamp) {
    while store.usage_fold(Hour::of(until)).await.unwrap() {}
}

fn refusal(key: u8, minute: i64, count: u64) -> RefusalCount {
    let series = Series {
        virtual_key: format!("key {key}"),
        outcome: "budget_exceeded".to_owned(),
        team: if key == 1 { "team 1".to_owned() } else { String::new() },
        ..Series::default()
    };
    RefusalCount { hour: Hour::of(minutes(minute)), series, count }
}

/// What is sent to the provider as `m` costs so much for each token.
fn catalogue(nanos: u32) -> Catalogue {
    let row = format!(r#"{{"provider":"openai","model":"m","input":0.{nanos:03},"output":0.{nanos:03}}}"#);
    Catalogue::from_json(&format!(r#"{{"version":"{nanos}","about":"","sources":{{}},"models":[{row}]}}"#)).unwrap()
}

fn attempted(record: &LedgerRecord) -> Attempted {
    Attempted {
        counts: record.usage,
        cost: record.cost,
        tier: ServiceTier::find(&record.service_tier).unwrap(),
        outcome: Outcome::ALL.into_iter().find(|known| known.as_str() == record.outcome).unwrap(),
        admitted_at: record.admitted_at,
        first_byte_at: record.first_byte_at,
        settled_at: record.settled_at,
    }
}

fn series(record: &LedgerRecord) -> Series<String> {
    Series {
        customer: record.customer_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        team: record.team_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        virtual_key: record.virtual_key_id.to_string(),
        provider: record.provider.to_string(),
        model: record.model.to_string(),
        outcome: record.outcome.clone(),
    }
}

fn request(from: i64, to: i64, group_by: &str, interval: Option<&str>) -> UsageRequest {
    let query = UsageReportQuery {
        from: Some(minutes(from).to_string()),
        to: Some(minutes(to).to_string()),
        group_by: Some(group_by.to_owned()),
        interval: interval.map(str::to_owned),
        limit: Some("3".to_owned()),
        ..UsageReportQuery::default()
    };
    query.check(at(MIDNIGHT)).unwrap()
}

async fn agree(books: &Books, request: UsageRequest) -> Result<(), TestCaseError> {
    let expected = books.expected(&request).await;
    prop_assert_eq!(books.store.usage_report(request).await.unwrap(), expected);
    Ok(())
}

async fn try_steps(steps: Vec<Step>, from: i64, length: i64) -> Result<(), TestCaseError> {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let mut books = Books { store, settled: 0, refused: Vec::new() };
    for step in &steps {
        books.carry_out(step).await;
        agree(&books, request(-60, 5_000, "", None)).await?;
    }
    for group_by in ["", "virtual_key", "model,outcome", "team,provider,outcome", "customer,team"] {
        for interval in [None, Some("hour"), Some("day"), Some("week")] {
            agree(&books, request(-60, 5_000, group_by, interval)).await?;
            agree(&books, request(from, from + length, group_by, interval)).await?;
        }
    }
    for filters in [
        Filters { team: Some("team 1".to_owned()), ..Filters::default() },
        Filters { team: Some(String::new()), model: Some("model 1".to_owned()), ..Filters::default() },
        Filters { outcome: Some("budget_exceeded".to_owned()), ..Filters::default() },
    ] {
        agree(&books, UsageRequest { filters, ..request(from, from + length, "virtual_key", Some("day")) }).await?;
    }
    prop_assert_eq!(sums(&database, "ledger"), sums(&database, "usage_rollups WHERE kind = 0"));
    // What is folded is in three views, and by the day, and everywhere the same.
    let folded = "start < (SELECT folded_until FROM usage_folding)";
    let hours = sums(&database, &format!("usage_rollups WHERE kind = 0 AND {folded}"));
    for kind in 1..6 {
        prop_assert_eq!(&sums(&database, &format!("usage_rollups WHERE kind = {kind}")), &hours, "kind {}", kind);
    }
    Ok(())
}

/// Attempts, dollars and tokens of a table.
fn sums(database: &Database, table: &str) -> Vec<String> {
    let (count, cost) = match table {
        "ledger" => (
            "COUNT(*)",
            "cost + COALESCE((SELECT SUM(a.new_cost - a.old_cost) FROM ledger_adjustments a
            WHERE a.request_id = ledger.request_id AND a.attempt = ledger.attempt), 0)",
        ),
        _ => ("COALESCE(SUM(requests), 0)", "cost"),
    };
    database.lines(&format!(
        "SELECT {count} || ' ' || COALESCE(SUM({cost}), 0) || ' ' || COALESCE(SUM(input_tokens), 0) || ' ' ||
            COALESCE(SUM(output_tokens), 0) AS line FROM {table}"
    ))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Any sequence of settlements, refusals, adjustments, prunings and foldings: the rollups say what the ledger says.
    #[test]
    fn rollups_say_what_the_ledger_says(
        steps in prop::collection::vec(step(), 1..9),
        from in -60..4_000_i64,
        length in 1..3_000_i64,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(try_steps(steps, from, length))?;
    }
}

fn simple(request: &str, key: u8, minute: i64) -> LedgerEntry {
    attempt(request, &Made { key, model: key, outcome: 0, is_batch: false, cost: 10, minute, millis: 400 })
}

/// A page after another has each entry once, in both orders and whatever is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_ledger_follow_each_other() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    // Several are settled in the same instant, and hours lie between others.
    let all: Vec<LedgerEntry> = (0..60).map(|n| simple(&format!("r{n:02}"), n % 4, 200 * i64::from(n / 8))).collect();
    store.ledger_append(all).await.unwrap();
    let team = |id: &str| Filters { team: Some(id.to_owned()), ..Filters::default() };
    let model = |name: &str| Filters { model: Some(name.to_owned()), ..Filters::default() };
    let key = Filters { virtual_key: Some("key 2".to_owned()), ..Filters::default() };
    for folded in [0, 700, 5_000] {
        fold(&store, minutes(folded)).await;
        for (filters, expected) in [
            (Filters::default(), 60),
            (team("team 1"), 15),
            (team(""), 30),
            (model("model 2"), 15),
            (Filters { model: Some("model 1".to_owned()), ..team("team 3") }, 0),
            (key.clone(), 15),
            (Filters { outcome: Some("timed_out".to_owned()), ..Filters::default() }, 0),
        ] {
            for order in [LedgerOrder::Asc, LedgerOrder::Desc] {
                let mut filter = LedgerFilter { order, filters: filters.clone(), ..LedgerFilter::default() };
                let mut seen = Vec::new();
                loop {
                    let page = store.ledger_list(filter.clone(), 7).await.unwrap();
                    seen.extend(page.iter().map(LedgerRecord::place));
                    filter.after = page.last().map(LedgerRecord::place);
                    if page.len() < 7 {
                        break;
                    }
                }
                assert_eq!(seen.len(), expected, "{filter:?}");
                let is_in_order = |pair: &[_]| match order {
                    LedgerOrder::Asc => pair[0] < pair[1],
                    LedgerOrder::Desc => pair[0] > pair[1],
                };
                assert!(seen.windows(2).all(is_in_order), "{seen:?}");
            }
        }
    }
    let some = LedgerFilter { from: Some(minutes(200)), to: Some(minutes(400)), ..LedgerFilter::default() };
    assert_eq!(store.ledger_list(some, 100).await.unwrap().len(), 8);
    let one = LedgerFilter { request_id: Some("r09".to_owned()), ..LedgerFilter::default() };
    let found = store.ledger_list(one, 100).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].latency_ms, found[0].time_to_first_byte_ms, found[0].cost.nanos()), (400, Some(200), 10));
}

/// Whoever reaches a team or a customer sees what was theirs then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_reach_is_not_there() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    store.ledger_append((0..4).map(|key| simple(&format!("r{key}"), key, 10)).collect::<Vec<_>>()).await.unwrap();
    store.refusals_add(vec![refusal(1, 10, 3), refusal(2, 10, 5)]).await.unwrap();
    for (reach, requests, refusals) in [
        (Reach::Everything, 4, 8),
        (Reach::Team("team 1".into()), 1, 3),
        (Reach::Customer("customer".into()), 1, 0),
        (Reach::Team("other".into()), 0, 0),
    ] {
        let own = store.within(&reach);
        let report = own.usage_report(request(0, 60, "", None)).await.unwrap();
        assert_eq!((report.total.requests, report.total.refusals), (requests, refusals), "{reach:?}");
        let entries = own.ledger_list(LedgerFilter::default(), 10).await.unwrap();
        assert_eq!(entries.len() as u64, requests, "{reach:?}");
    }
    let others = Filters { team: Some("team 3".to_owned()), ..Filters::default() };
    let own = store.within(&Reach::Team("team 1".into()));
    let report = own.usage_report(UsageRequest { filters: others.clone(), ..request(0, 60, "", None) }).await.unwrap();
    assert_eq!(report.total.requests, 0);
    let asked = LedgerFilter { filters: others, ..LedgerFilter::default() };
    assert!(own.ledger_list(asked, 10).await.unwrap().is_empty());
}

/// Groups have the names of what still exists.
#[tokio::test(flavor = "multi_thread")]
async fn groups_are_called_by_their_names() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let key = request::create(&store, json!({"name": "app"})).await.unwrap();
    let mut own = simple("r1", 0, 10);
    own.attribution.virtual_key_id = key.id.clone();
    store.ledger_append(vec![own, simple("r2", 1, 10)]).await.unwrap();
    let report = store.usage_report(request(0, 60, "virtual_key", None)).await.unwrap();
    let names: BTreeMap<_, _> =
        report.groups.into_iter().map(|group| (group.by[0].value.clone().unwrap(), group.by[0].name.clone())).collect();
    let expected = [(key.id.to_string(), Some("app".to_owned())), ("key 1".to_owned(), None)];
    assert_eq!(names, BTreeMap::from(expected));
}

/// A budget covers what its owner spends; spending is told apart by what budgets cover, and budgets by who may see them.
#[tokio::test(flavor = "multi_thread")]
async fn what_budgets_cover() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    request::providers(&store).await;
    let budget = json!({"max_limit": 1, "reset_duration": "1d"});
    let owner = json!({"name": "x", "budget": budget});
    let team = store.team_create(change("team_create"), request::team(owner.clone())).await.unwrap();
    let customer = store.customer_create(change("customer_create"), request::customer(owner)).await.unwrap();
    let models = json!([{"model": "m", "budget": budget}]);
    let configs = json!([{"provider": "openai", "budget": budget, "model_budgets": models}]);
    let wanted = json!({"name": "app", "team_id": team.id, "budget": budget, "provider_configs": configs});
    let key = request::create(&store, wanted).await.unwrap();
    request::model_config(&store, json!({"model_name": "*", "provider": "openai", "budget": budget})).await.unwrap();
    let own = json!({"model_name": "n", "scope": "virtual_key", "scope_id": key.id, "budget": budget});
    request::model_config(&store, own).await.unwrap();

    let text = |value: Option<&dyn ToString>| value.map_or("*".to_owned(), ToString::to_string);
    let (id, team_id, customer_id) = (key.id.to_string(), team.id.to_string(), customer.id.to_string());
    let called = |name: String| match name {
        name if name == id => "key".to_owned(),
        name if name == team_id => "team".to_owned(),
        name if name == customer_id => "customer".to_owned(),
        name => name,
    };
    let scopes = async |reach: Reach| {
        let found = store.within(&reach).budget_scopes().await.unwrap();
        let mut scopes: Vec<String> = found
            .into_iter()
            .map(|(_, scope)| {
                let filters = scope.filters();
                let parts =
                    Dimension::ALL.map(|by| called(text(filters.get(by).as_ref().map(|id| id as &dyn ToString))));
                parts[..5].join(" ")
            })
            .collect();
        scopes.sort();
        scopes
    };
    let of_key = ["* * key * *", "* * key * n", "* * key openai *", "* * key openai m"];
    let mut all = vec!["* * * openai *"];
    all.extend(of_key);
    all.extend(["* team * * *", "customer * * * *"]);
    assert_eq!(scopes(Reach::Everything).await, all);
    let mut of_team = of_key.to_vec();
    of_team.push("* team * * *");
    assert_eq!(scopes(Reach::Team(team.id.clone())).await, of_team);
    assert_eq!(scopes(Reach::Customer(customer.id.clone())).await, ["customer * * * *"]);

    let mut spent = simple("r1", 0, 10);
    spent.attribution = Attribution {
        virtual_key_id: key.id.clone(),
        team_id: Some(team.id.clone()),
        model: "m".into(),
        ..spent.attribution
    };
    store.ledger_append(vec![spent, simple("r2", 1, 10), simple("r3", 1, 80)]).await.unwrap();
    let found = store.budget_scopes().await.unwrap();
    let by: HashSet<_> = found.iter().map(|(_, scope)| scope.filters()).collect();
    let nanos = async |to: i64| {
        let spent = store.usage_spent(by.clone(), Hour::of(minutes(0)), Hour::of(minutes(to))).await.unwrap();
        let mut nanos: Vec<i64> = spent.values().map(|cost| cost.nanos()).collect();
        nanos.sort_unstable();
        nanos
    };
    // The provider has both attempts of the hour; the customer and the other model none; the rest one.
    assert_eq!(nanos(60).await, [0, 0, 10, 10, 10, 10, 20]);
    let three_days = 3 * 24 * 60;
    assert_eq!(nanos(three_days).await, [0, 0, 10, 10, 10, 10, 30]);
    while store.usage_fold(Hour::of(minutes(three_days))).await.unwrap() {}
    for (to, of_provider) in [(60, 20), (three_days, 30)] {
        assert_eq!(nanos(to).await, [0, 0, 10, 10, 10, 10, of_provider], "added up besides");
    }
}
