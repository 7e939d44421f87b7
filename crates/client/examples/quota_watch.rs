//! Asks until a budget has no room, watches what is left after each answer, and says when to come back.
//!
//! Start a server with `keyward demo`, then: `cargo run -p keyward-client --example quota_watch`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and reads its own environment"
)]

use std::error::Error;

use keyward_client::{
    BudgetInput, ChatCompletionRequest, ChatMessage, Client, CreateVirtualKey, Patch, VirtualKeyQuota,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("KEYWARD_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let keyward = Client::builder().base_url(&url).build()?;
    let request = CreateVirtualKey {
        // Names are unique; the example may run more than once.
        name: format!("quota watch {}", std::process::id()),
        budget: Patch::Value(BudgetInput::new("0.005".parse()?, "1d".parse()?)),
        ..CreateVirtualKey::default()
    };
    let key = keyward.virtual_key_create(&request).await?.virtual_key;

    // From here on only what the holder of the virtual key may do.
    let application = Client::builder().base_url(&url).virtual_key(key.value.expose()).build()?;
    let question = ChatCompletionRequest {
        model: "demo/echo".to_owned(),
        messages: vec![ChatMessage::user("Is there something left?")],
        max_completion_tokens: Some(20),
        ..ChatCompletionRequest::default()
    };
    let refusal = loop {
        match application.chat_completion_create(&question).await {
            Ok(_) => show(&application.virtual_key_quota().await?),
            Err(error) => break error,
        }
    };

    let Some(limit) = refusal.refusal() else { return Err(refusal.into()) };
    println!("refused: {} USD of {} used, {} wanted", limit.used, limit.limit_value, limit.requested);
    match limit.resets_at {
        Some(instant) => println!("there is room again from {instant} on"),
        None => println!("this budget does not start anew"),
    }
    Ok(())
}

fn show(quota: &VirtualKeyQuota) {
    for budget in &quota.budgets {
        println!("{} of {} USD used", budget.current_usage, budget.max_limit);
    }
}
