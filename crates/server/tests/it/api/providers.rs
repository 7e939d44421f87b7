//! `/api/providers`

mod reach;
mod update;

use keyward_client::{
    BaseUrl, CreateProvider, CreateProviderKey, CreateVirtualKey, NetworkConfigInput, ProviderConfigInput,
};
use serde_json::{Value, json};

use super::{PROVIDERS, VIRTUAL_KEYS, done, refused, send, told};
use crate::gateway::chat;
use crate::harness::App;

const SECRET: &str = "a-literal-provider-secret";

pub(super) fn at(name: &str, base_url: &str) -> CreateProvider {
    let network_config = NetworkConfigInput::at(base_url.parse().unwrap());
    CreateProvider { name: name.to_owned(), network_config, ..CreateProvider::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_provider_needs_no_address() {
    let app = App::start().await;
    for body in [json!({ "name": "openai" }), json!({ "provider": "anthropic", "network_config": {} })] {
        let mut answer = done(&app, "POST", PROVIDERS, body).await;
        let answer = answer.as_object_mut().unwrap();
        assert_eq!(answer.remove("created_at"), answer.remove("updated_at"));
        let name = answer.remove("name").unwrap();
        let expected = json!({
            "network_config": {}, "send_back_raw_request": false, "send_back_raw_response": false,
            "store_raw_request_response": false, "provider_status": "active", "status": "", "description": "",
            "keys": [], "config_hash": "",
        });
        assert_eq!(*answer, *expected.as_object().unwrap());
        let read = app.client.provider_get(&name.as_str().unwrap().into()).await.unwrap();
        assert_eq!(read.name.as_str(), name);
    }
    let all = app.client.provider_list().await.unwrap();
    let names: Vec<_> = all.providers.iter().map(|provider| provider.name.as_str()).collect();
    assert_eq!((names.as_slice(), all.total), (&["anthropic", "demo", "openai"][..], 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_kept_as_an_origin() {
    let app = App::start().await;
    for (name, given, kept) in [
        ("one", "https://llm.example", "https://llm.example"),
        ("two", "https://llm.example/v1/", "https://llm.example"),
        ("three", "http://10.0.0.1:8000/prefix/v1", "http://10.0.0.1:8000/prefix"),
        ("four", "http://[::1]:9", "http://[::1]:9"),
        ("openai", "HTTPS://LLM.Example:443/", "https://llm.example"),
    ] {
        let created = app.client.provider_create(&at(name, given)).await.unwrap();
        assert_eq!(created.network_config.base_url.as_ref().map(BaseUrl::as_str), Some(kept), "{given}");
        assert_eq!(app.client.provider_get(&name.into()).await.unwrap(), created);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused() {
    let app = App::start().await;
    app.client.provider_create(&at("taken", "https://llm.example")).await.unwrap();
    let key = json!({ "name": "k", "value": SECRET });
    let network = |base_url: &str| json!({ "name": "own", "network_config": { "base_url": base_url } });
    let timeout = "default_request_timeout_in_seconds";
    let seconds = |seconds: Value| json!({ "name": "openai", "network_config": { timeout: seconds } });
    let with_key = |key: Value| json!({ "name": "openai", "keys": [key] });
    for (body, status, param) in [
        (json!({}), 400, "/name"),
        (json!({ "name": "a/b" }), 400, "/name"),
        (json!({ "name": "x".repeat(65) }), 400, "/name"),
        (json!({ "name": "demo" }), 400, "/name"),
        (json!({ "name": "taken", "network_config": { "base_url": "https://llm.example" } }), 409, "/name"),
        (json!({ "name": "own" }), 400, "/network_config/base_url"),
        (network("llm.example"), 400, "/network_config/base_url"),
        (network("ftp://llm.example"), 400, "/network_config/base_url"),
        (network("file:///etc/passwd"), 400, "/network_config/base_url"),
        (network("https://user:secret@llm.example"), 400, "/network_config/base_url"),
        (network("https://llm.example?key=1"), 400, "/network_config/base_url"),
        (network("http://169.254.169.254"), 400, "/network_config/base_url"),
        (network("http://2852039166/latest"), 400, "/network_config/base_url"),
        (network("http://0xa9.254.0xa9.254"), 400, "/network_config/base_url"),
        (network("http://[::ffff:169.254.169.254]"), 400, "/network_config/base_url"),
        (network("http://[fd00:ec2::254]"), 400, "/network_config/base_url"),
        (network("http://metadata.google.internal"), 400, "/network_config/base_url"),
        (network("http://metadata.google.internal."), 400, "/network_config/base_url"),
        (network("http://METADATA.google.internal"), 400, "/network_config/base_url"),
        (seconds(json!(0)), 400, "/network_config/default_request_timeout_in_seconds"),
        (seconds(json!(3601)), 400, "/network_config/default_request_timeout_in_seconds"),
        (seconds(json!(65536)), 400, "/network_config/default_request_timeout_in_seconds"),
        (with_key(json!({ "name": "", "value": SECRET })), 400, "/keys/0/name"),
        (with_key(json!({ "name": "k", "value": "" })), 400, "/keys/0/value"),
        (with_key(json!({ "name": "k", "value": "two\nlines" })), 400, "/keys/0/value"),
        (with_key(json!({ "name": "k", "value": "env." })), 400, "/keys/0/value"),
        (with_key(json!({ "name": "k", "value": SECRET, "weight": -0.5 })), 400, "/keys/0/weight"),
        (with_key(json!({ "name": "k", "value": SECRET, "models": ["*", "a"] })), 400, "/keys/0/models"),
        (json!({ "name": "openai", "keys": [key, key] }), 409, "/name"),
    ] {
        let reply = send(&app, "POST", PROVIDERS, &body).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.json());
        let (found, _, pointer) = reply.error();
        assert_eq!((found, pointer.as_str()), (status, param), "{body}: {}", reply.json()["error"]["message"]);
        assert!(!String::from_utf8(reply.body).unwrap().contains(SECRET), "{body}");
    }
    // `demo` and `taken`: nothing of the above was made, not even in part.
    assert_eq!(app.client.provider_list().await.unwrap().total, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_can_be_blocked() {
    let app = App::builder().settings(|settings| settings.block_private_upstreams = true).start().await;
    for address in
        ["http://127.0.0.1:1", "http://10.0.0.1", "http://[::1]", "http://[::ffff:10.0.0.1]", "http://2130706433"]
    {
        let error = refused(app.client.provider_create(&at("own", address)).await);
        let message = "base_url must not be a private address: block_private_upstreams is on";
        assert_eq!(told(&error), (400, "/network_config/base_url", message), "{address}");
    }
    app.client.provider_create(&at("own", "https://llm.example")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_has_a_secret_in_it() {
    let app = App::start().await;
    let keys = vec![CreateProviderKey::new("main", SECRET)];
    let body = serde_json::to_value(CreateProvider { keys, ..at("own", "http://127.0.0.1:1") }).unwrap();
    let replies = [
        send(&app, "POST", PROVIDERS, &body).await,
        send(&app, "POST", PROVIDERS, &body).await,
        app.raw("GET", PROVIDERS).send().await,
        app.raw("GET", &format!("{PROVIDERS}/own")).send().await,
        app.raw("GET", &format!("{PROVIDERS}/own/keys")).send().await,
        app.raw("DELETE", &format!("{PROVIDERS}/own")).send().await,
    ];
    assert_eq!(replies.each_ref().map(|reply| reply.status), [200, 409, 200, 200, 200, 200]);
    for reply in &replies {
        let text = String::from_utf8(reply.body.clone()).unwrap();
        assert!(!text.contains(SECRET) && !text.contains("not-a-secret"), "{text}");
    }
    assert_eq!(replies[0].json()["keys"][0]["value"]["value"], format!("a-li{}cret", "*".repeat(24)));
}

/// A key that could only use the provider keeps its provider config and may use nothing.
#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_provider_takes_its_keys_and_opens_nothing() {
    let app = App::start().await;
    let provider =
        CreateProvider { keys: vec![CreateProviderKey::new("main", SECRET)], ..at("own", "http://127.0.0.1:1") };
    let provider_key = app.client.provider_create(&provider).await.unwrap().keys.remove(0);
    let config = ProviderConfigInput {
        provider: Some("own".into()),
        key_ids: Some(vec![provider_key.id.clone()]),
        ..ProviderConfigInput::default()
    };
    let key = app.key(CreateVirtualKey { provider_configs: Some(vec![config]), ..CreateVirtualKey::default() }).await;
    let open = app.key(CreateVirtualKey::default()).await;

    let answer = app.client.provider_delete(&"own".into()).await.unwrap();
    assert_eq!(answer.message, "Provider deleted successfully");
    for error in [
        refused(app.client.provider_get(&"own".into()).await),
        refused(app.client.provider_delete(&"own".into()).await),
        refused(app.client.provider_key_list(&"own".into()).await),
        refused(app.client.provider_key_get(&"own".into(), &provider_key.id).await),
    ] {
        assert_eq!((error.status, error.raw_code.as_str()), (404, "not_found"));
    }
    let left = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!((left.provider_configs.len(), left.keys.len(), left.allow_all_providers), (1, 0, false));
    assert!(!left.provider_configs[0].allow_all_keys);
    for (key, model) in [(&key, "own/m"), (&open, "own/m")] {
        let error = refused(app.caller(key).chat_completion_create(&chat(model, "hi")).await);
        assert_eq!((error.status, error.raw_code.as_str()), (404, "provider_not_found"));
    }
    // The key can still be edited, and an edit keeps what is not there any more.
    let path = format!("{VIRTUAL_KEYS}/{}", key.id);
    let after = done(&app, "PUT", &path, json!({ "description": "kept" })).await;
    assert_eq!(after["virtual_key"]["provider_configs"][0]["provider"], "own");
    // The names are free again; the new provider's key is not the old one.
    app.client.provider_create(&provider).await.unwrap();
    let left = app.client.virtual_key_get(&key.id).await.unwrap();
    assert!(left.keys.is_empty() && !left.provider_configs[0].allow_all_keys);
}
