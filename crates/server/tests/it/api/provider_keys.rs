//! `/api/providers/{provider}/keys`

mod settings;
mod update;

use keyward_client::{CreateProviderKey, CreateVirtualKey, ProviderConfigInput, ProviderName};
use serde_json::json;

use super::{PROVIDERS, done, refused, send, told};
use crate::gateway::chat;
use crate::harness::App;

pub(super) fn demo() -> ProviderName {
    "demo".into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_a_secret_make_a_key_that_serves_everything() {
    let app = App::start().await;
    let path = format!("{PROVIDERS}/demo/keys");
    let mut answer = done(&app, "POST", &path, json!({ "name": "main", "value": "secret" })).await;
    let answer = answer.as_object_mut().unwrap();
    let id = answer.remove("id").unwrap();
    assert_eq!(answer.remove("created_at"), answer.remove("updated_at"));
    let expected = json!({
        "name": "main", "value": { "value": "******", "env_var": "", "from_env": false }, "models": ["*"],
        "blacklisted_models": [], "aliases": {}, "weight": 1.0, "enabled": true, "use_for_batch_api": false,
        "description": "", "status": "", "config_hash": "",
    });
    assert_eq!(json!(answer), expected);
    let read = app.client.provider_key_get(&demo(), &id.as_str().unwrap().into()).await.unwrap();
    let all = app.client.provider_key_list(&demo()).await.unwrap();
    let names: Vec<_> = all.keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!((names.as_slice(), all.total), (&["demo-key", "main"][..], 2));
    assert_eq!(all.keys[1], read);
    assert_eq!(app.client.provider_get(&demo()).await.unwrap().keys, all.keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_can_be_set_and_the_secret_is_never_shown() {
    let app = App::start().await;
    let path = format!("{PROVIDERS}/demo/keys");
    let body = json!({
        "name": "main", "value": { "value": "a-literal-provider-secret" }, "models": ["a", "b"], "weight": 0.5,
        "enabled": false, "use_for_batch_api": true, "blacklisted_models": ["c"], "aliases": { "a": "a-2026" },
        "description": "for tests",
    });
    let created = send(&app, "POST", &path, &body).await;
    let members =
        ["name", "models", "weight", "enabled", "use_for_batch_api", "blacklisted_models", "aliases", "description"];
    for member in members {
        assert_eq!(created.json()[member], body[member], "{member}");
    }
    let one = format!("{path}/{}", created.json()["id"].as_str().unwrap());
    for reply in [created, app.raw("GET", &path).send().await, app.raw("GET", &one).send().await] {
        let text = String::from_utf8(reply.body).unwrap();
        assert!(!text.contains("a-literal-provider-secret") && text.contains("a-li****"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_environment_is_a_reference_to_a_variable_that_is_set() {
    let app = App::start().await;
    // Every environment has this one; its value is not read by the test.
    for (name, value) in [
        ("text", json!("env.PATH")),
        ("object", json!({ "value": "", "env_var": "env.PATH", "from_env": true })),
        ("bare", json!({ "env_var": "PATH" })),
    ] {
        let body = json!({ "name": name, "value": value });
        let key = done(&app, "POST", &format!("{PROVIDERS}/demo/keys"), body).await;
        assert_eq!(key["value"], json!({ "value": "", "env_var": "env.PATH", "from_env": true }), "{value}");
    }
    let unset = CreateProviderKey::new("unset", "env.NOBODY_SETS_THIS");
    let own = CreateProviderKey::new("own", "env.KEYWARD_ROOT_KEY");
    for (request, message) in [
        (&unset, "environment variable NOBODY_SETS_THIS is not set on the server"),
        (&own, "environment variable KEYWARD_ROOT_KEY is the server's own"),
    ] {
        let error = refused(app.client.provider_key_create(&demo(), request).await);
        assert_eq!(told(&error), (400, "/value", message));
    }
    let body = json!({ "name": "openai", "keys": [{ "name": "k", "value": "s" }, unset] });
    let reply = send(&app, "POST", PROVIDERS, &body).await;
    assert_eq!((reply.status, reply.error().2.as_str()), (400, "/keys/1/value"));
    assert_eq!(app.client.provider_list().await.unwrap().total, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused() {
    let app = App::start().await;
    let path = format!("{PROVIDERS}/demo/keys");
    for (body, status, code, param) in [
        (json!({ "name": "demo-key", "value": "s" }), 409, "already_exists", "/name"),
        (json!({ "value": "s" }), 400, "invalid_request", "/name"),
        (json!({ "name": "x" }), 400, "invalid_request", "/value"),
        (json!({ "name": " ", "value": "s" }), 400, "invalid_request", "/name"),
        (json!({ "name": "x", "value": 7 }), 400, "invalid_request", "/value"),
        (json!({ "name": "x", "value": null }), 400, "invalid_request", "/value"),
        (json!({ "name": "x", "value": "ключ" }), 400, "invalid_request", "/value"),
        (json!({ "name": "x", "value": "s", "weight": -1 }), 400, "invalid_request", "/weight"),
        (json!({ "name": "x", "value": "s", "modles": [] }), 400, "unknown_field", "/modles"),
    ] {
        let reply = send(&app, "POST", &path, &body).await;
        assert_eq!(reply.error(), (status, code.to_owned(), param.to_owned()), "{body}: {}", reply.json());
    }
    let new = CreateProviderKey::new("x", "s");
    let error = refused(app.client.provider_key_create(&"nobody".into(), &new).await);
    assert_eq!(told(&error), (404, "", "Provider not found"));
    assert_eq!(app.client.provider_key_list(&demo()).await.unwrap().total, 1);
}

/// A virtual key that names only this key may use nothing at the provider any more; others go on with the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_serves_nobody() {
    let app = App::start().await;
    let second = app.client.provider_key_create(&demo(), &CreateProviderKey::new("second", "s")).await.unwrap();
    let config = |ids: &[&keyward_client::ProviderKeyId]| ProviderConfigInput {
        provider: Some("demo".into()),
        key_ids: Some(ids.iter().map(|id| (*id).clone()).collect()),
        ..ProviderConfigInput::default()
    };
    let first = app.client.provider_key_list(&demo()).await.unwrap().keys[0].id.clone();
    let with = |config| CreateVirtualKey { provider_configs: Some(vec![config]), ..CreateVirtualKey::default() };
    let (both, only) = (app.key(with(config(&[&first, &second.id]))).await, app.key(with(config(&[&second.id]))).await);
    app.caller(&only).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();

    let answer = app.client.provider_key_delete(&demo(), &second.id).await.unwrap();
    assert_eq!(answer.message, "Provider key deleted successfully");
    for error in [
        refused(app.client.provider_key_get(&demo(), &second.id).await),
        refused(app.client.provider_key_delete(&demo(), &second.id).await),
        refused(app.client.provider_key_get(&"nobody".into(), &first).await),
    ] {
        assert_eq!((error.status, error.raw_code.as_str()), (404, "not_found"));
    }
    app.caller(&both).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let error = refused(app.caller(&only).chat_completion_create(&chat("demo/echo", "hi")).await);
    assert_eq!((error.status, error.raw_code.as_str()), (503, "provider_key_unavailable"));
    let left = app.client.virtual_key_get(&only.id).await.unwrap();
    assert!(left.keys.is_empty() && !left.provider_configs[0].allow_all_keys);
}

/// A key is found below its own provider only.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_provider_is_not_found() {
    let app = App::start().await;
    done(&app, "POST", PROVIDERS, json!({ "name": "openai" })).await;
    let key = app.client.provider_key_list(&demo()).await.unwrap().keys.remove(0);
    for error in [
        refused(app.client.provider_key_get(&"openai".into(), &key.id).await),
        refused(app.client.provider_key_delete(&"openai".into(), &key.id).await),
    ] {
        assert_eq!(error.status, 404);
    }
    assert_eq!(app.client.provider_key_list(&demo()).await.unwrap().total, 1);
}
