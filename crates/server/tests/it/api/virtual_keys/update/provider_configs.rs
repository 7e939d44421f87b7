//! `provider_configs` of an update: the full desired set, matched by id.

use keyward_client::NanoUsd;
use serde_json::json;

use super::super::super::{VIRTUAL_KEYS, send};
use super::{dressed_key, edited, invalid, unedited};
use crate::gateway::chat;
use crate::harness::{App, Scripted};

#[tokio::test(flavor = "multi_thread")]
async fn elements_are_kept_edited_made_and_removed_by_id() {
    let app = App::start().await;
    app.provider("other", Scripted::start(Vec::new()).await.base_url()).await;
    let key = dressed_key(&app).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let before = app.client.virtual_key_get(&key.id).await.unwrap().provider_configs.remove(0);
    assert!(before.budgets[0].current_usage > NanoUsd::ZERO);

    // Kept as it is, and another one beside it.
    let body = json!({ "provider_configs": [{ "id": before.id }, { "provider": "other", "weight": 0 }] });
    let two = edited(&app, &key, body).await.provider_configs;
    assert_eq!((two.len(), &two[0]), (2, &before));
    assert_eq!((two[1].provider.as_str(), two[1].weight, two[1].allow_all_keys), ("other", Some(0.0), true));

    // Edited where the element says so; the rest of it stays, with its usage.
    let body = json!({ "provider_configs": [
        { "id": two[1].id, "allowed_models": [] },
        { "id": before.id, "weight": null, "allowed_models": ["*"], "rate_limit": null },
    ] });
    let after = edited(&app, &key, body).await.provider_configs;
    let mut expected = before.clone();
    (expected.weight, expected.allowed_models) = (None, keyward_client::AllowList::everything());
    (expected.rate_limit, expected.rate_limit_id) = (None, None);
    let found = after.iter().find(|config| config.id == before.id).unwrap();
    assert_eq!(*found, expected);
    let other = after.iter().find(|config| config.id == two[1].id).unwrap();
    assert_eq!((other.weight, other.allowed_models.entries()), (Some(0.0), &[][..]));

    // What is not listed is removed.
    let left = edited(&app, &key, json!({ "provider_configs": [{ "id": two[1].id }] })).await;
    assert_eq!(left.provider_configs.iter().map(|config| config.id).collect::<Vec<_>>(), [two[1].id]);
    assert!(left.keys.is_empty());
    let none = edited(&app, &key, json!({ "provider_configs": [] })).await;
    assert!(none.provider_configs.is_empty() && !none.allow_all_providers);
}

/// I8: a client that sends the same set again, without the ids it was told, refills nothing.
#[tokio::test(flavor = "multi_thread")]
async fn i8_an_element_without_an_id_continues_the_config_of_its_provider() {
    let app = App::start().await;
    let key = dressed_key(&app).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let before = app.client.virtual_key_get(&key.id).await.unwrap().provider_configs;
    let cap = before[0].budgets[0].clone();
    assert!(cap.current_usage > NanoUsd::ZERO);
    let budget = json!({ "max_limit": cap.max_limit, "reset_duration": cap.reset_duration });
    let body = json!({ "provider_configs": [{ "provider": "demo", "budget": budget }] });
    assert_eq!(edited(&app, &key, body).await.provider_configs[0].budgets[0].current_usage, cap.current_usage);
    let body = json!({ "provider_configs": [{ "provider": "demo" }] });
    assert_eq!(edited(&app, &key, body).await.provider_configs[0].id, before[0].id);
}

/// One config cannot become two: a cap would be lost on the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_config_is_continued_once() {
    let app = App::start().await;
    app.provider("other", Scripted::start(Vec::new()).await.base_url()).await;
    let key = dressed_key(&app).await;
    let id = key.provider_configs[0].id;
    let twice = json!({ "provider_configs": [{ "id": id }, { "id": id, "provider": "other" }] });
    let reply = send(&app, "PUT", &format!("{VIRTUAL_KEYS}/{}", key.id), &twice).await;
    assert_eq!(reply.error(), (400, "invalid_request".into(), "/provider_configs/1/id".into()));
    let moved =
        json!({ "provider_configs": [{ "id": id, "provider": "other", "key_ids": ["*"] }, { "provider": "demo" }] });
    let configs = edited(&app, &key, moved).await.provider_configs;
    assert_eq!((configs.len(), configs[0].provider.as_str(), configs[0].id), (2, "other", id));
    assert_eq!(configs[0].budgets.len(), key.provider_configs[0].budgets.len());
    assert!(configs[1].budgets.is_empty());
}

/// A key that may use every provider stays restricted to what it is given.
#[tokio::test(flavor = "multi_thread")]
async fn provider_configs_close_an_open_key() {
    let app = App::start().await;
    let key = app.key(keyward_client::CreateVirtualKey::default()).await;
    let closed = edited(&app, &key, json!({ "provider_configs": [{ "provider": "demo" }] })).await;
    assert!(key.allow_all_providers && !closed.allow_all_providers);
    let both = json!({ "provider_configs": [], "allow_all_providers": true });
    assert!(edited(&app, &key, both).await.allow_all_providers);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_elsewhere_is_refused() {
    let app = App::start().await;
    let key = dressed_key(&app).await;
    let configs = json!([{ "provider": "demo", "budget": { "max_limit": 1, "reset_duration": "1d" } }]);
    let body = json!({ "name": "another", "provider_configs": configs });
    let foreign = send(&app, "POST", VIRTUAL_KEYS, &body).await.json()["virtual_key"]["provider_configs"][0].clone();
    let (id, budget, own) = (&foreign["id"], &foreign["budget"]["id"], key.provider_configs[0].id);
    let of = |what: &str| format!("{what} does not belong to this virtual key");
    for (element, expected) in [
        (json!({ "id": id }), invalid("/provider_configs/0/id", &of(&format!("provider config {id}")))),
        (json!({ "id": 0 }), invalid("/provider_configs/0/id", &of("provider config 0"))),
        (json!({}), invalid("/provider_configs/0/provider", "provider name is required")),
        (json!({ "provider": "nobody" }), invalid("/provider_configs/0/provider", "invalid provider name: nobody")),
        (
            json!({ "id": own, "key_ids": ["x"] }),
            invalid("/provider_configs/0/key_ids", "some keys not found for provider demo: expected 1, found 0"),
        ),
        (json!({ "id": own, "weight": -1 }), invalid("/provider_configs/0/weight", "weight cannot be negative")),
        (
            json!({ "id": own, "budgets": [{ "id": budget, "max_limit": 1 }] }),
            invalid(
                "/provider_configs/0/budgets/0/id",
                &format!("budget {} does not belong to this entity", budget.as_str().unwrap()),
            ),
        ),
    ] {
        let body = json!({ "provider_configs": [element] });
        assert_eq!(unedited(&app, &key, body.clone()).await, expected, "{body}");
    }
    let twice = json!({ "provider_configs": [{ "id": own }, { "provider": "demo" }] });
    let expected = invalid("/provider_configs/1/provider", "duplicate provider config for provider demo");
    assert_eq!(unedited(&app, &key, twice).await, expected);
    let itself_twice = json!({ "provider_configs": [{ "id": own }, { "id": own }] });
    assert_eq!(unedited(&app, &key, itself_twice).await.0, 400);
}
