//! Refusals by limits: the status, the structure, and whether to try again.

use keyward_client::{
    BudgetInput, ChatCompletionRequest, CreateCustomer, CreateTeam, CreateVirtualKey, Metric, ProviderConfigInput,
    RateLimitInput, ResetDuration, ScopeKind, VirtualKey,
};

use crate::gateway::{chat, with_budget};
use crate::harness::App;

fn tiny() -> BudgetInput {
    BudgetInput::new("0.000001".parse().unwrap(), ResetDuration::days(1))
}

async fn refusal(app: &App, key: &VirtualKey) -> (ScopeKind, Metric) {
    let error = app.caller(key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    (refusal.scope.kind, refusal.metric)
}

/// Every level of the hierarchy is in force, the widest that is violated is named; and I7: what is refused reaches no provider.
#[tokio::test(flavor = "multi_thread")]
async fn i7_every_level_refuses_for_itself_before_a_byte_leaves() {
    let app = App::start().await;
    let poor = CreateCustomer { name: "poor".into(), budget: tiny().into(), ..CreateCustomer::default() };
    let poor = app.client.customer_create(&poor).await.unwrap().customer;
    let of_poor = CreateTeam {
        name: "of poor".into(),
        customer_id: Some(poor.id.clone()),
        budget: tiny().into(),
        ..Default::default()
    };
    let of_poor = app.client.team_create(&of_poor).await.unwrap().team;
    let alone = CreateTeam { name: "alone".into(), budget: tiny().into(), ..CreateTeam::default() };
    let alone = app.client.team_create(&alone).await.unwrap().team;
    let config = ProviderConfigInput { provider: Some("demo".into()), budget: tiny().into(), ..Default::default() };
    let configured = CreateVirtualKey { provider_configs: Some(vec![config]), ..CreateVirtualKey::default() };
    for (request, kind) in [
        (CreateVirtualKey { team_id: Some(of_poor.id), ..with_budget("1") }, ScopeKind::Customer),
        (CreateVirtualKey { customer_id: Some(poor.id), ..with_budget("1") }, ScopeKind::Customer),
        (CreateVirtualKey { team_id: Some(alone.id), ..with_budget("0.000001") }, ScopeKind::Team),
        (with_budget("0.000001"), ScopeKind::VirtualKey),
        (configured, ScopeKind::ProviderConfig),
    ] {
        let key = app.key(request).await;
        assert_eq!(refusal(&app, &key).await, (kind, Metric::Cost));
    }
    assert_eq!(app.simulator.bill().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_refusal_tells_everything_and_not_to_retry() {
    let app = App::start().await;
    let key = app.key(with_budget("0.003")).await;
    let body = r#"{"model":"demo/echo","messages":[{"role":"user","content":"hi"}],"max_tokens":64}"#;
    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    let reply = raw.body(body).send().await;
    assert_eq!(reply.error(), (402, "budget_exceeded".into(), String::new()));
    assert_eq!((reply.header("x-should-retry"), reply.header("retry-after")), ("false", ""));
    let body_of = reply.json();
    let details = &body_of["error"]["details"];
    // The body's bytes and the frame in at $10, 64 tokens out at $40 for a million.
    let held = (body.len() as u64 + 64) * 10_000 + 64 * 40_000;
    assert_eq!(details["requested"].as_f64().unwrap(), held as f64 / 1e9);
    assert_eq!((&details["limit_value"], &details["used"], &details["held"]), (&0.003.into(), &0.into(), &0.into()));
    assert_eq!(details["scope"]["id"], key.id.as_str());
    assert_eq!(details["resets_at"], serde_json::to_value(key.budgets[0].resets_at).unwrap());
    assert_eq!(body_of["error"]["type"], "insufficient_quota");
    assert_eq!(body_of["is_bifrost_error"], true);
    assert_eq!(body_of["extra_fields"]["provider"], "demo");
    assert_eq!(body_of["extra_fields"]["model_requested"], "demo/echo");
    assert_eq!(body_of["extra_fields"]["request_type"], "chat_completion");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_refusal_says_when_to_try_again() {
    let app = App::start().await;
    let hour: ResetDuration = "1h".parse().unwrap();
    let requests = RateLimitInput {
        request_max_limit: 1.into(),
        request_reset_duration: hour.clone().into(),
        ..Default::default()
    };
    let tokens = RateLimitInput { token_max_limit: 5.into(), token_reset_duration: hour.into(), ..Default::default() };
    for (rate_limit, code, usage) in [(requests, "request_limited", (1, 0)), (tokens, "token_limited", (0, 10))] {
        let key = app.key(CreateVirtualKey { rate_limit: rate_limit.into(), ..CreateVirtualKey::default() }).await;
        let caller = app.caller(&key);
        caller.chat_completion_create(&chat("demo/echo", "one two three")).await.unwrap();
        let error = caller.chat_completion_create(&chat("demo/echo", "four")).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(429), Some(code)));
        let wait = error.retry_after().unwrap().as_secs();
        assert!(error.is_retryable() && (3_500..=3_601).contains(&wait), "{wait}");
        let limit = app.client.virtual_key_get(&key.id).await.unwrap().rate_limit.unwrap();
        assert_eq!((limit.request_current_usage, limit.token_current_usage), usage);
    }
}

/// The client's own cap bounds the hold: a small one fits where a large one does not.
#[tokio::test(flavor = "multi_thread")]
async fn the_hold_follows_the_clients_own_cap() {
    let app = App::start().await;
    let key = app.key(with_budget("0.003")).await;
    let caller = app.caller(&key);
    let large = ChatCompletionRequest { max_completion_tokens: Some(64), ..chat("demo/echo", "hi") };
    assert_eq!(caller.chat_completion_create(&large).await.unwrap_err().status(), Some(402));
    let capped = ChatCompletionRequest { max_completion_tokens: Some(8), ..large };
    assert!(caller.chat_completion_create(&capped).await.is_ok());
    let several = ChatCompletionRequest { n: Some(20), ..capped };
    assert_eq!(caller.chat_completion_create(&several).await.unwrap_err().status(), Some(402));
}
