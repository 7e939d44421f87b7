//! `POST /api/governance/virtual-keys/{vk_id}/rotate`, `POST /api/governance/virtual-keys/rotate`

use keyward_client::{CreateVirtualKey, NanoUsd, RotateVirtualKeys, VirtualKey};
use serde_json::json;

use super::super::{VIRTUAL_KEYS, refused, send};
use crate::gateway::{chat, with_budget};
use crate::harness::App;

async fn with_cooldown(cooldown: serde_json::Value) -> App {
    let app = App::start().await;
    let request = json!({ "client_config": { "vk_rotation_cooldown": cooldown } });
    app.client.config_update(&serde_json::from_value(request).unwrap()).await.unwrap();
    app
}

async fn status(app: &App, key: &VirtualKey) -> u16 {
    let answer = app.caller(key).chat_completion_create(&chat("demo/echo", "hi")).await;
    answer.map_or_else(|error| error.status().unwrap(), |_| 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cooldown_the_old_value_works_no_more() {
    let app = App::start().await;
    let old = app.key(with_budget("1")).await;
    assert_eq!(status(&app, &old).await, 200);
    let new = app.client.virtual_key_rotate(&old.id).await.unwrap();
    assert_eq!(new.message, "Virtual key rotated successfully");
    let new = new.virtual_key;
    assert_ne!(new.value, old.value);
    assert!(new.rotated_at.is_some() && new.previous_value_expires_at.is_none());
    assert_eq!((status(&app, &old).await, status(&app, &new).await), (401, 200));
    let read = app.client.virtual_key_get(&old.id).await.unwrap();
    assert_eq!(read.value, new.value);
    assert!(read.budgets[0].current_usage > NanoUsd::ZERO, "rotation refills nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn during_the_cooldown_both_values_work_and_only_one_old_one_is_remembered() {
    let app = with_cooldown(json!("1h")).await;
    let first = app.key(CreateVirtualKey::default()).await;
    let second = app.client.virtual_key_rotate(&first.id).await.unwrap().virtual_key;
    assert!(second.previous_value_expires_at.unwrap() > second.rotated_at.unwrap());
    assert_eq!((status(&app, &first).await, status(&app, &second).await), (200, 200));
    let third = app.client.virtual_key_rotate(&first.id).await.unwrap().virtual_key;
    let statuses = (status(&app, &first).await, status(&app, &second).await, status(&app, &third).await);
    assert_eq!(statuses, (401, 200, 200));
    let app = app.restarted().await;
    assert_eq!((status(&app, &first).await, status(&app, &second).await), (401, 200), "also after a restart");
    app.client.virtual_key_delete(&first.id).await.unwrap();
    assert_eq!((status(&app, &second).await, status(&app, &third).await), (401, 401));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_cooldown_is_over_the_old_value_works_no_more() {
    let app = with_cooldown(json!(1_000)).await;
    let old = app.key(CreateVirtualKey::default()).await;
    let new = app.client.virtual_key_rotate(&old.id).await.unwrap().virtual_key;
    assert_eq!(new.previous_value_expires_at, None);
    assert_eq!(status(&app, &old).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_save_no_cooldown_ends_those_that_are_running() {
    let app = with_cooldown(json!("1h")).await;
    let old = app.key(CreateVirtualKey::default()).await;
    let new = app.client.virtual_key_rotate(&old.id).await.unwrap().virtual_key;
    assert_eq!((status(&app, &old).await, status(&app, &new).await), (200, 200));
    let request = json!({ "client_config": { "vk_rotation_cooldown": "" } });
    app.client.config_update(&serde_json::from_value(request).unwrap()).await.unwrap();
    assert_eq!((status(&app, &old).await, status(&app, &new).await), (401, 200));
    assert_eq!(app.client.virtual_key_get(&new.id).await.unwrap().previous_value_expires_at, None);
    let app = app.restarted().await;
    assert_eq!((status(&app, &old).await, status(&app, &new).await), (401, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_rotated_each_on_its_own() {
    let app = App::start().await;
    let (one, other) = (app.key(CreateVirtualKey::default()).await, app.key(CreateVirtualKey::default()).await);
    let padded = format!(" {} ", other.id);
    let ids = vec![one.id.clone(), "nobody".into(), padded.as_str().into(), one.id.clone()];
    let rotated = app.client.virtual_keys_rotate(&RotateVirtualKeys { ids }).await.unwrap();
    assert_eq!(rotated.message, "Virtual keys rotated successfully");
    assert_eq!(rotated.virtual_keys.iter().map(|key| &key.id).collect::<Vec<_>>(), [&one.id, &other.id]);
    assert_eq!(rotated.errors.into_iter().collect::<Vec<_>>(), [("nobody".into(), "virtual key not found".into())]);
    assert_eq!((status(&app, &one).await, status(&app, &rotated.virtual_keys[0]).await), (401, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rotated_is_named() {
    let app = App::start().await;
    for (body, status, param, message) in [
        (json!({}), 400, "/ids", "At least one virtual key ID is required"),
        (json!({ "ids": [] }), 400, "/ids", "At least one virtual key ID is required"),
        (json!({ "ids": ["a", " "] }), 400, "/ids/1", "Virtual key ID cannot be empty"),
        (json!({ "ids": ["a", "b"] }), 404, "/ids", "Failed to rotate virtual keys: none was found"),
    ] {
        let reply = send(&app, "POST", &format!("{VIRTUAL_KEYS}/rotate"), &body).await;
        let (found, _, at) = reply.error();
        assert_eq!((found, at.as_str()), (status, param), "{body}");
        assert_eq!(reply.json()["error"]["message"], message);
    }
    assert_eq!(refused(app.client.virtual_key_rotate(&"nobody".into()).await).status, 404);
}
