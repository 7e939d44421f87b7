//! What of a provider's and its keys' settings is in force: where requests go, with which key, and under which name.

use keyward_client::{CreateVirtualKey, ProviderConfigInput, VirtualKey};
use serde_json::{Value, json};

use crate::api::{PROVIDERS, done};
use crate::gateway::{chat, with_budget};
use crate::harness::{App, Scripted};

const ANSWER: &str = r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":1000000,"completion_tokens":0,"total_tokens":1000000}}"#;

async fn scripted() -> Scripted {
    Scripted::answering("200 OK", "application/json", ANSWER).await
}

/// Status and code of a call; 200 and nothing when it went through.
async fn called(app: &App, key: &VirtualKey, model: &str) -> (u16, String) {
    match app.caller(key).chat_completion_create(&chat(model, "hi")).await {
        Ok(_) => (200, String::new()),
        Err(error) => (error.status().unwrap(), error.code().unwrap_or_default().to_owned()),
    }
}

fn model_of(request: &str) -> Value {
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    body["model"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_sent_as_what_it_stands_for_and_costs_that_much() {
    let app = App::start().await;
    let upstream = scripted().await;
    let body = json!({
        "name": "openai", "network_config": { "base_url": upstream.base_url() },
        "keys": [{ "name": "k", "value": "s", "aliases": { "best": "gpt-4o-mini", "gpt-4o": "own-deployment" } }],
    });
    done(&app, "POST", PROVIDERS, body).await;
    let key = app.key(with_budget("100")).await;
    for (asked, sent) in [("best", "gpt-4o-mini"), ("gpt-4o", "own-deployment"), ("gpt-4o-mini", "gpt-4o-mini")] {
        let before = app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage;
        app.caller(&key).chat_completion_create(&chat(&format!("openai/{asked}"), "hi")).await.unwrap();
        assert_eq!(model_of(upstream.requests().last().unwrap()), sent, "{asked}");
        let after = app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage;
        // A million tokens of input: $0.15 for the small one, $2.50 for the large one.
        let cost = if asked == "gpt-4o" { 2_500_000_000 } else { 150_000_000 };
        assert_eq!(after.nanos() - before.nanos(), cost, "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_serves_its_models_unless_they_are_blocked() {
    let app = App::start().await;
    let upstream = scripted().await;
    let body = json!({
        "name": "own", "network_config": { "base_url": upstream.base_url() },
        "keys": [{ "name": "k", "value": "s", "models": ["a", "b", "c"], "blacklisted_models": ["b", "target"],
                   "aliases": { "c": "target" } }],
    });
    done(&app, "POST", PROVIDERS, body).await;
    let key = app.key(CreateVirtualKey::default()).await;
    for (model, status) in [("own/a", 200), ("own/b", 503), ("own/c", 503), ("own/d", 503)] {
        assert_eq!(called(&app, &key, model).await.0, status, "{model}");
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn extra_headers_reach_the_provider_and_win_over_the_clients() {
    let app = App::start().await;
    let upstream = scripted().await;
    let headers =
        json!({ "x-team": "red", "x-api-token": "fake-header-secret", "User-Agent": "keyward", "x-path": "env.PATH" });
    let body = json!({
        "name": "own", "network_config": { "base_url": upstream.base_url(), "extra_headers": headers },
        "keys": [{ "name": "k", "value": "s" }],
    });
    let made = done(&app, "POST", PROVIDERS, body).await;
    assert_eq!(
        made["network_config"]["extra_headers"],
        json!({ "user-agent": "keyward", "x-api-token": format!("fake{}cret", "*".repeat(24)), "x-path": "env.PATH", "x-team": "red" })
    );
    let key = app.key(CreateVirtualKey::default()).await;
    assert_eq!(called(&app, &key, "own/m").await.0, 200);
    let request = upstream.requests().pop().unwrap();
    for line in ["x-team: red", "x-api-token: fake-header-secret", "user-agent: keyward", "authorization: Bearer s"] {
        assert_eq!(request.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}: {request}");
    }
    assert_eq!(request.matches("\r\nuser-agent: ").count(), 1);
    assert!(request.contains("\r\nx-path: /"), "{request}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_needs_no_key_gets_none() {
    let app = App::start().await;
    let upstream = scripted().await;
    let custom = json!({ "base_provider_type": "openai", "is_key_less": true });
    let body = json!({
        "name": "own", "network_config": { "base_url": upstream.base_url() }, "custom_provider_config": custom,
    });
    done(&app, "POST", PROVIDERS, body).await;
    let key = app.key(CreateVirtualKey::default()).await;
    assert_eq!(called(&app, &key, "own/m").await.0, 200);
    assert!(!upstream.requests()[0].contains("\r\nauthorization:"));
    let config = ProviderConfigInput { provider: Some("own".into()), key_ids: Some(Vec::new()), ..Default::default() };
    let none = CreateVirtualKey { provider_configs: Some(vec![config]), ..CreateVirtualKey::default() };
    assert_eq!(called(&app, &app.key(none).await, "own/m").await, (503, "provider_key_unavailable".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_takes_the_requests_that_it_is_configured_to_take() {
    let app = App::start().await;
    let upstream = scripted().await;
    let custom = |kinds: Value| json!({ "base_provider_type": "gemini", "allowed_requests": kinds });
    let body = json!({
        "name": "own", "network_config": { "base_url": upstream.base_url() }, "keys": [{ "name": "k", "value": "s" }],
        "custom_provider_config": custom(json!({ "chat_completion_stream": true })),
    });
    done(&app, "POST", PROVIDERS, body).await;
    let key = app.key(CreateVirtualKey::default()).await;
    assert_eq!(called(&app, &key, "own/m").await, (400, "invalid_request".to_owned()));
    let more = json!({ "custom_provider_config": custom(json!({ "chat_completion": true })) });
    done(&app, "PUT", &format!("{PROVIDERS}/own"), more).await;
    assert_eq!(called(&app, &key, "own/m").await.0, 200);
    assert!(upstream.requests()[0].starts_with("POST /v1beta/openai/chat/completions "), "the base provider's path");
}

/// A server of one's own is where its key says.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_an_own_server_says_where_that_is() {
    let app = App::start().await;
    let upstream = scripted().await;
    let made = done(&app, "POST", PROVIDERS, json!({ "name": "ollama" })).await;
    assert_eq!(made["provider_status"], "error", "there is nowhere to send requests to");
    let body = json!({ "name": "k", "ollama_key_config": { "url": upstream.base_url() } });
    done(&app, "POST", &format!("{PROVIDERS}/ollama/keys"), body).await;
    let read = app.raw("GET", &format!("{PROVIDERS}/ollama")).send().await.json();
    assert_eq!(read["provider_status"], "active");
    let key = app.key(CreateVirtualKey::default()).await;
    assert_eq!(called(&app, &key, "ollama/m").await.0, 200);
    assert!(!upstream.requests()[0].contains("\r\nauthorization:"));
}

/// Its credentials are kept, and nothing is charged for a call that cannot be made.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_nowhere_is_refused_before_anything_is_held() {
    let app = App::start().await;
    let key = json!({ "name": "k", "value": "s" });
    let made = done(&app, "POST", PROVIDERS, json!({ "name": "azure", "keys": [key] })).await;
    assert_eq!(made["provider_status"], "error");
    let holder = app.key(with_budget("1")).await;
    assert_eq!(called(&app, &holder, "azure/gpt-4o").await, (501, "provider_not_supported".to_owned()));
    let left = app.client.virtual_key_get(&holder.id).await.unwrap();
    assert_eq!(left.budgets[0].current_usage.nanos(), 0);
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(holder.id).await.unwrap().entries, 0);
}
