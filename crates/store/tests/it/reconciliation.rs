//! Checking the books finds what does not add up, and a repair sets the counters to what the ledger says.

use keyward_core::audit::AuditQuery;
use keyward_core::ledger::{FaultKind, LedgerEntry, Pricing};
use keyward_core::meter::{MeterId, Metric};
use keyward_core::money::NanoUsd;
use keyward_core::price::Rates;
use keyward_store::Store;
use serde_json::json;

use crate::attempt::{counts, entry, posting, window};
use crate::database::Database;
use crate::request::{change, team};

/// An entry whose breakdown explains its cost of 7 nano-dollars.
fn explained(entry: LedgerEntry) -> LedgerEntry {
    let rates = Rates { input: "0.0005".parse().unwrap(), output: "0.0015".parse().unwrap(), ..Rates::default() };
    LedgerEntry { pricing: Some(Pricing { version: "v1".into(), rates }), ..entry }
}

/// A store with a team's budget and rate limit, and what two attempts used of them.
async fn books(database: &Database) -> (Store, MeterId, MeterId) {
    let store = database.open().await.unwrap();
    let limits = json!({"name": "x", "budget": {"max_limit": 1, "reset_duration": "1d"},
        "rate_limit": {"token_max_limit": 9, "token_reset_duration": "1d"}});
    let team = store.team_create(change("team_create"), team(limits)).await.unwrap();
    let (cost, tokens) =
        (team.budgets[0].meter_id(), MeterId { limit: team.rate_limit_id.unwrap(), metric: Metric::Tokens });
    let postings = || vec![posting(&tokens, window(0, 10), 10), posting(&cost, window(0, 10), 7)];
    let batch = ["r1", "r2"].map(|request| explained(entry(request, &"v".into(), postings())));
    store.ledger_append(batch).await.unwrap();
    (store, cost, tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn books_that_add_up_have_no_findings() {
    let database = Database::fresh();
    let (store, ..) = books(&database).await;
    let found = store.ledger_check().await.unwrap();
    assert_eq!((found.counters, found.entries), (2, 2));
    assert!(found.differences.is_empty() && found.faults.is_empty(), "{found:?}");
    let repaired = store.ledger_repair(change("ledger_reconcile")).await.unwrap();
    assert_eq!(repaired, found);
    assert_eq!(database.lines("SELECT action AS line FROM audit_log"), ["team_create"], "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_that_is_wrong_or_gone_is_found_and_repaired() {
    let database = Database::fresh();
    let (store, cost, tokens) = books(&database).await;
    let before = counts(&store).await;
    database.execute("UPDATE meters SET used = 99 WHERE metric = 'cost'; DELETE FROM meters WHERE metric = 'tokens'");
    let found = store.ledger_check().await.unwrap();
    let readings: Vec<_> =
        found.differences.iter().map(|found| (found.meter.clone(), found.counter, found.ledger)).collect();
    assert_eq!(readings, [(cost, Some(99), 14), (tokens, None, 20)]);
    assert!(found.differences[0].to_string().contains("the counter reads 99, the ledger 14"));

    assert_eq!(store.ledger_repair(change("ledger_reconcile")).await.unwrap(), found);
    assert_eq!(counts(&store).await, before);
    assert!(store.ledger_check().await.unwrap().differences.is_empty());
    let query = AuditQuery { action: Some("ledger_reconcile".to_owned()), ..AuditQuery::default() };
    let log = store.audit_list(query.check().unwrap()).await.unwrap();
    let used = |state: &Option<serde_json::Value>| state.as_ref().unwrap()[0]["used"].clone();
    assert_eq!((used(&log.entries[0].before), used(&log.entries[0].after)), (json!(99), json!(14)));
    assert!(store.audit_verify().await.unwrap().intact);
}

/// What was counted before a limit was deleted is no difference in one that has its id again.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_a_deleted_limit_is_no_difference() {
    let database = Database::fresh();
    let (store, ..) = books(&database).await;
    database.execute("DELETE FROM meters");
    assert_eq!(store.ledger_check().await.unwrap().differences.len(), 2);
    let later = if database.is_postgres() { "created_at + interval '1 day'" } else { "created_at + 86400000000" };
    database.execute(&format!("UPDATE budgets SET created_at = {later}; DELETE FROM rate_limits"));
    assert!(store.ledger_check().await.unwrap().differences.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_does_not_explain_itself_is_found() {
    let database = Database::fresh();
    let (store, ..) = books(&database).await;
    let plain = |request| explained(entry(request, &"v".into(), Vec::new()));
    let batch = vec![plain("r3"), plain("r4"), LedgerEntry { pricing: None, ..plain("r5") }, plain("r6")];
    store.ledger_append(batch).await.unwrap();
    let first =
        "SELECT '[' || SUBSTR(postings, STRPOS(postings, '],[') + 2) AS line FROM ledger WHERE request_id = 'r1'";
    let first = if database.is_postgres() { first.to_owned() } else { first.replace("STRPOS", "INSTR") };
    let [rest] = <[String; 1]>::try_from(database.lines(&first)).unwrap();
    database.execute(&format!(
        "UPDATE ledger SET postings = '{rest}' WHERE request_id = 'r1';
         UPDATE ledger SET cost = 8 WHERE request_id = 'r3';
         UPDATE ledger SET input_tokens = 0 WHERE request_id = 'r4';
         UPDATE ledger SET usage = REPLACE(REPLACE(usage, '\"input\":1', '\"input\":2'), '\"cached_input\":2', '\"cached_input\":1')
            WHERE request_id = 'r6'",
    ));
    let found = store.ledger_check().await.unwrap();
    let faults: Vec<_> = found.faults.into_iter().map(|fault| (fault.request_id.to_string(), fault.kind)).collect();
    let [seven, eight] = [7, 8].map(NanoUsd::from_nanos);
    let expected = [
        ("r1", FaultKind::Postings { written: 2, found: 1 }),
        ("r3", FaultKind::Cost { cost: eight, breakdown: Some(seven) }),
        ("r4", FaultKind::Usage),
        ("r5", FaultKind::Cost { cost: seven, breakdown: None }),
        ("r6", FaultKind::Breakdown),
    ];
    assert_eq!(faults, expected.map(|(request, kind)| (request.to_owned(), kind)));
    assert_eq!(found.differences.len(), 1, "the counter has what the lost posting had");
}

/// A sum of numbers of 64 bits may need more of them; a counter then reads the most that it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_counter_that_is_full_adds_up() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let meter = MeterId { limit: "b".into(), metric: Metric::Tokens };
    let attempt = |request| explained(entry(request, &"v".into(), vec![posting(&meter, window(0, 10), i64::MAX)]));
    store.ledger_append(vec![attempt("r1")]).await.unwrap();
    store.ledger_append(vec![attempt("r2"), attempt("r3")]).await.unwrap();
    assert_eq!(counts(&store).await[&meter].used, i64::MAX);
    assert!(store.ledger_check().await.unwrap().differences.is_empty());
}
