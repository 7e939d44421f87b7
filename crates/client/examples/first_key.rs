//! Makes a virtual key that may spend one cent a day, asks a question with it, and shows what the answer cost.
//!
//! Start a server with `keyward demo`, then: `cargo run -p keyward-client --example first_key`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and reads its own environment"
)]

use std::error::Error;

use keyward_client::{
    BudgetInput, ChatCompletionRequest, ChatMessage, Client, CreateVirtualKey, NanoUsd, Patch, ResetDuration,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("KEYWARD_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let keyward = Client::builder().base_url(&url).build()?;

    let one_cent: NanoUsd = "0.01".parse()?;
    let daily: ResetDuration = "1d".parse()?;
    let request = CreateVirtualKey {
        // Names are unique; the example may run more than once.
        name: format!("first key {}", std::process::id()),
        budget: Patch::Value(BudgetInput::new(one_cent, daily)),
        ..CreateVirtualKey::default()
    };
    let key = keyward.virtual_key_create(&request).await?.virtual_key;
    println!("made the virtual key {:?}", key.name);

    let application = keyward.with_virtual_key(key.value.expose())?;
    let question = ChatCompletionRequest {
        model: "demo/echo".to_owned(),
        messages: vec![ChatMessage::user("What does this cost?")],
        max_completion_tokens: Some(100),
        ..ChatCompletionRequest::default()
    };
    let answer = application.chat_completion_create(&question).await?;
    for text in answer.choices.iter().filter_map(|choice| choice.message.content.as_ref()?.as_str()) {
        println!("{} says: {text}", answer.model);
    }

    for budget in application.virtual_key_quota().await?.budgets {
        let until = budget.resets_at.map(|end| format!(", until {end}")).unwrap_or_default();
        println!("{} of {} USD used{until}", budget.current_usage, budget.max_limit);
    }
    Ok(())
}
