//! The gateway's door for MCP: one message is answered in events, and what is no message is refused.

use serde_json::json;

use crate::call::{Call, text};
use crate::run::{Run, Stop};

use super::resources;

const MESSAGE: &str = "mcp_message_create";
const BOTH: &str = "application/json, text/event-stream";

pub(super) async fn play(run: &mut Run) -> Result<(), Stop> {
    let key = text(&resources::virtual_key().make(run).await?.value, "/value");
    let message = |value: serde_json::Value| Call::to(MESSAGE).virtual_key(&key).json(&value);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    run.probe(message(list.clone()).header("accept", BOTH), 200).await;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    run.probe(message(note).header("accept", BOTH), 202).await;
    run.probe(message(list.clone()).header("accept", "text/html"), 406).await;
    let plain = Call::to(MESSAGE).virtual_key(&key).text(&list.to_string(), "text/plain").header("accept", BOTH);
    run.probe(plain, 415).await;
    run.probe(message(list).header("api-key", "sk-bf-another"), 400).await;
    Ok(())
}
