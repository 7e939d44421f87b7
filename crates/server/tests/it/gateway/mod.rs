//! The gateway: what goes through, what is refused, and what it costs.

mod books;
mod buffering;
mod clamp;
mod clouds;
mod credentials;
mod dialects;
mod explaining;
mod failures;
mod faithful;
mod fallbacks;
mod fixtures;
mod key_health;
mod model_limits;
mod objects;
mod policy;
mod pricing;
mod refusals;
pub mod replaying;
mod retries;
mod routing;
mod safety;
mod sessions;
mod streams;
mod telling;
mod typed;
mod weights;

use keyward_client::{
    BudgetInput, ChatCompletionRequest, ChatMessage, CreateProvider, CreateProviderKey, CreateRoutingRule,
    CreateVirtualKey, Milliseconds, NanoUsd, NetworkConfigInput, ResetDuration, RoutingRule, VirtualKey,
};
use keyward_core::base_url::BaseUrl;
use serde_json::{Value, json};

use crate::harness::{App, Reply, Step};

/// A chat request of one message.
pub fn chat(model: &str, text: &str) -> ChatCompletionRequest {
    ChatCompletionRequest { model: model.to_owned(), messages: vec![ChatMessage::user(text)], ..Default::default() }
}

/// A virtual key with a daily budget in dollars.
pub fn with_budget(dollars: &str) -> CreateVirtualKey {
    let budget = BudgetInput::new(dollars.parse().unwrap(), ResetDuration::days(1));
    CreateVirtualKey { budget: budget.into(), ..CreateVirtualKey::default() }
}

/// What the demo model costs: $10 and $40 for a million tokens of input and output.
pub fn demo_cost(prompt_tokens: u64, completion_tokens: u64) -> NanoUsd {
    NanoUsd::from_nanos(i64::try_from(prompt_tokens * 10_000 + completion_tokens * 40_000).unwrap())
}

/// Calls a model and looks at the whole answer.
pub async fn called(app: &App, key: &VirtualKey, model: &str) -> Reply {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose()).body(body).send().await
}

/// An answer of a provider: 100 tokens in, 100 out.
pub fn ok() -> Step {
    let body = r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":100,"total_tokens":200}}"#;
    Step::answer("200 OK", "application/json", body)
}

/// An error of a provider, with this header if it has a name.
pub fn error(status: &str, (name, value): (&str, &str)) -> Step {
    let body = r#"{"error":{"message":"out of order","type":"server_error","code":"server_error"}}"#;
    let header = if name.is_empty() { String::new() } else { format!("{name}: {value}\r\n") };
    let length = body.len();
    let head = "content-type: application/json\r\nconnection: close\r\n";
    Step::Send(format!("HTTP/1.1 {status}\r\n{head}{header}content-length: {length}\r\n\r\n{body}").into_bytes())
}

/// Makes a provider with these keys that is asked again so often, after a millisecond or two.
pub async fn retried(app: &App, name: &str, base_url: BaseUrl, keys: &[&str], max_retries: u8) {
    let network_config = NetworkConfigInput {
        default_request_timeout_in_seconds: 5.into(),
        max_retries: max_retries.into(),
        retry_backoff_initial: Milliseconds::new(1).into(),
        retry_backoff_max: Milliseconds::new(1_000).into(),
        ..NetworkConfigInput::at(base_url)
    };
    let key = |key: &&str| CreateProviderKey::new(format!("{name}-{key}"), format!("fake-secret-{key}"));
    let keys = keys.iter().map(key).collect();
    let request = CreateProvider { name: name.to_owned(), network_config, keys, ..CreateProvider::default() };
    app.client.provider_create(&request).await.unwrap();
}

/// The key of [`retried`] that a request came with.
pub fn secret_of(request: &str) -> String {
    let start = request.find("fake-secret-").unwrap() + "fake-secret-".len();
    request[start..].chars().take_while(|letter| letter.is_alphanumeric()).collect()
}

/// A figure of the metrics.
pub async fn metric(app: &App, name: &str) -> Option<i64> {
    let text = String::from_utf8(app.raw("GET", "/metrics").send().await.body).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Status, provider, and the model that the answer is from.
pub fn served(reply: &Reply) -> (u16, &str, &str) {
    (reply.status, reply.header("x-keyward-provider"), reply.header("x-keyward-model"))
}

/// Makes a routing rule.
pub async fn rule(app: &App, body: Value) -> RoutingRule {
    let request: CreateRoutingRule = serde_json::from_value(body).unwrap();
    app.client.routing_rule_create(&request).await.unwrap().rule
}
