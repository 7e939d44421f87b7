//! The gateway: what goes through, what is refused, and what it costs.

mod books;
mod credentials;
mod failures;
mod faithful;
mod model_limits;
mod policy;
mod pricing;
mod refusals;
mod streams;

use keyward_client::{BudgetInput, ChatCompletionRequest, ChatMessage, CreateVirtualKey, NanoUsd, ResetDuration};

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
