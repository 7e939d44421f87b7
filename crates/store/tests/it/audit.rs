//! The audit log: one entry for each change, in its transaction, and a chain that shows every tampering.

use keyward_core::audit::{AuditFilter, AuditList, AuditQuery};
use keyward_core::change::{Change, Precondition, Versioned as _};
use keyward_core::owner::TeamFilter;
use keyward_store::{Reveal, Store, StoreError};
use serde_json::json;

use crate::database::Database;
use crate::request::{change, create, customer, now, team, update};

fn everything() -> AuditFilter {
    AuditQuery::default().check().unwrap()
}

async fn log(store: &Store) -> AuditList {
    store.audit_list(everything()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_with_the_state_before_and_after() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let key = create(&store, json!({"name": "x", "budget": {"max_limit": 5, "reset_duration": "1d"}})).await.unwrap();
    update(&store, &key, now(), json!({"name": "y"})).await.unwrap();
    store.virtual_key_delete(change("virtual_key_delete"), key.id.clone()).await.unwrap();

    let list = log(&store).await;
    let told: Vec<_> = list.entries.iter().map(|entry| (entry.sequence, entry.action.as_str())).collect();
    assert_eq!(told, [(3, "virtual_key_delete"), (2, "virtual_key_update"), (1, "virtual_key_create")]);
    let [deleted, edited, made] = list.entries.as_slice() else { panic!("{list:?}") };
    assert_eq!((&made.before, &made.after), (&None, &edited.before));
    assert_eq!((&edited.after, &deleted.after), (&deleted.before, &None));
    let before = made.after.as_ref().unwrap();
    assert_eq!(before["name"], "x");
    assert_eq!(before["budgets"][0]["max_limit"], 5);
    assert_eq!(before["budgets"][0].get("current_usage"), None, "usage is no configuration");
    assert_eq!(edited.after.as_ref().unwrap()["name"], "y");
    let text = serde_json::to_string(&list).unwrap();
    assert!(!text.contains(key.value.expose()), "the secret is redacted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_happen_is_not_told() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    create(&store, json!({"name": "x"})).await.unwrap();
    assert!(matches!(create(&store, json!({"name": "x"})).await, Err(StoreError::Duplicate(_))));
    assert!(create(&store, json!({"name": "y", "team_id": "nobody"})).await.is_err());
    assert_eq!(log(&store).await.count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_change_changes_nothing() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let first = store.team_create(change("team_create"), team(json!({"name": "x"}))).await.unwrap();
    let key = create(&store, json!({"name": "x", "team_id": first.id.as_str()})).await.unwrap();
    let read = key.version().etag();
    let newer = update(&store, &key, now(), json!({"name": "y"})).await.unwrap();
    assert_ne!(newer.version(), key.version(), "also when the clock stands still");
    let stale = Change { precondition: Precondition::parse(&read).unwrap(), ..change("virtual_key_delete") };
    assert!(matches!(store.virtual_key_delete(stale, key.id.clone()).await, Err(StoreError::Stale)));
    let fresh = Precondition::parse(&newer.version().etag()).unwrap();
    store.team_delete(change("team_delete"), first.id).await.unwrap();
    let orphan = store.virtual_key_get(key.id.clone(), Reveal::Redacted).await.unwrap();
    assert_eq!(orphan.team_id, None);
    let stale = Change { precondition: fresh, ..change("virtual_key_delete") };
    assert!(matches!(store.virtual_key_delete(stale, key.id).await, Err(StoreError::Stale)), "it lost its team");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tampering_breaks_the_chain() {
    for (tampering, broken_at) in [
        ("UPDATE audit_log SET actor_name = 'somebody else' WHERE sequence = 2", 2),
        ("UPDATE audit_log SET state_after = NULL WHERE sequence = 3", 3),
        ("DELETE FROM audit_log WHERE sequence = 1", 1),
        ("DELETE FROM audit_log WHERE sequence = 3", 3),
        ("UPDATE audit_log SET sequence = 9 WHERE sequence = 3", 3),
        ("DELETE FROM audit_log", 1),
    ] {
        let database = Database::fresh();
        let store = database.open().await.unwrap();
        for name in ["a", "b", "c"] {
            store.customer_create(change("customer_create"), customer(json!({"name": name}))).await.unwrap();
        }
        let whole = store.audit_verify().await.unwrap();
        assert_eq!((whole.intact, whole.entries, whole.broken_at), (true, 3, None));
        assert_eq!(whole.head, log(&store).await.entries[0].hash);
        database.execute(tampering);
        let verdict = store.audit_verify().await.unwrap();
        assert_eq!((verdict.intact, verdict.broken_at), (false, Some(broken_at)), "{tampering}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_create_makes_nothing_new() {
    use keyward_core::change::Idempotency;
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let under = |key: &str, fingerprint| Change {
        idempotency: Some(Idempotency { key: key.to_owned(), fingerprint: [fingerprint; 32] }),
        ..change("team_create")
    };
    let first = store.team_create(under("k", 1), team(json!({"name": "x"}))).await.unwrap();
    let again = store.team_create(under("k", 1), team(json!({"name": "x"}))).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(log(&store).await.count, 1);
    let other = store.team_create(under("k", 2), team(json!({"name": "y"}))).await;
    assert!(matches!(other, Err(StoreError::Invalid(invalid)) if invalid.pointer.to_string() == "idempotency-key"));
    store.team_create(under("other", 2), team(json!({"name": "y"}))).await.unwrap();
    let later = Change { at: "2026-11-25T12:00:01Z".parse().unwrap(), ..under("k", 1) };
    assert!(matches!(store.team_create(later, team(json!({"name": "x"}))).await, Err(StoreError::Duplicate(_))));
    assert_eq!(store.team_list(TeamFilter::default()).await.unwrap().total, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_filters_narrow() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let made = store.customer_create(change("customer_create"), customer(json!({"name": name}))).await.unwrap();
        ids.push(made.id);
    }
    store.customer_delete(change("customer_delete"), ids[0].clone()).await.unwrap();
    let page = |before| AuditFilter { limit: 4, before, ..everything() };
    let first = store.audit_list(page(None)).await.unwrap();
    assert_eq!((first.count, first.next), (4, Some(3)));
    let rest = store.audit_list(page(first.next)).await.unwrap();
    assert_eq!((rest.count, rest.next), (2, None));
    let filtered = |change: fn(&mut AuditFilter)| {
        let mut filter = everything();
        change(&mut filter);
        store.audit_list(filter)
    };
    assert_eq!(filtered(|filter| filter.action = Some("customer_delete".to_owned())).await.unwrap().count, 1);
    assert_eq!(filtered(|filter| filter.resource = Some("team".to_owned())).await.unwrap().count, 0);
    assert_eq!(filtered(|filter| filter.until = Some(now())).await.unwrap().count, 0);
    assert_eq!(
        filtered(|filter| filter.since = Some(now().round(jiff::Unit::Second).unwrap())).await.unwrap().count,
        6
    );
    let of_one = AuditFilter { resource_id: Some(ids[0].to_string()), ..everything() };
    assert_eq!(store.audit_list(of_one).await.unwrap().count, 2);
}
