//! `PUT /api/governance/virtual-keys/{vk_id}`: what is absent stays, null clears, and nothing refills.

use keyward_client::{CreateCustomer, CreateVirtualKey, UpdateVirtualKey, VirtualKey};
use serde_json::{Value, json};

use super::super::{VIRTUAL_KEYS, budget, done, refused, requests, send, told};
use super::{demo_key, dressed, team};
use crate::gateway::chat;
use crate::harness::App;

mod limits;
mod provider_configs;

/// A key with every member set.
async fn dressed_key(app: &App) -> VirtualKey {
    let request = CreateVirtualKey {
        description: "for tests".to_owned(),
        team_id: Some(team(app, "red").await),
        budgets: vec![budget("5", "1d"), budget("20", "1w")].into(),
        rate_limit: requests(1000, "1h").into(),
        provider_configs: Some(vec![dressed(demo_key(app, "second").await)]),
        calendar_aligned: Some(true),
        expires_at: Some("2099-01-01T00:00:00Z".to_owned()),
        ..CreateVirtualKey::default()
    };
    app.key(request).await
}

/// The key after an edit.
async fn edited(app: &App, key: &VirtualKey, body: Value) -> VirtualKey {
    let answer = done(app, "PUT", &format!("{VIRTUAL_KEYS}/{}", key.id), body).await;
    assert_eq!(answer["message"], "Virtual key updated successfully");
    let key = serde_json::from_value(answer["virtual_key"].clone()).unwrap();
    assert_eq!(app.client.virtual_key_get(&VirtualKey::clone(&key).id).await.unwrap(), key);
    key
}

/// Status, code, pointer and message of an edit that is refused, and that leaves everything as it was.
async fn unedited(app: &App, key: &VirtualKey, body: Value) -> (u16, String, String) {
    let before = app.client.virtual_key_get(&key.id).await.unwrap();
    let reply = send(app, "PUT", &format!("{VIRTUAL_KEYS}/{}", key.id), &body).await;
    assert_eq!(app.client.virtual_key_get(&key.id).await.unwrap(), before, "{body}");
    let (status, _, param) = reply.error();
    (status, param, reply.json()["error"]["message"].as_str().unwrap().to_owned())
}

fn invalid(param: &str, message: &str) -> (u16, String, String) {
    (400, param.to_owned(), message.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays() {
    let app = App::start().await;
    let before = dressed_key(&app).await;
    let after = edited(&app, &before, json!({})).await;
    assert!(after.updated_at > before.updated_at);
    assert_eq!(after, VirtualKey { updated_at: after.updated_at, ..before.clone() });
    let kept = UpdateVirtualKey::default();
    let after = app.client.virtual_key_update(&before.id, &kept).await.unwrap().virtual_key;
    assert_eq!(after, VirtualKey { updated_at: after.updated_at, ..before });
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_off_detaches_nothing_and_holds_at_once() {
    let app = App::start().await;
    let before = dressed_key(&app).await;
    let caller = app.caller(&before);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let before = app.client.virtual_key_get(&before.id).await.unwrap();
    let off = edited(&app, &before, json!({ "is_active": false })).await;
    assert_eq!(off, VirtualKey { updated_at: off.updated_at, is_active: false, ..before.clone() });
    let error = refused(caller.chat_completion_create(&chat("demo/echo", "hi")).await);
    assert_eq!((error.status, error.raw_code.as_str()), (403, "virtual_key_blocked"));
    edited(&app, &before, json!({ "is_active": true })).await;
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn null_clears() {
    let app = App::start().await;
    let key = dressed_key(&app).await;
    for (body, cleared) in [
        (json!({ "description": null }), &["description"][..]),
        (json!({ "team_id": null }), &["team_id", "team"]),
        (json!({ "expires_at": null }), &["expires_at"]),
        (json!({ "rate_limit": null }), &["rate_limit", "rate_limit_id"]),
        (json!({ "budgets": null }), &["budget", "budget_id", "budgets"]),
        (json!({ "mcp_configs": null }), &[]),
        (json!({ "provider_configs": null }), &["provider_configs", "keys"]),
    ] {
        let before = serde_json::to_value(app.client.virtual_key_get(&key.id).await.unwrap()).unwrap();
        let after = serde_json::to_value(edited(&app, &key, body.clone()).await).unwrap();
        for (member, value) in before.as_object().unwrap() {
            let now = after.get(member).unwrap_or(&Value::Null);
            let is_empty = matches!(now, Value::Null) || *now == json!("") || *now == json!([]);
            match cleared.contains(&member.as_str()) {
                true => assert!(is_empty && now != value, "{body} left {member}: {now}"),
                false => assert!(now == value || member == "updated_at", "{body} changed {member}: {value} to {now}"),
            }
        }
    }
    // No provider config is left, and that opens nothing.
    assert!(!app.client.virtual_key_get(&key.id).await.unwrap().allow_all_providers);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_can_be_set() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let id = demo_key(&app, "second").await;
    let body = json!({
        "name": "renamed", "description": "edited", "is_active": false, "allow_all_providers": true,
        "provider_configs": [{ "provider": "demo", "weight": null, "key_ids": [id] }], "mcp_configs": [],
        "team_id": team(&app, "red").await, "budget": { "max_limit": 0.25, "reset_duration": "1M" },
        "rate_limit": { "token_max_limit": 7, "token_reset_duration": "5m" }, "calendar_aligned": true,
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let after = serde_json::to_value(edited(&app, &key, body.clone()).await).unwrap();
    for member in
        ["name", "description", "is_active", "allow_all_providers", "team_id", "calendar_aligned", "expires_at"]
    {
        assert_eq!(after[member], body[member], "{member}");
    }
    assert_eq!((&after["budget"]["max_limit"], &after["budget"]["calendar_aligned"]), (&json!(0.25), &json!(true)));
    assert_eq!(after["rate_limit"]["token_max_limit"], 7);
    assert_eq!(after["provider_configs"][0]["keys"][0]["key_id"], json!(id));
    assert_eq!((&after["id"], &after["value"]), (&json!(key.id), &json!(key.value)));

    let detached = edited(&app, &key, json!({ "key_ids": [] })).await;
    assert!(detached.keys.is_empty() && !detached.provider_configs[0].allow_all_keys);
    let attached = edited(&app, &key, json!({ "key_ids": [id] })).await;
    assert_eq!(attached.keys[0].key_id, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_carried_out_changes_nothing() {
    let app = App::start().await;
    let (key, other) = (dressed_key(&app).await, app.key(CreateVirtualKey::default()).await);
    for (body, expected) in [
        (json!({ "name": other.name }), (409, "/name", "A virtual key with this name already exists")),
        (json!({ "name": "  " }), (400, "/name", "Virtual key name is required")),
        (json!({ "name": null }), (400, "/name", "Virtual key name is required")),
        (
            json!({ "expires_at": "2020-01-01T00:00:00Z" }),
            (400, "/expires_at", "expires_at must be a future timestamp"),
        ),
        (json!({ "team_id": "nobody" }), (400, "/team_id", "team 'nobody' not found")),
        (json!({ "customer_id": "nobody" }), (400, "/customer_id", "customer 'nobody' not found")),
        (json!({ "key_ids": ["x"] }), (400, "/key_ids", "some keys not found: expected 1, found 0")),
        (
            json!({ "team_id": "a", "customer_id": "b" }),
            (400, "/customer_id", "VirtualKey cannot be attached to both Team and Customer"),
        ),
        (
            json!({ "budget": { "max_limit": 1 } }),
            (
                400,
                "/budget",
                "deprecated 'budget' field cannot be used when multiple budgets already exist; use 'budgets'",
            ),
        ),
        // Each part is fine but the last one.
        (
            json!({ "name": "renamed", "budgets": [], "rate_limit": { "request_max_limit": 0 } }),
            (400, "/rate_limit/request_max_limit", "rate limit request max limit cannot be negative or zero: 0"),
        ),
    ] {
        let (status, param, message) = unedited(&app, &key, body.clone()).await;
        assert_eq!((status, param.as_str(), message.as_str()), expected, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_moves_between_owners() {
    let app = App::start().await;
    let customer = CreateCustomer { name: "acme".to_owned(), ..CreateCustomer::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer.id;
    let (red, blue) = (team(&app, "red").await, team(&app, "blue").await);
    let key = app.key(CreateVirtualKey { team_id: Some(red.clone()), ..CreateVirtualKey::default() }).await;
    for (body, team, owner) in [
        (json!({ "team_id": blue }), Some(&blue), None),
        (json!({ "customer_id": null }), Some(&blue), None),
        (json!({ "customer_id": customer }), None, Some(&customer)),
        (json!({ "team_id": null }), None, Some(&customer)),
        (json!({ "description": "kept" }), None, Some(&customer)),
        (json!({ "team_id": red, "customer_id": null }), Some(&red), None),
        (json!({ "team_id": "" }), None, None),
        (json!({ "customer_id": customer, "team_id": "" }), None, Some(&customer)),
        (json!({ "customer_id": "", "team_id": null }), None, None),
    ] {
        let after = edited(&app, &key, body.clone()).await;
        assert_eq!((after.team_id.as_ref(), after.customer_id.as_ref()), (team, owner), "{body}");
    }
    let missing = refused(app.client.virtual_key_update(&"nobody".into(), &UpdateVirtualKey::default()).await);
    assert_eq!(told(&missing), (404, "", "Virtual key not found"));
}
