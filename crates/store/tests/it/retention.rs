//! Old entries go, and no counter notices.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::ledger::LedgerEntry;
use keyward_core::limits::Edit;
use keyward_core::meter::{MeterId, Metric};
use keyward_core::money::NanoUsd;
use keyward_core::owner::{Team, UpdateTeam};
use keyward_store::Store;
use serde_json::json;
use uuid::Uuid;

use crate::attempt::{counts, entry, posting, window};
use crate::database::Database;
use crate::request::{at, change, now, team};

fn free(entry: LedgerEntry, settled_at: Timestamp) -> LedgerEntry {
    LedgerEntry { cost: NanoUsd::ZERO, settled_at, ..entry }
}

async fn expire(store: &Store, before: Timestamp) -> usize {
    let (mut deleted, mut place) = (0, None);
    loop {
        let expired = store.ledger_expire(before, place).await.unwrap();
        deleted += expired.deleted;
        place = expired.next;
        if place.is_none() {
            return deleted;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_entries_go_unless_a_counter_still_counts_them() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let meter = |limit: &str, metric| MeterId { limit: limit.into(), metric };
    let (day, year) = (meter("day", Metric::Tokens), meter("year", Metric::Tokens));
    let running = posting(&meter("day", Metric::ParallelRequests), window(0, 10), 0);
    let (old, new) = (at("2026-01-01T00:00:00Z"), now());
    let make = |request: &str, at, postings| free(entry(request, &"v".into(), postings), at);
    let of_first_day = || vec![running.clone(), posting(&day, window(0, 10), 1)];
    let of_both = vec![posting(&day, window(0, 10), 1), posting(&year, window(0, 365), 1)];
    let batch = vec![
        make("over", old, of_first_day()),
        make("in the year", old, of_both),
        make("unlimited", old, Vec::new()),
        make("recent", new, of_first_day()),
        make("another day", old, vec![posting(&day, window(10, 20), 4)]),
        make("late", old, of_first_day()),
    ];
    store.ledger_append(batch).await.unwrap();
    let before = counts(&store).await;
    assert_eq!(expire(&store, new).await, 3);
    let left = |table: &str| database.lines(&format!("SELECT request_id AS line FROM {table} ORDER BY 1"));
    assert_eq!(left("ledger"), ["another day", "in the year", "recent"]);
    assert_eq!(left("ledger_postings"), ["another day", "in the year", "in the year", "recent", "recent"]);
    assert_eq!(counts(&store).await, before);
    let found = store.ledger_check().await.unwrap();
    assert!(found.differences.is_empty() && found.faults.is_empty(), "{found:?}");
    assert_eq!(expire(&store, new).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_one_transaction_takes_are_all_looked_at() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let year = MeterId { limit: "year".into(), metric: Metric::Tokens };
    let make = |number: usize| {
        let counted = number.is_multiple_of(2).then(|| posting(&year, window(0, 365), 1));
        free(entry(&format!("{number:05}"), &"v".into(), Vec::from_iter(counted)), at("2026-01-01T00:00:00Z"))
    };
    store.ledger_append((0..2_500).map(make).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(expire(&store, now()).await, 1_250);
    assert_eq!(store.ledger_totals("v".into()).await.unwrap().entries, 1_250);
    assert_eq!(counts(&store).await[&year].used, 1_250);
}

/// A reset belongs to the epoch that it was made in, and goes when that is over.
#[tokio::test(flavor = "multi_thread")]
async fn adjustments_go_with_what_they_adjust() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let request = json!({"name": "x", "budget": {"max_limit": 1, "reset_duration": "1d"}});
    let team = store.team_create(change("team_create"), team(request)).await.unwrap();
    let budget = &team.budgets[0];
    let today = budget.windows().window_at(team.created_at, now());
    let make =
        |request: &str, window| free(entry(request, &"v".into(), vec![posting(&budget.meter_id(), window, 5)]), now());
    store.ledger_append(vec![make("r1", today)]).await.unwrap();
    let reset: UpdateTeam = serde_json::from_value(json!({"reset_budget_usage": true})).unwrap();
    let edit = move |team: &Team, now| team.edited(reset, &mut Edit { now, mint: &mut Uuid::new_v4 });
    store.team_update(Change::by_server("team_update", now()), team.id.clone(), edit).await.unwrap();
    let later = at("2027-01-01T00:00:00Z");
    assert_eq!(expire(&store, later).await, 0, "it is counted, and taken off");
    let adjustments = || database.lines("SELECT reason AS line FROM meter_adjustments");
    assert_eq!(adjustments(), ["reset"]);

    let tomorrow = budget.windows().window_at(team.created_at, today.end);
    store.ledger_append(vec![make("r2", tomorrow)]).await.unwrap();
    assert_eq!(expire(&store, later).await, 1);
    assert!(adjustments().is_empty());
    assert_eq!(counts(&store).await[&budget.meter_id()].used, 5);
    assert!(store.ledger_check().await.unwrap().differences.is_empty());
}
