//! Opening, sharing and losing the connection.

use keyward_store::StoreError;

use crate::database::{Database, ROOT_KEY};
use crate::request::change;

/// Two servers on one database would each admit up to the whole cap.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_served_by_one_store_until_it_is_closed() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    assert!(matches!(database.open().await, Err(StoreError::Locked { .. })));
    let clone = store.clone();
    drop(store);
    assert!(matches!(database.open().await, Err(StoreError::Locked { .. })), "a clone still serves it");
    clone.close().await.unwrap();
    assert!(clone.ping().await.is_err(), "a closed store still works");
    database.open().await.unwrap().ping().await.unwrap();
}

/// Whoever keeps something that belongs to a database can tell it from one that was made in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_has_a_mark_that_no_other_has() {
    let (database, other) = (Database::fresh(), Database::fresh());
    let store = database.open().await.unwrap();
    let mark = store.database_mark();
    store.close().await.unwrap();
    assert_eq!(database.open().await.unwrap().database_mark(), mark);
    assert_ne!(other.open().await.unwrap().database_mark(), mark);
}

/// A lock that was lost to another server stops this one from writing.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_whose_database_was_taken_writes_no_more() {
    let database = Database::fresh();
    if !database.is_postgres() {
        // A file's lock cannot be lost while its process lives.
        return;
    }
    let first = database.open().await.unwrap();
    let sessions = "FROM pg_locks WHERE locktype = 'advisory' AND database = \
                    (SELECT oid FROM pg_database WHERE datname = current_database())";
    database.lines(&format!("SELECT pg_terminate_backend(pid)::text AS line {sessions}"));
    while !database.lines(&format!("SELECT pid::text AS line {sessions}")).is_empty() {}
    let second = database.open().await.unwrap();
    while !matches!(first.ledger_append(Vec::new()).await, Err(StoreError::Locked { .. })) {}
    second.ledger_append(Vec::new()).await.unwrap();
    assert!(
        matches!(
            first.virtual_key_delete(change("virtual_key_delete"), "any".into()).await,
            Err(StoreError::Locked { .. })
        ),
        "an edit got through"
    );
    second.close().await.unwrap();
    assert!(
        matches!(first.ledger_append(Vec::new()).await, Err(StoreError::Locked { .. })),
        "it counts by stale counters"
    );
    database.open().await.unwrap().ledger_append(Vec::new()).await.unwrap();
}

/// A session may be lost to the database long before the server notices it: its lock goes to another, and its pool goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_still_believes_in_its_lock_writes_no_more_when_another_has_taken_its_turn() {
    let database = Database::fresh();
    if !database.is_postgres() {
        return;
    }
    let store = database.open().await.unwrap();
    store.ledger_append(Vec::new()).await.unwrap();
    database.execute("UPDATE serving_turn SET turn = turn + 1");
    assert!(matches!(store.ledger_append(Vec::new()).await, Err(StoreError::Locked { .. })));
    let deleted = store.virtual_key_delete(change("virtual_key_delete"), "any".into()).await;
    assert!(matches!(deleted, Err(StoreError::Locked { .. })), "an edit got through");
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_is_replaced() {
    let database = Database::fresh();
    if !database.is_postgres() {
        return;
    }
    let store = database.open().await.unwrap();
    store.ping().await.unwrap();
    let sessions = "FROM pg_stat_activity WHERE application_name = 'keyward' AND datname = current_database()";
    let killed = database.lines(&format!("SELECT pg_terminate_backend(pid)::text AS line {sessions}"));
    assert!(!killed.is_empty());
    while !database.lines(&format!("SELECT pid::text AS line {sessions}")).is_empty() {}
    // Each dead connection may be noticed by the call that meets it, and is never handed out twice.
    let mut failures = 0;
    while store.ping().await.is_err() {
        failures += 1;
        assert!(failures <= killed.len(), "a dead connection came back");
    }
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_unavailable() {
    let url = "postgres://127.0.0.1:1/x".to_owned();
    let root_key = Some(keyward_store::RootKey::from_base64(ROOT_KEY).unwrap());
    let opened = keyward_store::Store::open(keyward_store::StoreOptions { url, root_key }).await;
    assert!(matches!(opened, Err(StoreError::Unavailable(_))));
}
