//! Virtual keys come back as they were made, and edits write the difference.

use std::collections::HashSet;

use keyward_core::provider_config::ProviderConfig;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyFilter, VirtualKeyHashes};
use keyward_store::{Noun, Reveal, Store, StoreError};
use serde_json::json;

use crate::database::Database;
use crate::request::{self, change, create, now, update, value, virtual_key};

/// The names of the keys attached per provider; none where all may serve.
fn attached(key: &VirtualKey) -> Vec<(&str, Option<Vec<&str>>)> {
    let shown = key.provider_configs.iter().map(|config| {
        let names = config.keys.iter().map(|key| key.name.as_str());
        (config.provider.as_str(), (!config.allow_all_keys).then(|| names.collect()))
    });
    shown.collect()
}

async fn full(store: &Store) -> VirtualKey {
    let [a, _, _] = request::providers(store).await;
    let request = json!({
        "name": "app", "description": "what for", "is_active": false, "expires_at": "2030-01-01T00:00:00Z",
        "budgets": [{"max_limit": 9, "reset_duration": "1M"}, {"max_limit": 1, "reset_duration": "1d"}],
        "rate_limit": {"request_max_limit": 5, "request_reset_duration": "1h"},
        "provider_configs": [
            {"provider": "openai", "weight": null, "allowed_models": ["m"], "blacklisted_models": ["n"], "key_ids": [a],
             "budget": {"max_limit": 2, "reset_duration": "1w"},
             "rate_limit": {"token_max_limit": 3, "token_reset_duration": "1m"}},
            {"provider": "anthropic", "weight": 0.5}
        ]
    });
    create(store, request).await.unwrap()
}

/// Every virtual key, as it is handed over to admission.
async fn every_key(store: &Store) -> Vec<(VirtualKeyHashes, VirtualKey)> {
    let (found, keys) = std::sync::mpsc::channel();
    store.virtual_keys_each(move |hashes, key| found.send((hashes, key)).unwrap()).await.unwrap();
    keys.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_virtual_key_is_handed_over_once_however_many_there_are() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    assert_eq!(every_key(&store).await, []);
    let mut made = HashSet::new();
    for number in 0..2_001 {
        made.insert(create(&store, json!({ "name": format!("key-{number}") })).await.unwrap().id);
    }
    let found = every_key(&store).await;
    assert_eq!(found.len(), made.len());
    assert_eq!(found.into_iter().map(|(_, key)| key.id).collect::<HashSet<_>>(), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_comes_back_with_everything_it_may_do() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let key = full(&store).await;
    assert_eq!(key.created_at, request::at("2026-11-23T12:00:00.123456Z"), "as the database has it");
    assert_eq!((key.is_active, key.allow_all_providers, key.budgets.len()), (false, false, 2));
    assert_eq!(key.budget.as_ref().unwrap().reset_duration.as_str(), "1d");
    assert_eq!(key.rate_limit.as_ref().unwrap().request_max_limit, Some(5));
    assert_eq!(attached(&key), [("openai", Some(vec!["a"])), ("anthropic", None)]);
    let [openai, anthropic] = &key.provider_configs[..] else { panic!("{key:?}") };
    assert_eq!((openai.weight, anthropic.weight), (None, Some(0.5)));
    let allows = |config: &ProviderConfig, model| config.allowed_models.allows(model);
    assert_eq!((allows(openai, "m"), allows(openai, "n"), allows(anthropic, "n")), (true, false, true));
    assert_eq!(openai.limits().ids().count(), 2);
    assert_eq!(key.keys.len(), 1);

    assert!(key.value.expose().starts_with("sk-bf-"));
    assert_eq!(store.virtual_key_get(key.id.clone(), Reveal::Full).await.unwrap(), key);
    let redacted = VirtualKey { value: key.value.redacted(), ..key.clone() };
    assert_eq!(store.virtual_key_get(key.id.clone(), Reveal::Redacted).await.unwrap(), redacted);
    let listed = store.virtual_key_list(VirtualKeyFilter::default(), now(), Reveal::Full).await.unwrap();
    assert_eq!((listed.total, listed.entries), (1, vec![key.clone()]));
    let hashes = VirtualKeyHashes { current: store.key_hasher().hash(key.value.expose()), previous: None };
    assert_eq!(every_key(&store).await, [(hashes, redacted)]);

    store.virtual_key_delete(change("virtual_key_delete"), key.id.clone()).await.unwrap();
    let missing = store.virtual_key_get(key.id.clone(), Reveal::Full).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Noun::VirtualKey))));
    assert!(matches!(
        store.virtual_key_delete(change("virtual_key_delete"), key.id).await,
        Err(StoreError::NotFound(Noun::VirtualKey))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_writes_what_differs_and_keeps_ids() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let before = full(&store).await;
    let openai = &before.provider_configs[0];
    let request = json!({
        "description": "edited", "is_active": true, "expires_at": null, "rate_limit": null,
        "budgets": [{"max_limit": 2, "reset_duration": "1d"}, {"max_limit": 7, "reset_duration": "1w"}],
        "provider_configs": [
            {"id": openai.id, "weight": 3, "budgets": []},
            {"provider": "openai2"}
        ]
    });
    store
        .provider_create(
            change("provider_create"),
            request::provider(json!({"name": "openai2", "network_config": {"base_url": "http://h"}})),
        )
        .await
        .unwrap();
    let later = request::at("2026-11-24T00:00:00Z");
    let after = update(&store, &before, later, request).await.unwrap();
    assert_eq!((after.description.as_str(), after.is_active, after.expires_at), ("edited", true, None));
    assert_eq!((after.created_at, after.updated_at), (before.created_at, later));
    assert_eq!(after.rate_limit, None);
    let budgets: Vec<_> = after.budgets.iter().map(|b| (b.reset_duration.as_str(), b.id.clone())).collect();
    let [day, month] = &before.budgets[..] else { panic!("{before:?}") };
    assert_eq!(budgets, [("1d", day.id.clone()), ("1w", month.id.clone())], "a changed duration is an edit");
    let [kept, new] = &after.provider_configs[..] else { panic!("{after:?}") };
    assert_eq!((kept.id, kept.weight, kept.budgets.len()), (openai.id, Some(3.0), 0));
    assert_eq!(kept.rate_limit, openai.rate_limit);
    assert_eq!(attached(&after), [("openai", Some(vec!["a"])), ("openai2", None)]);
    assert!(new.id > before.provider_configs[1].id, "ids are not used again");
    assert_eq!(database.lines("SELECT id AS line FROM budgets").len(), 2);

    let refused = store.virtual_key_update(change("virtual_key_update"), before.id.clone(), Reveal::Full, |_, _| {
        Err(keyward_core::invalid::Invalid::at("name".into(), "no"))
    });
    assert!(matches!(refused.await, Err(StoreError::Invalid(_))));
    let same = store.virtual_key_get(before.id.clone(), Reveal::Full).await.unwrap();
    assert_eq!(same.value, before.value, "the secret outlives edits");
    assert_eq!(same.updated_at, later);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_attached_to_the_virtual_key_go_to_their_providers_configs() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let [a, b, c] = request::providers(&store).await;
    let request =
        json!({"name": "x", "key_ids": [b, c, b], "provider_configs": [{"provider": "openai", "key_ids": [a]}]});
    let key = create(&store, request).await.unwrap();
    assert_eq!(attached(&key), [("openai", Some(vec!["a", "b"])), ("anthropic", Some(vec!["c"]))]);
    let key = update(&store, &key, now(), json!({"key_ids": [b]})).await.unwrap();
    assert_eq!(attached(&key), [("openai", Some(vec!["b"])), ("anthropic", Some(vec![]))]);
    let key = update(&store, &key, now(), json!({"name": "y"})).await.unwrap();
    assert_eq!(attached(&key), [("openai", Some(vec!["b"])), ("anthropic", Some(vec![]))], "absent keeps");
    store.provider_key_delete(change("provider_key_delete"), "openai".into(), b.as_str().into()).await.unwrap();
    let key = store.virtual_key_get(key.id, Reveal::Redacted).await.unwrap();
    assert_eq!(attached(&key), [("openai", Some(vec![])), ("anthropic", Some(vec![]))], "none is not all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_does_not_stop_the_work() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let key = create(&store, json!({"name": "x"})).await.unwrap();
    let (id, worker) = (key.id.clone(), store.clone());
    let caller = tokio::runtime::Handle::current().spawn(async move {
        let edit = move |_: &VirtualKey, _| {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            let mut draft = virtual_key(json!({"name": "renamed"}));
            draft.id = id.clone();
            Ok(draft)
        };
        worker.virtual_key_update(change("virtual_key_update"), key.id, Reveal::Redacted, edit).await.map(drop)
    });
    has_begun.recv().unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    go_on.send(()).unwrap();
    // A write waits for the one before it: on SQLite for the connection, on PostgreSQL for the row.
    let (_, second) = store
        .virtual_key_create(change("virtual_key_create"), virtual_key(json!({"name": "other"})), value())
        .await
        .unwrap();
    let listed = store.virtual_key_list(VirtualKeyFilter::default(), now(), Reveal::Redacted).await.unwrap();
    let first = listed.entries.iter().find(|key| key.id != second.id).unwrap();
    let renamed = update(&store, first, now(), json!({"description": "second"})).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.description.as_str()), ("renamed", "second"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_unit_of_work_rolls_back_and_the_next_one_works() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let key = create(&store, json!({"name": "x"})).await.unwrap();
    for _ in 0..2 {
        let panicking = store.virtual_key_update(change("virtual_key_update"), key.id.clone(), Reveal::Full, |_, _| {
            panic!("in the middle")
        });
        assert!(matches!(panicking.await, Err(StoreError::Internal(_))));
    }
    let after = update(&store, &key, now(), json!({"name": "y"})).await.unwrap();
    assert_eq!(after.name, "y");
}
