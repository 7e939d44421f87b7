//! `PUT /api/providers/{provider}/keys/{key_id}`

use keyward_client::{CreateProviderKey, CreateVirtualKey, UpdateProviderKey, Versioned as _};
use serde_json::{Value, json};

use super::demo;
use crate::api::{PROVIDERS, VIRTUAL_KEYS, done, refused, send, told};
use crate::gateway::chat;
use crate::harness::{App, Scripted};

const ANSWER: &str =
    r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

/// The `Authorization` header that the last request reached the provider with.
fn authorization(upstream: &Scripted) -> Option<String> {
    let requests = upstream.requests();
    let head = requests.last().unwrap().split("\r\n\r\n").next().unwrap().to_owned();
    head.lines().find_map(|line| line.strip_prefix("authorization: ").map(str::to_owned))
}

async fn only_key(app: &App, provider: &str) -> Value {
    app.raw("GET", &format!("{PROVIDERS}/{provider}/keys")).send().await.json()["keys"][0].clone()
}

/// What was read can be sent back: nothing is changed, and the secret still opens the provider.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_read_and_sent_back_keeps_its_secret() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", ANSWER).await;
    app.provider("own", upstream.base_url()).await;
    let holder = app.key(CreateVirtualKey::default()).await;
    let mut key = only_key(&app, "own").await;
    let path = format!("{PROVIDERS}/own/keys/{}", key["id"].as_str().unwrap());
    key["description"] = json!("edited");
    let after = done(&app, "PUT", &path, key.clone()).await;
    assert_ne!(after["updated_at"], key["updated_at"]);
    key["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, key);
    app.caller(&holder).chat_completion_create(&chat("own/m", "hi")).await.unwrap();
    assert_eq!(authorization(&upstream).as_deref(), Some("Bearer fake-provider-secret"));

    let new = UpdateProviderKey {
        value: keyward_client::SecretSource::from_text("fake-new-secret").into(),
        ..Default::default()
    };
    app.client.provider_key_update(&"own".into(), &key["id"].as_str().unwrap().into(), &new).await.unwrap();
    app.caller(&holder).chat_completion_create(&chat("own/m", "hi")).await.unwrap();
    assert_eq!(authorization(&upstream).as_deref(), Some("Bearer fake-new-secret"));
    let shown = only_key(&app, "own").await;
    assert_eq!(shown["value"]["value"], format!("fake{}cret", "*".repeat(24)));
}

/// Also when all of its settings are secrets, and through the provider that it belongs to.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_read_and_sent_back_keeps_every_secret() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", ANSWER).await;
    let body = json!({
        "name": "own", "network_config": {
            "base_url": upstream.base_url(), "extra_headers": { "x-team-token": "fake-header-secret", "x-team": "red" },
        },
        "keys": [{ "name": "main", "value": "fake-provider-secret", "bedrock_access_key": "fake-access-key",
                   "bedrock_secret_key": "fake-secret-key", "azure_endpoint": "https://fake.openai.azure.com" }],
    });
    let mut made = done(&app, "POST", PROVIDERS, body).await;
    let after = done(&app, "PUT", &format!("{PROVIDERS}/own"), made.clone()).await;
    made["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, made, "an unchanged key keeps its version too");
    let holder = app.key(CreateVirtualKey::default()).await;
    app.caller(&holder).chat_completion_create(&chat("own/m", "hi")).await.unwrap();
    assert_eq!(authorization(&upstream).as_deref(), Some("Bearer fake-provider-secret"));
    let sent = upstream.requests().pop().unwrap();
    assert!(
        sent.contains("\r\nx-team-token: fake-header-secret\r\n") && sent.contains("\r\nx-team: red\r\n"),
        "{sent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays_and_null_clears() {
    let app = App::start().await;
    let path = format!("{PROVIDERS}/demo/keys");
    let body = json!({
        "name": "main", "value": "fake-secret", "models": ["a"], "aliases": { "a": "b" }, "description": "d",
        "bedrock_region": "us-east-1", "bedrock_arn": "fake-arn",
    });
    let made = done(&app, "POST", &path, body).await;
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let kept = done(&app, "PUT", &one, json!({ "weight": 0.25 })).await;
    for member in ["id", "name", "value", "models", "aliases", "description", "bedrock_key_config", "created_at"] {
        assert_eq!(kept[member], made[member], "{member}");
    }
    assert_eq!(kept["weight"], 0.25);
    let cleared = json!({ "aliases": null, "description": null, "bedrock_key_config": { "arn": null } });
    let cleared = done(&app, "PUT", &one, cleared).await;
    assert_eq!((&cleared["aliases"], &cleared["description"]), (&json!({}), &json!("")));
    assert_eq!(cleared["bedrock_key_config"]["region"]["value"], "us-east-1");
    assert_eq!(cleared["bedrock_key_config"]["arn"], Value::Null);
    let none = done(&app, "PUT", &one, json!({ "bedrock_key_config": null })).await;
    assert_eq!(none["bedrock_key_config"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_changed_is_refused_and_changes_nothing() {
    let app = App::start().await;
    let path = format!("{PROVIDERS}/demo/keys");
    done(&app, "POST", &path, json!({ "name": "second", "value": "fake-other-secret" })).await;
    let before = only_key(&app, "demo").await;
    let one = format!("{path}/{}", before["id"].as_str().unwrap());
    let another = format!("fake{}cret", "*".repeat(24));
    for (body, status, param) in [
        (json!({ "name": "second" }), 409, "/name"),
        (json!({ "name": "" }), 400, "/name"),
        (json!({ "id": "other" }), 400, "/id"),
        (json!({ "value": another }), 400, "/value"),
        (json!({ "value": "*****" }), 400, "/value"),
        (json!({ "value": "" }), 400, "/value"),
        (json!({ "value": null }), 400, "/value"),
        (json!({ "value": "vault.a" }), 400, "/value"),
        (json!({ "value": "env.NOBODY_SETS_THIS" }), 400, "/value"),
        (
            json!({ "azure_key_config": { "client_secret": "env.NOBODY_SETS_THIS" } }),
            400,
            "/azure_key_config/client_secret",
        ),
        (json!({ "vertex_region": "env.NOBODY_SETS_THIS" }), 400, "/vertex_region"),
        (json!({ "weight": -1 }), 400, "/weight"),
        (json!({ "azure_key_config": { "endpiont": "x" } }), 400, "/azure_key_config/endpiont"),
        (json!({ "models": ["*", "a"] }), 400, "/models"),
    ] {
        let reply = send(&app, "PUT", &one, &body).await;
        assert_eq!((reply.status, reply.error().2.as_str()), (status, param), "{body}: {}", reply.json());
    }
    assert_eq!(only_key(&app, "demo").await, before);
    for (provider, id) in [("demo", "nobody"), ("nobody", before["id"].as_str().unwrap())] {
        let request = UpdateProviderKey::default();
        let error = refused(app.client.provider_key_update(&provider.into(), &id.into(), &request).await);
        assert_eq!(error.status, 404);
    }
}

/// An edit of a key is an edit of its provider: whoever read the provider before does not undo it.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_for_the_version_that_was_read() {
    let app = App::start().await;
    let provider = app.client.provider_get(&demo()).await.unwrap();
    let key = provider.keys[0].clone();
    let client = app.client.if_match(key.version()).unwrap();
    let weight = UpdateProviderKey { weight: Some(2.0), ..UpdateProviderKey::default() };
    client.provider_key_update(&demo(), &key.id, &weight).await.unwrap();
    assert_eq!(refused(client.provider_key_update(&demo(), &key.id, &weight).await).status, 412);
    let stale = app.client.if_match(provider.version()).unwrap();
    let request = keyward_client::UpdateProvider::default();
    assert_eq!(refused(stale.provider_update(&demo(), &request).await).status, 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_all_providers_come_in_one_list() {
    let app = App::start().await;
    done(&app, "POST", PROVIDERS, json!({ "name": "openai", "keys": [{ "name": "main", "value": "fake-secret" }] }))
        .await;
    let keys = app.client.key_list().await.unwrap();
    let names: Vec<_> = keys.iter().map(|key| (key.provider.as_str(), key.name.as_str())).collect();
    assert_eq!(names, [("demo", "demo-key"), ("openai", "main")]);
    let config = json!({ "provider": "openai", "key_ids": [keys[1].key_id] });
    let made = done(&app, "POST", VIRTUAL_KEYS, json!({ "name": "x", "provider_configs": [config] })).await;
    let listed = app.raw("GET", "/api/keys").send().await.json();
    assert_eq!(made["virtual_key"]["provider_configs"][0]["keys"][0], listed[1], "one shape for both");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_switched_off_serves_nothing() {
    let app = App::start().await;
    let key = app.client.provider_key_list(&demo()).await.unwrap().keys.remove(0);
    let holder = app.key(CreateVirtualKey::default()).await;
    for (enabled, status) in [(false, Some(503)), (true, None)] {
        let request = UpdateProviderKey { enabled: Some(enabled), ..UpdateProviderKey::default() };
        app.client.provider_key_update(&demo(), &key.id, &request).await.unwrap();
        let answer = app.caller(&holder).chat_completion_create(&chat("demo/echo", "hi")).await;
        assert_eq!(answer.err().and_then(|error| error.status()), status);
    }
    let new = CreateProviderKey::new("unset", "env.NOBODY_SETS_THIS");
    let error = refused(app.client.provider_key_create(&demo(), &new).await);
    assert_eq!(told(&error), (400, "/value", "environment variable NOBODY_SETS_THIS is not set on the server"));
}
