//! The gateway: what goes through, what is refused, and what it costs.

mod books;
mod buffering;
mod clamp;
mod credentials;
mod dialects;
mod explaining;
mod failures;
mod faithful;
mod fallbacks;
mod model_limits;
mod objects;
mod policy;
mod pricing;
mod refusals;
mod routing;
mod streams;
mod telling;
mod weights;

use keyward_client::{
    BudgetInput, ChatCompletionRequest, ChatMessage, CreateRoutingRule, CreateVirtualKey, NanoUsd, ResetDuration,
    RoutingRule, VirtualKey,
};
use serde_json::{Value, json};

use crate::harness::{App, Reply};

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

/// Status, provider, and the model that the answer is from.
pub fn served(reply: &Reply) -> (u16, &str, &str) {
    (reply.status, reply.header("x-keyward-provider"), reply.header("x-keyward-model"))
}

/// Makes a routing rule.
pub async fn rule(app: &App, body: Value) -> RoutingRule {
    let request: CreateRoutingRule = serde_json::from_value(body).unwrap();
    app.client.routing_rule_create(&request).await.unwrap().rule
}
