//! Entries are priced anew beside what they say, and counted where they still count.

use keyward_core::catalogue::Catalogue;
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::{LedgerEntry, Pricing, Rerated, Rerating, UsageSource};
use keyward_core::meter::{MeterId, Metric};
use keyward_core::money::NanoUsd;
use keyward_core::price::{Price, ServiceTier, TokenUsage, Usage};
use keyward_core::pricing_override::RequestType;
use keyward_store::Store;

use crate::attempt::{counts, entry, posting, window};
use crate::database::Database;
use crate::request::{at, change, now};

/// A catalogue in which tokens of the models `m` and `n` cost so many nano-dollars each.
fn catalogue(version: &str, nanos: u32) -> Catalogue {
    let usd = format!("0.{nanos:03}");
    let row = |model: &str| format!(r#"{{"provider":"openai","model":"{model}","input":{usd},"output":{usd}}}"#);
    let rows = format!("{},{}", row("m"), row("n"));
    Catalogue::from_json(&format!(r#"{{"version":"{version}","about":"","sources":{{}},"models":[{rows}]}}"#)).unwrap()
}

/// An attempt that used ten tokens, as the catalogue prices it.
fn attempt(request: &str, catalogue: &Catalogue, meters: &[(&MeterId, i64)]) -> LedgerEntry {
    let usage = Usage::from(TokenUsage { input: 6, output: 4, ..TokenUsage::default() });
    let price = catalogue.find("openai", "m").unwrap().price.clone();
    let cost = price.cost(&usage);
    let postings =
        meters.iter().map(|(meter, day)| posting(meter, window(day * 10, day * 10 + 10), cost.nanos())).collect();
    let pricing = Pricing { version: catalogue.version().into(), rates: price.rates_for(&usage) };
    LedgerEntry { usage, cost, pricing: Some(pricing), ..entry(request, &"v".into(), postings) }
}

fn all() -> Rerating {
    Rerating { since: at("2026-01-01T00:00:00Z"), until: None, provider: None, model: None, dry_run: false }
}

async fn rerate(store: &Store, which: Rerating, catalogue: &Catalogue) -> Rerated {
    store.ledger_rerate(change("ledger_rerate"), which, catalogue.clone(), None).await.unwrap()
}

fn meter(limit: &str) -> MeterId {
    MeterId { limit: limit.into(), metric: Metric::Cost }
}

async fn cost(store: &Store) -> i64 {
    store.ledger_totals("v".into()).await.unwrap().cost.nanos()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_counts_is_adjusted_and_what_is_over_is_only_written_down() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let (old, new) = (catalogue("old", 1), catalogue("new", 3));
    let (day, month) = (meter("day"), meter("month"));
    // The second attempt begins another day; the third is late for the first one.
    let batch = [("r1", 0), ("r2", 1), ("r3", 0)];
    let batch = batch.map(|(request, on)| attempt(request, &old, &[(&day, on), (&month, 0)])).to_vec();
    store.ledger_append(batch).await.unwrap();
    assert_eq!((counts(&store).await[&day].used, counts(&store).await[&month].used), (10, 30));

    let expected = Rerated {
        entries: 3,
        changed: 3,
        unpriced: 0,
        cost_before: NanoUsd::from_nanos(30),
        cost_after: NanoUsd::from_nanos(90),
        counters: 2,
    };
    let dry = rerate(&store, Rerating { dry_run: true, ..all() }, &new).await;
    assert_eq!(dry, Rerated { counters: 0, ..expected });
    assert_eq!(cost(&store).await, 30);
    assert_eq!(rerate(&store, all(), &new).await, expected);
    assert_eq!((counts(&store).await[&day].used, counts(&store).await[&month].used), (30, 90));
    assert_eq!(cost(&store).await, 90);
    let usage = store.usage_by_model("v".into(), at("2026-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(usage[0].total_cost, NanoUsd::from_nanos(90));
    assert_eq!(database.lines("SELECT DISTINCT CAST(cost AS TEXT) AS line FROM ledger"), ["10"], "entries stay");
    let adjusted =
        "SELECT request_id || ' ' || limit_id || ' ' || amount || ' ' || epoch AS line FROM meter_adjustments
        ORDER BY request_id, limit_id";
    assert_eq!(
        database.lines(adjusted),
        ["r1 day 20 0", "r1 month 20 0", "r2 day 20 1", "r2 month 20 0", "r3 month 20 0"]
    );

    let again = rerate(&store, all(), &new).await;
    assert_eq!((again.changed, again.cost_after.nanos()), (0, 90), "a second time finds nothing");
    let found = store.ledger_check().await.unwrap();
    assert!(found.differences.is_empty() && found.faults.is_empty(), "{found:?}");
    let back = rerate(&store, all(), &old).await;
    assert_eq!((back.changed, cost(&store).await, counts(&store).await[&month].used), (3, 30, 30));
    assert_eq!(database.lines("SELECT action AS line FROM audit_log").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_chosen_by_time_provider_and_model() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let (old, new) = (catalogue("old", 100), catalogue("new", 300));
    let mut alias = attempt("r2", &old, &[]);
    alias.attribution.model = "alias".into();
    let mut elsewhere = attempt("r3", &old, &[]);
    elsewhere.attribution.provider = "other".into();
    let mut later = attempt("r4", &old, &[]);
    later.settled_at = at("2026-12-01T00:00:00Z");
    store.ledger_append(vec![attempt("r1", &old, &[]), alias, elsewhere, later]).await.unwrap();
    let looked_at = async |which| rerate(&store, Rerating { dry_run: true, ..which }, &new).await.entries;
    assert_eq!(looked_at(all()).await, 4);
    assert_eq!(looked_at(Rerating { since: at("2026-11-30T00:00:00Z"), ..all() }).await, 1);
    assert_eq!(looked_at(Rerating { until: Some(at("2026-12-01T00:00:00Z")), ..all() }).await, 3);
    assert_eq!(looked_at(Rerating { provider: Some("other".into()), ..all() }).await, 1);
    assert_eq!(looked_at(Rerating { model: Some("alias".into()), ..all() }).await, 1);
    assert_eq!(looked_at(Rerating { model: Some("m".into()), ..all() }).await, 4);
    let done = rerate(&store, all(), &new).await;
    assert_eq!((done.changed, done.unpriced), (3, 1), "what has no price now keeps its cost");
}

/// An attempt without a price costs something once its model has one, and counts where it would have counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_no_price_gets_one() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let (known, budget) = (catalogue("new", 100), meter("b"));
    let free = attempt("r1", &known, &[(&budget, 0)]);
    let free = LedgerEntry { cost: NanoUsd::ZERO, pricing: None, ..free };
    let mut free = LedgerEntry { postings: vec![posting(&budget, window(0, 10), 0)], ..free };
    free.attribution.model_served = "n".into();
    store.ledger_append(vec![free]).await.unwrap();
    let none = Catalogue::from_json(r#"{"version":"v","about":"","sources":{},"models":[]}"#).unwrap();
    assert_eq!(rerate(&store, all(), &none).await.unpriced, 1);
    let otherwise = store.ledger_rerate(change("ledger_rerate"), all(), none, Some(Price::FREE)).await.unwrap();
    assert_eq!((otherwise.unpriced, otherwise.changed), (0, 0));
    assert_eq!(rerate(&store, all(), &known).await.changed, 1);
    assert_eq!((cost(&store).await, counts(&store).await[&budget].used), (1_000, 1_000));
}

/// An estimate charges what was held. By the same rates it stays, whatever bound it came from; by others the bound is priced.
#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_is_priced_as_the_bound_that_it_is() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let (old, new) = (catalogue("old", 1), catalogue("new", 3));
    let usage = TokenUsage { input: 1_000, output: 1_000, ..TokenUsage::default() }.into();
    let held = NanoUsd::from_nanos(2_500);
    let estimate = LedgerEntry {
        usage,
        cost: held,
        held,
        usage_source: UsageSource::Estimated,
        settled_at: now(),
        ..attempt("r1", &old, &[])
    };
    store.ledger_append(vec![estimate]).await.unwrap();
    assert_eq!(rerate(&store, all(), &old).await.changed, 0);
    assert_eq!(rerate(&store, all(), &new).await.cost_after.nanos(), 6_000);
    assert!(store.ledger_check().await.unwrap().faults.is_empty());
    let key: VirtualKeyId = "v".into();
    assert_eq!(store.ledger_totals(key).await.unwrap().cost.nanos(), 6_000);
}

/// What was priced by tier and class is priced so again; what a provider has billed, and what is free by declaration, stays.
#[tokio::test(flavor = "multi_thread")]
async fn tiers_classes_and_bills_are_kept() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let row = |cached: u32| {
        let prices =
            format!(r#""input":1,"cached_input":0.{cached},"output":2,"variants":[{{"tier":"flex","output":1}}]"#);
        let models = format!(r#"[{{"provider":"openai","model":"m",{prices}}}]"#);
        Catalogue::from_json(&format!(r#"{{"version":"v{cached}","about":"","sources":{{}},"models":{models}}}"#))
            .unwrap()
    };
    let (old, new) = (row(1), row(5));
    let used = |request: &str, usage: Usage| {
        let price = old.find("openai", "m").unwrap().price.clone();
        let pricing = Pricing { version: old.version().into(), rates: price.rates_for(&usage).about(&usage.counts) };
        let cost = usage.reported.unwrap_or_else(|| price.cost(&usage));
        LedgerEntry { usage, cost, pricing: Some(pricing), ..entry(request, &"v".into(), Vec::new()) }
    };
    let counts = TokenUsage { input: 1_000, cached_input: 1_000, output: 1_000, ..TokenUsage::default() };
    let flex = Usage { tier: ServiceTier::Flex, ..counts.into() };
    let billed = Usage { reported: Some(NanoUsd::from_nanos(77)), ..counts.into() };
    let mut free = used("r3", counts.into());
    free.attribution.request_type = None;
    let mut embedding = used("r4", counts.into());
    embedding.attribution.request_type = Some(RequestType::Embedding);
    store.ledger_append(vec![used("r1", flex), used("r2", billed), free, embedding]).await.unwrap();
    assert!(store.ledger_check().await.unwrap().faults.is_empty());
    let done = rerate(&store, all(), &new).await;
    assert_eq!((done.changed, done.unpriced), (2, 0));
    let adjusted =
        "SELECT request_id || ' ' || old_cost || ' ' || new_cost AS line FROM ledger_adjustments ORDER BY request_id";
    // A million: 1 and 1 for input and output at flex, and 0.1, then 0.5, for cached input.
    assert_eq!(database.lines(adjusted), ["r1 2100000 2500000", "r4 3100000 3500000"]);
    assert_eq!(rerate(&store, all(), &new).await.changed, 0);
}
