//! Events: once for each limit, metric, window and threshold, in the transaction of the entries; and their deliveries.

use jiff::{SignedDuration, Timestamp};
use keyward_core::event::{DeliveryState, Endpoint, Event, EventPolicy, EventType, Thresholds};
use keyward_core::ledger::{LedgerEntry, Posting};
use keyward_core::list::Page;
use keyward_core::meter::{MeterId, Metric};
use keyward_core::owner::Team;
use keyward_core::refusal::Quantity;
use keyward_core::scope::ScopeKind;
use keyward_core::window::FOREVER;
use keyward_store::{Attempted, Store};
use serde_json::json;

use crate::attempt::{entry, posting, window};
use crate::database::Database;
use crate::request::{at, change, model_config, now, providers, team};

/// In seconds.
const DAY: i64 = 86_400;

/// A store that tells of the usual thresholds, to these endpoints.
async fn telling(database: &Database, endpoints: Vec<Endpoint>) -> Store {
    let policy = EventPolicy { thresholds: Thresholds::default(), endpoints };
    database.open().await.unwrap().announcing(policy)
}

fn endpoint(id: &str, events: Option<Vec<EventType>>) -> Endpoint {
    Endpoint { id: id.into(), origin: format!("https://{id}.example"), events }
}

async fn limited(store: &Store) -> Team {
    let request = json!({
        "name": "red", "budget": {"max_limit": 1, "reset_duration": "1d"},
        "rate_limit": {"token_max_limit": 100, "token_reset_duration": "1d"},
    });
    store.team_create(change("team_create"), team(request)).await.unwrap()
}

fn capped(meter: &MeterId, days: i64, cap: i64, amount: i64) -> Posting {
    Posting { cap, ..posting(meter, window(days * DAY, (days + 1) * DAY), amount) }
}

fn attempt(request: &str, postings: Vec<Posting>) -> LedgerEntry {
    entry(request, &"v".into(), postings)
}

async fn append(store: &Store, request: &str, posting: Posting) {
    assert_eq!(store.ledger_append(vec![attempt(request, vec![posting])]).await.unwrap(), 1);
}

async fn events(store: &Store) -> Vec<Event> {
    store.event_list(Page::default()).await.unwrap().entries
}

/// The windows and thresholds that were told, in order.
async fn told(store: &Store) -> Vec<(i64, u8)> {
    let mut told: Vec<_> = events(store)
        .await
        .into_iter()
        .map(|event| (event.data.window_start.as_second() / DAY, event.data.threshold.percent()))
        .collect();
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_over_within_the_hour_is_not_worth_telling() {
    let database = Database::fresh();
    let store = telling(&database, Vec::new()).await;
    let meter = limited(&store).await.budgets[0].meter_id();
    for (request, length) in [("r1", 3_599), ("r2", 3_600)] {
        let start = if length == 3_600 { DAY } else { 0 };
        let posting = Posting { cap: 100, ..posting(&meter, window(start, start + length), 100) };
        append(&store, request, posting).await;
    }
    assert_eq!(told(&store).await, [(1, 50), (1, 80), (1, 100)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_is_told_once_in_a_window_and_again_in_the_next() {
    let database = Database::fresh();
    let store = telling(&database, Vec::new()).await;
    let written = store.events_written();
    let team = limited(&store).await;
    let meter = team.budgets[0].meter_id();
    append(&store, "r1", capped(&meter, 0, 100, 49)).await;
    assert_eq!(told(&store).await, []);
    assert!(!written.has_changed().unwrap());
    append(&store, "r2", capped(&meter, 0, 100, 1)).await;
    assert_eq!(told(&store).await, [(0, 50)]);
    assert!(written.has_changed().unwrap());
    append(&store, "r3", capped(&meter, 0, 100, 10)).await;
    assert_eq!(told(&store).await, [(0, 50)]);
    append(&store, "r4", capped(&meter, 0, 100, 60)).await;
    append(&store, "r5", capped(&meter, 1, 100, 50)).await;
    append(&store, "late", capped(&meter, 0, 100, 90)).await;
    assert_eq!(told(&store).await, [(0, 50), (0, 80), (0, 100), (1, 50)]);

    let event = events(&store).await.into_iter().find(|event| event.data.threshold.percent() == 100).unwrap();
    assert_eq!((event.kind, event.at), (EventType::BudgetThresholdReached, at("2026-11-23T12:00:00.123456Z")));
    let data = event.data;
    assert_eq!((data.scope.kind, &*data.scope.id), (ScopeKind::Team, team.id.as_str()));
    assert_eq!((data.limit, data.metric), (meter.limit, Metric::Cost));
    assert_eq!((data.used, data.cap), (Quantity::of(Metric::Cost, 120), Quantity::of(Metric::Cost, 100)));
    assert_eq!(data.window_end, Some(Timestamp::from_second(DAY).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_batch_tells_of_every_threshold_of_every_window_and_metric_in_it() {
    let database = Database::fresh();
    let store = telling(&database, Vec::new()).await;
    let team = limited(&store).await;
    let cost = team.budgets[0].meter_id();
    let tokens = MeterId { limit: team.rate_limit.unwrap().id, metric: Metric::Tokens };
    let unknown = MeterId { limit: "gone".into(), metric: Metric::Tokens };
    let running = MeterId { metric: Metric::ParallelRequests, ..tokens.clone() };
    let batch = vec![
        attempt("r1", vec![capped(&cost, 0, 100, 90), capped(&unknown, 0, 1, 1), capped(&running, 0, 1, 1)]),
        attempt("r2", vec![capped(&cost, 0, 100, 10), capped(&tokens, 0, 100, 80)]),
        attempt("r3", vec![capped(&cost, 1, 100, 50), capped(&cost, 2, 0, 7)]),
    ];
    store.ledger_append(batch.clone()).await.unwrap();
    let metrics = events(&store).await.into_iter().filter(|event| event.kind == EventType::RateLimitThresholdReached);
    assert_eq!(metrics.count(), 2);
    let expected = [(0, 50), (0, 50), (0, 80), (0, 80), (0, 100), (1, 50)];
    assert_eq!(told(&store).await, expected);
    assert_eq!(store.ledger_append(batch).await.unwrap(), 0);
    assert_eq!(told(&store).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_at_the_same_time_tell_of_a_threshold_once() {
    let database = Database::fresh();
    let store = telling(&database, vec![endpoint("a", None)]).await;
    let meter = limited(&store).await.budgets[0].meter_id();
    let batch = |name: &str| {
        let make = |number| attempt(&format!("{name}{number}"), vec![capped(&meter, 0, 100, 1)]);
        (0..30).map(make).collect::<Vec<_>>()
    };
    let batches = ["a", "b", "c", "d"].map(batch).map(|batch| store.ledger_append(batch));
    let [a, b, c, d] = batches;
    let counts = tokio::join!(a, b, c, d);
    assert_eq!([counts.0.unwrap(), counts.1.unwrap(), counts.2.unwrap(), counts.3.unwrap()], [30; 4]);
    assert_eq!(told(&store).await, [(0, 50), (0, 80), (0, 100)]);
    assert_eq!(store.deliveries_pending("a".into(), 9).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_cap_tells_nothing_twice_and_leaves_nothing_out() {
    let database = Database::fresh();
    let store = telling(&database, Vec::new()).await;
    let meter = limited(&store).await.budgets[0].meter_id();
    append(&store, "r1", capped(&meter, 0, 100, 50)).await;
    append(&store, "raised", capped(&meter, 0, 1_000, 10)).await;
    append(&store, "half of it", capped(&meter, 0, 1_000, 440)).await;
    assert_eq!(told(&store).await, [(0, 50)]);
    append(&store, "lowered", capped(&meter, 0, 600, 0)).await;
    assert_eq!(told(&store).await, [(0, 50), (0, 80)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_limit_covers_is_looked_up_and_a_window_without_end_has_none() {
    let database = Database::fresh();
    let store = telling(&database, Vec::new()).await;
    providers(&store).await;
    let request = json!({
        "model_name": "*", "provider": "openai", "budget": {"max_limit": 1, "reset_duration": "never"},
    });
    let config = model_config(&store, request).await.unwrap();
    let open = keyward_core::window::Window { start: Timestamp::UNIX_EPOCH, end: FOREVER };
    let posting = Posting { window: open, ..capped(&config.budgets[0].meter_id(), 0, 100, 50) };
    append(&store, "r1", posting).await;
    let data = events(&store).await.remove(0).data;
    assert_eq!((data.scope.kind, &*data.scope.id), (ScopeKind::Provider, "openai"));
    assert_eq!(data.window_end, None);
}

/// A limit that has the id of one that was deleted is another one, also when no entry remembers the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_there_again_tells_again() {
    let database = Database::fresh();
    let store = telling(&database, Vec::new()).await;
    let request = team(json!({"name": "red", "budget": {"max_limit": 1, "reset_duration": "1d"}}));
    for name in ["r1", "r2"] {
        let made = store.team_create(change("team_create"), request.clone()).await.unwrap();
        append(&store, name, capped(&made.budgets[0].meter_id(), 0, 100, 50)).await;
        store.team_delete(change("team_delete"), made.id).await.unwrap();
        database.execute("DELETE FROM ledger");
    }
    assert_eq!(told(&store).await, [(0, 50), (0, 50)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_pending_until_it_is_accepted_or_given_up() {
    let database = Database::fresh();
    let budgets = Some(vec![EventType::BudgetThresholdReached]);
    let endpoints = vec![endpoint("all", None), endpoint("money", budgets), endpoint("none", Some(Vec::new()))];
    let store = telling(&database, endpoints).await;
    let team = limited(&store).await;
    append(&store, "r1", capped(&team.budgets[0].meter_id(), 0, 100, 50)).await;
    let tokens = MeterId { limit: team.rate_limit.unwrap().id, metric: Metric::Tokens };
    append(&store, "r2", capped(&tokens, 0, 100, 50)).await;
    let pending = async |id: &str| store.deliveries_pending(id.into(), 9).await.unwrap();
    assert_eq!([pending("all").await.len(), pending("money").await.len(), pending("none").await.len()], [2, 1, 0]);

    let delivery = pending("money").await.remove(0);
    assert_eq!(delivery.attempts, 0);
    let failed = |next_at| Attempted::Failed { error: "it answered 500".to_owned(), next_at };
    let later = now() + SignedDuration::from_secs(5);
    store.delivery_settle(delivery.event.id.clone(), "money".into(), failed(Some(later))).await.unwrap();
    let again = pending("money").await.remove(0);
    assert_eq!((again.attempts, &again.event), (1, &delivery.event));
    store.delivery_settle(again.event.id, "money".into(), Attempted::Delivered(now())).await.unwrap();
    assert_eq!(pending("money").await, []);
    let given_up = pending("all").await.remove(0);
    store.delivery_settle(given_up.event.id, "all".into(), failed(None)).await.unwrap();
    assert_eq!(pending("all").await.len(), 1);

    let listed = events(&store).await;
    let states = |event: &Event| event.deliveries.iter().map(|each| (each.state, each.attempts)).collect::<Vec<_>>();
    let of_budget = listed.iter().find(|event| event.id == delivery.event.id).unwrap();
    let mut all: Vec<_> = listed.iter().flat_map(states).collect();
    assert_eq!(states(of_budget).pop(), Some((DeliveryState::Delivered, 2)));
    assert_eq!(of_budget.deliveries[1].endpoint, "https://money.example");
    all.retain(|(state, _)| *state == DeliveryState::GivenUp);
    assert_eq!(all, [(DeliveryState::GivenUp, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_goes_and_what_is_awaited_or_counted_stays() {
    let database = Database::fresh();
    let store = telling(&database, vec![endpoint("a", None), endpoint("b", None)]).await;
    let meter = limited(&store).await.budgets[0].meter_id();
    append(&store, "r1", capped(&meter, 0, 100, 50)).await;
    let later = now() + SignedDuration::from_hours(24);
    let event = store.deliveries_pending("a".into(), 1).await.unwrap().remove(0).event;
    store.delivery_settle(event.id, "a".into(), Attempted::Delivered(now())).await.unwrap();
    assert_eq!(store.events_expire(later).await.unwrap(), 0, "its window is counted, and b waits");
    append(&store, "r2", capped(&meter, 1, 100, 1)).await;
    assert_eq!(store.events_expire(later).await.unwrap(), 0, "b waits");

    let without_b = store
        .clone()
        .announcing(EventPolicy { thresholds: Thresholds::default(), endpoints: vec![endpoint("a", None)] });
    assert_eq!(without_b.deliveries_abandon().await.unwrap(), 1);
    let deliveries = events(&store).await.remove(0).deliveries;
    assert_eq!(deliveries[1].last_error.as_deref(), Some("the endpoint is configured no longer"));
    assert_eq!(store.events_expire(now()).await.unwrap(), 0, "it is not that old");
    assert_eq!(store.events_expire(later).await.unwrap(), 1);
    assert_eq!(events(&store).await, []);
    assert!(database.lines("SELECT endpoint AS line FROM event_deliveries").is_empty());
}
