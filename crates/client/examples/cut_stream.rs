//! Reads two pieces of a streamed answer and hangs up, then shows what the server makes of it: one charge for what was used.
//!
//! Start a server with `keyward demo`, then: `cargo run -p keyward-client --example cut_stream`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and reads its own environment"
)]

use std::error::Error;
use std::time::Duration;

use keyward_client::{
    BudgetInput, ChatCompletionRequest, ChatMessage, Client, CreateVirtualKey, NanoUsd, Patch, TryStreamExt,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("KEYWARD_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let keyward = Client::builder().base_url(&url).build()?;
    let request = CreateVirtualKey {
        // Names are unique; the example may run more than once.
        name: format!("cut stream {}", std::process::id()),
        budget: Patch::Value(BudgetInput::new("0.10".parse()?, "1d".parse()?)),
        ..CreateVirtualKey::default()
    };
    let key = keyward.virtual_key_create(&request).await?.virtual_key;
    let application = keyward.with_virtual_key(key.value.expose())?;

    let question = ChatCompletionRequest {
        model: "demo/echo".to_owned(),
        messages: vec![ChatMessage::user("Please count slowly: one two three four five six seven eight nine ten.")],
        ..ChatCompletionRequest::default()
    };
    let mut stream = application.chat_completion_stream(&question).await?;
    let mut texts = 0;
    while let Some(piece) = stream.try_next().await? {
        for text in piece.choices.iter().filter_map(|choice| choice.delta.content.as_deref()) {
            println!("{text:?}");
            texts += 1;
        }
        if texts >= 2 {
            break;
        }
    }
    // Dropping the stream hangs up. The server reads the rest for its usage, and charges that once.
    drop(stream);
    println!("the cut stream cost {} USD", charged(&application).await?);
    Ok(())
}

/// What the key has used, as soon as the stream is settled.
async fn charged(application: &Client) -> Result<NanoUsd, Box<dyn Error>> {
    for _ in 0..100 {
        let quota = application.virtual_key_quota().await?;
        let used = quota.budgets.first().ok_or("the key has lost its budget")?.current_usage;
        if used > NanoUsd::ZERO {
            return Ok(used);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("nothing was charged within ten seconds".into())
}
