//! Fallbacks: which failures make way for the next place, which end the request, and what each costs.

use futures_util::TryStreamExt;
use keyward_client::{CreateVirtualKey, NanoUsd, ProviderConfigInput, RateLimitInput, VirtualKey};
use serde_json::{Value, json};

use super::{called, chat, demo_cost, rule, served, with_budget};
use crate::harness::{Absent, App, Reply, Scripted, Step};

const FAILURE: &str = r#"{"error":{"message":"out of order","type":"server_error","code":"server_error"}}"#;

/// Sends everything to the model of `openai`, and to `demo` when that fails.
async fn guarded(app: &App) {
    let rule_body = json!({
        "name": "guarded", "provider": "openai", "model": "gpt-4o-mini",
        "fallbacks": [{ "provider": "demo", "model": "echo" }],
    });
    rule(app, rule_body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_fails_makes_way_and_each_attempt_is_in_the_books() {
    for (status, error) in [("500 Internal Server Error", FAILURE), ("429 Too Many Requests", FAILURE)] {
        let app = App::start().await;
        let upstream = Scripted::answering(status, "application/json", error).await;
        app.provider("openai", upstream.base_url()).await;
        guarded(&app).await;
        let key = app.key(with_budget("1")).await;
        let reply = called(&app, &key, "demo/echo").await;
        assert_eq!(served(&reply), (200, "demo", "echo"));
        assert!(upstream.requests()[0].contains("\"model\":\"gpt-4o-mini\""), "spliced anew for each attempt");
        let answer = reply.json();
        let tokens = |name: &str| answer["usage"][name].as_u64().unwrap();
        let expected = demo_cost(tokens("prompt_tokens"), tokens("completion_tokens"));
        let (store, _database) = app.stopped().await;
        let totals = store.ledger_totals(key.id).await.unwrap();
        assert_eq!((totals.entries, totals.cost), (2, expected), "the provider's error was free");
    }
}

/// A fallback that names a provider alone is asked for the model that the rule chose.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_alone_is_asked_for_the_same_model() {
    let app = App::start().await;
    let upstream = Scripted::answering("500 Internal Server Error", "application/json", FAILURE).await;
    app.provider("openai", upstream.base_url()).await;
    rule(&app, json!({ "name": "r", "provider": "openai", "model": "echo", "fallbacks": ["demo"] })).await;
    let key = app.key(CreateVirtualKey::default()).await;
    assert_eq!(served(&called(&app, &key, "openai/other").await), (200, "demo", "echo"));
}

/// What may have been used is charged: the attempt that was silent at its hold, the one that answered at its usage.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_upstream_is_charged_and_makes_way_after_the_rules_own_patience() {
    let app = App::start().await;
    let upstream = Scripted::start(vec![Step::Silence]).await;
    app.provider("openai", upstream.base_url()).await;
    let impatient = json!({
        "name": "impatient", "provider": "openai", "model": "gpt-4o-mini", "ttft_timeout_ms": 50,
        "fallbacks": ["demo/echo"],
    });
    rule(&app, impatient).await;
    let key = app.key(with_budget("1")).await;
    assert_eq!(served(&called(&app, &key, "demo/echo").await), (200, "demo", "echo"));
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    // 16,384 tokens of output at $0.60 for a million, and a few of input.
    assert_eq!(totals.entries, 2);
    assert!(totals.cost > "0.0098".parse().unwrap(), "{:?}", totals.cost);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_not_there_costs_nothing_and_streams_fall_back_too() {
    let app = App::start().await;
    let absent = Absent::reserve();
    app.provider("openai", absent.base_url()).await;
    guarded(&app).await;
    let key = app.key(with_budget("1")).await;
    let stream = app.caller(&key).chat_completion_stream(&chat("demo/echo", "hi")).await.unwrap();
    assert!(!stream.try_collect::<Vec<_>>().await.unwrap().is_empty());
    let bill = app.simulator.bill();
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.entries, totals.cost), (1, demo_cost(bill.prompt_tokens, bill.completion_tokens)));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_fail_the_last_failure_is_the_answer() {
    let app = App::start().await;
    let first = Scripted::answering("500 Internal Server Error", "application/json", FAILURE).await;
    app.provider("openai", first.base_url()).await;
    let body = FAILURE.replace("out of order", "also out of order");
    let second = Scripted::answering("503 Service Unavailable", "application/json", &body).await;
    app.provider("other", second.base_url()).await;
    rule(&app, json!({ "name": "r", "provider": "openai", "model": "m", "fallbacks": ["xai/m", "other/m"] })).await;
    let key = app.key(CreateVirtualKey::default()).await;
    let reply = called(&app, &key, "demo/echo").await;
    assert_eq!(served(&reply), (503, "other", "m"));
    assert_eq!(reply.json()["error"]["message"], "also out of order");
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_configs_own_refusal_makes_way() {
    let app = App::start().await;
    app.provider("other", app.simulator.base_url()).await;
    rule(&app, json!({ "name": "r", "provider": "demo", "fallbacks": ["demo/blocked", "other/echo"] })).await;
    let limit = RateLimitInput {
        request_max_limit: 1.into(),
        request_reset_duration: "1h".parse::<keyward_client::ResetDuration>().unwrap().into(),
        ..RateLimitInput::default()
    };
    let demo = ProviderConfigInput {
        provider: Some("demo".into()),
        blacklisted_models: Some(vec!["blocked".to_owned()].try_into().unwrap()),
        rate_limit: limit.into(),
        ..ProviderConfigInput::default()
    };
    let other = ProviderConfigInput { provider: Some("other".into()), ..ProviderConfigInput::default() };
    let request = CreateVirtualKey { provider_configs: Some(vec![demo, other]), ..CreateVirtualKey::default() };
    let key = app.key(request).await;
    assert_eq!(served(&called(&app, &key, "demo/echo").await), (200, "demo", "echo"));
    assert_eq!(served(&called(&app, &key, "demo/echo").await), (200, "other", "echo"));
}

/// Another provider does not make a virtual key's money more.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_virtual_key_itself_ends_the_request() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", "{}").await;
    app.provider("openai", upstream.base_url()).await;
    rule(&app, json!({ "name": "r", "provider": "demo", "model": "echo", "fallbacks": ["openai/gpt-4o-mini"] })).await;
    let poor = app.key(with_budget("0.000000001")).await;
    let reply = called(&app, &poor, "demo/echo").await;
    assert_eq!((reply.status, reply.error().1.as_str()), (402, "budget_exceeded"));
    assert!(upstream.requests().is_empty());
    assert_eq!(app.caller(&poor).virtual_key_quota().await.unwrap().budgets[0].current_usage, NanoUsd::ZERO);
}

/// The provider understood and said no: nobody else is asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_client_is_the_answer() {
    let app = App::start().await;
    let upstream = Scripted::answering("400 Bad Request", "application/json", FAILURE).await;
    app.provider("openai", upstream.base_url()).await;
    guarded(&app).await;
    let key = app.key(with_budget("1")).await;
    let reply = called(&app, &key, "demo/echo").await;
    assert_eq!(served(&reply), (400, "openai", "gpt-4o-mini"));
    assert_eq!(app.simulator.bill().requests, 0);
}

/// Calls a model with fallbacks of the request's own.
async fn called_with(app: &App, key: &VirtualKey, model: &str, fallbacks: Value) -> Reply {
    let body = json!({ "model": model, "fallbacks": fallbacks, "messages": [{ "role": "user", "content": "hi" }] });
    let request = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    request.body(body.to_string()).send().await
}

/// They are governed as any place is, and no provider sees them.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_name_its_own_fallbacks() {
    let app = App::start().await;
    let upstream = Scripted::answering("500 Internal Server Error", "application/json", FAILURE).await;
    app.provider("openai", upstream.base_url()).await;
    let demo_only = ProviderConfigInput { provider: Some("demo".into()), ..ProviderConfigInput::default() };
    let openai = ProviderConfigInput { provider: Some("openai".into()), ..ProviderConfigInput::default() };
    let configs = vec![demo_only, openai];
    let key = app.key(CreateVirtualKey { provider_configs: Some(configs), ..with_budget("1") }).await;
    let fallbacks = json!(["xai/forbidden", { "provider": "demo", "model": "echo" }]);
    let reply = called_with(&app, &key, "openai/gpt-4o-mini", fallbacks).await;
    assert_eq!((served(&reply), reply.header("x-keyward-attempts")), ((200, "demo", "echo"), "2"));
    assert!(!upstream.requests()[0].contains("fallbacks"), "{}", upstream.requests()[0]);
    let reply = called_with(&app, &key, "openai/gpt-4o-mini", json!(["xai/forbidden"])).await;
    assert_eq!((reply.error().1.as_str(), reply.header("x-keyward-attempts")), ("provider_blocked", "1"));
    // The rule is heard before the request.
    rule(&app, json!({ "name": "r", "provider": "openai", "model": "gpt-4o", "fallbacks": ["openai/gpt-4o-mini"] }))
        .await;
    let reply = called_with(&app, &key, "demo/echo", json!(["demo/echo"])).await;
    assert_eq!(served(&reply), (500, "openai", "gpt-4o-mini"));
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 2 + 1 + 2);
}

/// Without a provider and without fallbacks, whoever else offers the model is asked, unless the request says that nobody shall be.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_provider_falls_back_by_weight() {
    let app = App::start().await;
    let upstream = Scripted::answering("500 Internal Server Error", "application/json", FAILURE).await;
    app.provider("openai", upstream.base_url()).await;
    let config = |provider: &str, weight: f64| ProviderConfigInput {
        provider: Some(provider.into()),
        allowed_models: Some(vec!["echo".to_owned()].try_into().unwrap()),
        weight: weight.into(),
        ..ProviderConfigInput::default()
    };
    let configs = vec![config("openai", 1e9), config("demo", 1e-9)];
    let key = app.key(CreateVirtualKey { provider_configs: Some(configs), ..CreateVirtualKey::default() }).await;
    let reply = called(&app, &key, "echo").await;
    assert_eq!((served(&reply), reply.header("x-keyward-attempts")), ((200, "demo", "echo"), "2"));
    let reply = called_with(&app, &key, "echo", json!([])).await;
    assert_eq!((served(&reply), reply.header("x-keyward-attempts")), ((500, "openai", "echo"), "1"));
    assert_eq!(called(&app, &key, "openai/echo").await.status, 500, "who names a provider means it");
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 4);
}

/// The first attempt was the last request that the virtual key had.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_virtual_key_ends_a_chain_in_its_middle() {
    let app = App::start().await;
    let upstream = Scripted::answering("500 Internal Server Error", "application/json", FAILURE).await;
    app.provider("openai", upstream.base_url()).await;
    let limit = RateLimitInput {
        request_max_limit: 1.into(),
        request_reset_duration: "1h".parse::<keyward_client::ResetDuration>().unwrap().into(),
        ..RateLimitInput::default()
    };
    let key = app.key(CreateVirtualKey { rate_limit: limit.into(), ..CreateVirtualKey::default() }).await;
    let reply = called_with(&app, &key, "openai/gpt-4o-mini", json!(["demo/echo", "demo/other"])).await;
    assert_eq!((reply.error().1.as_str(), reply.header("x-keyward-attempts")), ("request_limited", "1"));
    assert_eq!(app.simulator.bill().requests, 0);
}
