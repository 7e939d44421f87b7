//! What providers keep: files, batches and responses, from their making to their end.

use serde_json::json;

use crate::call::{Call, text};
use crate::run::{Run, Stop};

use super::requests;

/// One line of a batch.
const LINE: &str = "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\
                    \"body\":{\"model\":\"gpt-4o-mini\",\"messages\":[]}}";

/// Every operation about what is kept that has this suffix.
pub(super) async fn play(run: &mut Run, key: &str, suffix: &str) -> Result<(), Stop> {
    let _ = responses(run, key, suffix).await;
    let _ = files(run, key, suffix).await;
    let _ = batches(run, key, suffix).await;
    message_batches(run, key, suffix).await
}

async fn responses(run: &mut Run, key: &str, suffix: &str) -> Result<(), Stop> {
    let create = format!("response_create{suffix}");
    let body = json!({ "model": "openai/gpt-4o-mini", "input": "Hi" });
    let id = made(run, Call::to(&create).json(&body), key).await?;
    about(
        run,
        key,
        suffix,
        &id,
        &["response_retrieve", "response_input_item_list", "response_cancel", "response_remove"],
    )
    .await
}

async fn files(run: &mut Run, key: &str, suffix: &str) -> Result<(), Stop> {
    let id = made(run, upload(suffix, "user_data", "any thing"), key).await?;
    about(run, key, suffix, &id, &["file_retrieve", "file_content", "file_remove"]).await
}

async fn batches(run: &mut Run, key: &str, suffix: &str) -> Result<(), Stop> {
    let file = made(run, upload(suffix, "batch", LINE), key).await?;
    let body = json!({ "input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h" });
    let id = made(run, Call::to(&format!("batch_begin{suffix}")).json(&body), key).await?;
    about(run, key, suffix, &id, &["batch_retrieve", "batch_cancel"]).await
}

async fn message_batches(run: &mut Run, key: &str, suffix: &str) -> Result<(), Stop> {
    let params = json!({ "model": "anthropic/claude-haiku-4-5", "max_tokens": 5, "messages": [] });
    let body = json!({ "requests": [{ "custom_id": "a", "params": params }] });
    let id = made(run, Call::to(&format!("message_batch_begin{suffix}")).json(&body), key).await?;
    about(run, key, suffix, &id, &["message_batch_retrieve", "message_batch_results", "message_batch_cancel"]).await
}

fn upload(suffix: &str, purpose: &str, content: &str) -> Call {
    let call = Call::to(&format!("file_create{suffix}"));
    requests::parts(call, &[("purpose", purpose)], ("file", "f.jsonl", content))
}

/// The id of what a request makes.
async fn made(run: &mut Run, call: Call, key: &str) -> Result<String, Stop> {
    let reply = run.expect(call.virtual_key(key), 200).await?;
    Ok(text(&reply.json(), "/id"))
}

/// Asks for one thing in each of these ways.
async fn about(run: &mut Run, key: &str, suffix: &str, id: &str, operations: &[&str]) -> Result<(), Stop> {
    for operation in operations {
        let call = Call::to(&format!("{operation}{suffix}")).at([("id", id)]);
        run.expect(call.virtual_key(key), 200).await?;
    }
    Ok(())
}
