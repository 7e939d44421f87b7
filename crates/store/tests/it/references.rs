//! What requests refer to must be there; the error points at the member.

use keyward_store::StoreError;
use serde_json::{Value, json};

use crate::database::Database;
use crate::request::{self, change, create, now, team, update};

fn assert_invalid(error: Option<StoreError>, pointer: &str, message: &str) {
    match error {
        Some(StoreError::Invalid(invalid)) => {
            assert_eq!((invalid.pointer.to_string().as_str(), invalid.message.as_str()), (pointer, message));
        }
        other => panic!("{pointer}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_cannot_refer_to_what_is_not_there() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let [a, _, c] = request::providers(&store).await;
    let cases: [(Value, &str, &str); 5] = [
        (json!({"team_id": "t"}), "/team_id", "team 't' not found"),
        (json!({"customer_id": "u"}), "/customer_id", "customer 'u' not found"),
        (
            json!({"provider_configs": [{"provider": "openai"}, {"provider": "nope"}]}),
            "/provider_configs/1/provider",
            "invalid provider name: nope",
        ),
        (
            json!({"provider_configs": [{"provider": "openai", "key_ids": [a, c]}]}),
            "/provider_configs/0/key_ids",
            "some keys not found for provider openai: expected 2, found 1",
        ),
        (json!({"key_ids": [a, "k", a]}), "/key_ids", "some keys not found: expected 2, found 1"),
    ];
    let existing = create(&store, json!({"name": "existing"})).await.unwrap();
    for (mut request, pointer, message) in cases {
        assert_invalid(update(&store, &existing, now(), request.clone()).await.err(), pointer, message);
        request["name"] = "new".into();
        assert_invalid(create(&store, request).await.err(), pointer, message);
    }
    assert_eq!(
        database.lines("SELECT name AS line FROM virtual_keys"),
        ["existing"],
        "a refused request changes nothing"
    );
    let orphan = store.team_create(change("team_create"), team(json!({"name": "x", "customer_id": "u"}))).await;
    assert_invalid(orphan.err(), "/customer_id", "customer 'u' not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_provider_leaves_can_still_be_edited() {
    let database = Database::fresh();
    let store = database.open().await.unwrap();
    let [a, ..] = request::providers(&store).await;
    let request = json!({"name": "x", "provider_configs": [{"provider": "openai", "key_ids": [a]}]});
    let key = create(&store, request).await.unwrap();
    store.provider_delete(change("provider_delete"), "openai".into()).await.unwrap();
    let after = update(&store, &key, now(), json!({"description": "edited"})).await.unwrap();
    assert_eq!(after.provider_configs[0].provider.as_str(), "openai");
    assert!(after.provider_configs[0].keys.is_empty() && !after.provider_configs[0].allow_all_keys);
}
