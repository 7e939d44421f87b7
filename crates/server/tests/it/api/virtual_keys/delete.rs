//! `DELETE /api/governance/virtual-keys/{vk_id}`

use keyward_client::{CreateVirtualKey, VirtualKeyQuery};

use super::super::{refused, told};
use super::{demo_key, dressed};
use crate::gateway::{chat, with_budget};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_is_gone_and_the_gateway_refuses_it_at_once() {
    let app = App::start().await;
    let provider_key = demo_key(&app, "second").await;
    let request = CreateVirtualKey { provider_configs: Some(vec![dressed(provider_key)]), ..with_budget("1") };
    let (key, other) = (app.key(request).await, app.key(CreateVirtualKey::default()).await);
    let caller = app.caller(&key);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();

    let done = app.client.virtual_key_delete(&key.id).await.unwrap();
    assert_eq!(done.message, "Virtual key deleted successfully");
    let error = refused(caller.chat_completion_create(&chat("demo/echo", "hi")).await);
    assert_eq!((error.status, error.raw_code.as_str()), (401, "invalid_api_key"));
    assert_eq!(refused(caller.virtual_key_quota().await).status, 401);
    for error in [
        refused(app.client.virtual_key_get(&key.id).await),
        refused(app.client.virtual_key_delete(&key.id).await),
        refused(app.client.virtual_key_update(&key.id, &Default::default()).await),
    ] {
        assert_eq!(told(&error), (404, "", "Virtual key not found"));
    }
    let left = app.client.virtual_key_list(&VirtualKeyQuery::default()).await.unwrap().virtual_keys;
    assert_eq!(left, [other]);
}

/// What was spent stays on record when the key is gone.
#[tokio::test(flavor = "multi_thread")]
async fn ledger_entries_outlive_their_key() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let spent = app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage;
    app.client.virtual_key_delete(&key.id).await.unwrap();
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.entries, totals.cost), (1, spent));
}
