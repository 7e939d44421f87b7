//! The ledger and the counters that follow from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::{Attribution, LedgerEntry, Outcome, Posting, Pricing, UsageSource};
use keyward_core::meter::{Count, MeterId, Metric};
use keyward_core::money::NanoUsd;
use keyward_core::price::Rates;
use keyward_core::window::Window;
use keyward_store::{LedgerTotals, StoreError};
use serde_json::json;

use crate::attempt::{counts, entry, posting, window};
use crate::database::Database;
use crate::request::{self, at, change, create, now, team, update};

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_counted_once_however_often_it_is_given() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let meter = MeterId { limit: "b".into(), metric: Metric::Cost };
    let key: VirtualKeyId = "v".into();
    let make = |request: &str| entry(request, &key, vec![posting(&meter, window(0, 10), 7)]);
    assert_eq!(store.ledger_append(vec![make("r1"), make("r1")]).await.unwrap(), 1);
    assert_eq!(store.ledger_append(vec![make("r1"), make("r2")]).await.unwrap(), 1);
    assert_eq!(store.ledger_append(Vec::new()).await.unwrap(), 0);
    assert_eq!(counts(&store).await[&meter], Count { window: window(0, 10), used: 14 });
    let totals = LedgerTotals { entries: 2, cost: NanoUsd::from_nanos(14), tokens: 20, unreported: NanoUsd::ZERO };
    assert_eq!(store.ledger_totals(key).await.unwrap(), totals);
    assert_eq!(store.ledger_totals("other".into()).await.unwrap().entries, 0);
    assert_eq!(database.lines("SELECT request_id AS line FROM ledger_postings ORDER BY 1"), ["r1", "r2"]);
}

/// What an entry says is what was settled; of a meter that counts what runs there is no counter.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_has_all_that_is_known_of_an_attempt() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let meter = |metric| MeterId { limit: "b".into(), metric };
    let running =
        Posting { would_refuse: true, held: 1, ..posting(&meter(Metric::ParallelRequests), window(0, 10), 0) };
    let spent = Posting { cap: 50, held: 9, ..posting(&meter(Metric::Cost), window(0, 10), 7) };
    let rates = Rates { input: "0.0005".parse().unwrap(), output: "0.0015".parse().unwrap(), ..Rates::default() };
    let full = LedgerEntry {
        pricing: Some(Pricing { version: "v1".into(), rates }),
        usage_source: UsageSource::Counted,
        outcome: Outcome::ClientCancelled,
        first_byte_at: Some(at("2026-11-23T12:00:01Z")),
        ..entry("r", &"v".into(), vec![running, spent])
    };
    let full =
        LedgerEntry { attribution: Attribution { model_served: "m-2026".into(), ..full.attribution.clone() }, ..full };
    let posted = full.postings.to_vec();
    store.ledger_append(vec![full]).await.unwrap();
    assert_eq!(store.ledger_postings("r".into(), 0).await.unwrap(), posted);
    assert_eq!(store.ledger_postings("r".into(), 1).await.unwrap(), []);
    let written = "SELECT model || ' ' || model_served || ' ' || usage_source || ' ' || cost || ' ' || held || ' ' || posting_count
        || ' ' || outcome AS line FROM ledger WHERE first_byte_at > admitted_at";
    assert_eq!(database.lines(written), ["m m-2026 counted 7 9 2 client_cancelled"]);
    let pricing =
        r#"{"version":"v1","pico_usd_per_unit":{"input":500,"output":1500},"pico_usd":{"input":500,"output":6000}}"#;
    assert_eq!(database.lines("SELECT pricing AS line FROM ledger"), [pricing]);
    let used = r#"6 4 {"input":1,"cached_input":2,"cache_write":3,"output":4} standard chat_completion"#;
    let usage = "SELECT input_tokens || ' ' || output_tokens || ' ' || usage || ' ' || service_tier || ' ' || request_type AS line
        FROM ledger";
    assert_eq!(database.lines(usage), [used]);
    let postings =
        "SELECT metric || ' ' || cap || ' ' || held || ' ' || amount || ' ' || COALESCE(CAST(epoch AS TEXT), 'none')
        || CASE WHEN would_refuse THEN ' would refuse' ELSE '' END AS line FROM ledger_postings ORDER BY position";
    assert_eq!(database.lines(postings), ["parallel_requests 100 1 0 none would refuse", "cost 50 9 7 0"]);
    assert_eq!(counts(&store).await.into_keys().collect::<Vec<_>>(), [meter(Metric::Cost)]);
}

/// I4: a counter is the fold of its postings. Every sequence of three, over windows that meet in every way.
#[tokio::test(flavor = "multi_thread")]
async fn i4_the_rule_in_sql_is_the_rule_of_the_core() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let windows = [window(0, 10), window(10, 20), window(5, 15), window(0, 20), window(12, 14)];
    let steps: Vec<(Window, i64)> =
        windows.into_iter().flat_map(|window| [0, 7, i64::MAX].map(|amount| (window, amount))).collect();
    let mut expected = BTreeMap::new();
    let mut rounds: [Vec<LedgerEntry>; 3] = Default::default();
    let mut at_once = Vec::new();
    for (i, first) in steps.iter().enumerate() {
        let mut postings: [Vec<Posting>; 4] = Default::default();
        for (j, second) in steps.iter().enumerate() {
            for (k, third) in steps.iter().enumerate() {
                let sequence = [*first, *second, *third];
                let folded = sequence.into_iter().fold(None, |count: Option<Count>, (window, amount)| match count {
                    None => Some(Count { window, used: amount }),
                    Some(count) => Some(count.posted(window, amount)),
                });
                for kind in ["rounds", "batch"] {
                    let meter = MeterId { limit: format!("{kind}-{i}-{j}-{k}").into(), metric: Metric::Tokens };
                    for (round, (window, amount)) in sequence.into_iter().enumerate() {
                        let round = if kind == "rounds" { round } else { 3 };
                        postings[round].push(posting(&meter, window, amount));
                    }
                    expected.extend(folded.map(|count| (meter, count)));
                }
            }
        }
        let key = "v".into();
        let [one, two, three, together] = postings;
        for (round, postings) in [one, two, three].into_iter().enumerate() {
            rounds[round].push(entry(&format!("{i}-{round}"), &key, postings));
        }
        at_once.push(entry(&format!("{i}-together"), &key, together));
    }
    for batch in rounds.into_iter().chain([at_once]) {
        store.ledger_append(batch).await.unwrap();
    }
    let found = counts(&store).await;
    for (meter, count) in &expected {
        assert_eq!(found.get(meter), Some(count), "{meter:?}");
    }
    assert_eq!(found.len(), expected.len());
}

/// I8: editing a limit leaves its usage alone; only a limit that goes takes its counter along.
#[tokio::test(flavor = "multi_thread")]
async fn i8_an_edit_keeps_usage_and_the_counter_adopts_the_new_window() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    request::providers(&store).await;
    let request = json!({
        "name": "x", "budget": {"max_limit": 1, "reset_duration": "1d"},
        "rate_limit": {"token_max_limit": 9, "token_reset_duration": "1h"},
        "provider_configs": [{"provider": "openai", "budget": {"max_limit": 1, "reset_duration": "1d"}},
                             {"provider": "anthropic", "budget": {"max_limit": 1, "reset_duration": "1d"}}]
    });
    let key = create(&store, request).await.unwrap();
    let budgets = [&key.budgets[0], &key.provider_configs[0].budgets[0], &key.provider_configs[1].budgets[0]];
    let day = budgets[0].windows().window_at(key.created_at, now());
    let tokens = MeterId { limit: key.rate_limit_id.clone().unwrap(), metric: Metric::Tokens };
    let hour = window(day.start.as_second() + 60, day.start.as_second() + 120);
    let mut postings: Vec<Posting> = budgets.iter().map(|budget| posting(&budget.meter_id(), day, 5)).collect();
    postings.push(posting(&tokens, hour, 8));
    store.ledger_append(vec![entry("r", &key.id, postings)]).await.unwrap();

    let later = at("2026-11-23T18:00:00Z");
    let request = json!({
        "budget": {"reset_duration": "1w", "max_limit": 2},
        "provider_configs": [{"id": key.provider_configs[0].id, "allowed_models": ["m"]}]
    });
    let after = update(&store, &key, later, request).await.unwrap();
    let week = after.budgets[0].windows().window_at(key.created_at, later);
    assert_eq!(after.budgets[0].id, budgets[0].id);
    let six = Timestamp::from_second(key.created_at.as_second() + 18_000).unwrap();
    let now_used = counts(&store).await;
    assert_eq!(now_used[&budgets[0].meter_id()], Count { window: week, used: 5 });
    assert_eq!(now_used[&budgets[1].meter_id()], Count { window: day, used: 5 });
    assert_eq!(now_used.get(&budgets[2].meter_id()), None, "its provider config is gone");
    assert_eq!(now_used[&tokens].used, 0, "an hour that is over is over");
    assert!(now_used[&tokens].window.start >= six);

    store.virtual_key_delete(change("virtual_key_delete"), key.id.clone()).await.unwrap();
    assert!(counts(&store).await.is_empty());
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 1, "the books stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_takes_its_counters_along() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let request = json!({"name": "x", "budget": {"max_limit": 1, "reset_duration": "1d"}});
    let team = store.team_create(change("team_create"), team(request.clone())).await.unwrap();
    let customer = store.customer_create(change("customer_create"), request::customer(request)).await.unwrap();
    let meters = [team.budgets[0].meter_id(), customer.budgets[0].meter_id()];
    let postings = meters.iter().map(|meter| posting(meter, window(0, 10), 1)).collect();
    store.ledger_append(vec![entry("r", &"v".into(), postings)]).await.unwrap();
    assert_eq!(counts(&store).await.len(), 2);
    store.team_delete(change("team_delete"), team.id).await.unwrap();
    assert_eq!(counts(&store).await.into_keys().collect::<Vec<_>>(), [meters[1].clone()]);
    store.customer_delete(change("customer_delete"), customer.id).await.unwrap();
    assert!(counts(&store).await.is_empty());
}

/// An attempt may outlive its limit; the counter that it then writes is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn counters_without_a_limit_go_at_the_next_start() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let meter = MeterId { limit: "gone".into(), metric: Metric::Cost };
    store.ledger_append(vec![entry("r", &"v".into(), vec![posting(&meter, window(0, 10), 7)])]).await.unwrap();
    assert_eq!(counts(&store).await.len(), 1);
    store.close().await.unwrap();
    let store = database.open().await.unwrap();
    assert!(counts(&store).await.is_empty());
    assert_eq!(store.ledger_totals("v".into()).await.unwrap().entries, 1, "the books stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counters_of_a_virtual_keys_model_limits_go_with_it_and_others_stay() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    request::providers(&store).await;
    let budget = json!({"max_limit": 1, "reset_duration": "1d"});
    let models = json!([{"model": "m", "budget": budget}]);
    let configs = json!([{"provider": "openai", "model_budgets": models}]);
    let key = create(&store, json!({"name": "app", "provider_configs": configs})).await.unwrap();
    let own = json!({"model_name": "m", "scope": "virtual_key", "scope_id": key.id, "budget": budget});
    let own = request::model_config(&store, own).await.unwrap();
    let all = request::model_config(&store, json!({"model_name": "m", "budget": budget})).await.unwrap();
    let twice = request::model_config(&store, json!({"model_name": "m"})).await;
    assert!(matches!(twice, Err(StoreError::Taken(_))), "{twice:?}");

    let of_model = key.provider_configs[0].model_budgets[0].budgets[0].meter_id();
    let meters = [of_model, own.budgets[0].meter_id(), all.budgets[0].meter_id()];
    let postings = meters.iter().map(|meter| posting(meter, window(0, 10), 7)).collect();
    store.ledger_append(vec![entry("r", &key.id, postings)]).await.unwrap();
    assert_eq!(counts(&store).await.len(), 3);
    store.close().await.unwrap();
    // Opening removes counters without a limit: these all have one.
    let store = database.open().await.unwrap();
    assert_eq!(counts(&store).await.len(), 3);

    store.virtual_key_delete(change("virtual_key_delete"), key.id).await.unwrap();
    let policies = store.policies_load().await.unwrap();
    assert_eq!(policies.model_configs, std::slice::from_ref(&all));
    let left: Vec<MeterId> = policies.counts.into_iter().map(|(meter, _)| meter).collect();
    assert_eq!(left, [all.budgets[0].meter_id()]);
}
