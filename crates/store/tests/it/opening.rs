//! Opening, sharing and losing the connection.

use keyward_store::StoreError;

use crate::database::Database;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_served_by_one_store_and_a_server_by_many() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let clone = store.clone();
    let second = database.open().await;
    if database.is_postgres() {
        second.unwrap().ping().await.unwrap();
        return;
    }
    assert!(matches!(second, Err(StoreError::Locked { .. })));
    drop(store);
    assert!(matches!(database.open().await, Err(StoreError::Locked { .. })), "a clone still serves it");
    drop(clone);
    assert!(database.open().await.is_ok());
}

/// Many nodes may start at once on an empty database.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_first_starts_agree_on_postgresql() {
    let database = Database::fresh();
    if !database.is_postgres() {
        return;
    }
    let (one, two, three) = tokio::join!(database.open(), database.open(), database.open());
    for store in [one, two, three] {
        store.unwrap().ping().await.unwrap();
    }
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
    let opened = keyward_store::Store::open(keyward_store::StoreOptions { url, root_key: None }).await;
    assert!(matches!(opened, Err(StoreError::Unavailable(_))));
}
