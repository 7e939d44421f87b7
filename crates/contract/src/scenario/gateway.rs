//! The gateway: what it refuses before anybody is asked, on any server; and every dialect, on a server that was made for the run.

mod dialects;
mod kept;
mod requests;

use serde_json::{Value, json};

use crate::call::{Call, text};
use crate::run::{Run, Stop};

use super::{Ground, resources};

pub(super) use dialects::dialects;

/// The operation that refusals are tried at.
const CHAT: &str = "chat_completion_create";

/// Requests that never leave the server: whatever they cost is refused first.
pub(super) async fn refusals(run: &mut Run, ground: &Ground) -> Result<(), Stop> {
    without_key(run).await;
    run.probe(Call::to("model_list").virtual_key(&ground.secret), 200).await;
    run.probe(Call::to(CHAT).virtual_key(&ground.secret).text("{", "application/json"), 400).await;
    run.probe(Call::to(CHAT).virtual_key(&ground.secret).endless(), 413).await;
    let model = format!("{}/none", ground.provider);
    priced(run, ground).await?;
    let poor = json!({ "budget": { "max_limit": 0.000_000_001, "reset_duration": "1d", "enforcement": "hard" } });
    let limit = json!({ "token_max_limit": 1, "token_reset_duration": "1d", "enforcement": "hard" });
    for (body, status, code) in [
        (poor, 402, "budget_exceeded"),
        (json!({ "rate_limit": limit }), 429, "token_limited"),
        (json!({ "provider_configs": [] }), 403, "provider_blocked"),
        (json!({ "is_active": false }), 403, "virtual_key_blocked"),
    ] {
        let key = key(run, body).await?;
        let reply = run.expect(Call::to(CHAT).virtual_key(&key).json(&chat(&model)), status).await?;
        if reply.code() != code {
            run.fail(CHAT, format!("{code} was due, and {} came", reply.code()));
        }
        if matches!(status, 402 | 429) && reply.json().pointer("/error/details/limit").is_none() {
            run.fail(CHAT, format!("{status} does not tell the limit"));
        }
    }
    Ok(())
}

/// Every operation wants a virtual key.
async fn without_key(run: &mut Run) {
    let [_, gateway] = run.contract.documents();
    for operation in gateway.operations().to_vec() {
        run.probe(super::everywhere::bare(&operation).anonymous(), 401).await;
    }
}

/// Gives the model of the run a price.
async fn priced(run: &mut Run, ground: &Ground) -> Result<(), Stop> {
    let mut price = resources::pricing_override(ground);
    let patch = json!({ "input_cost_per_token": 1, "output_cost_per_token": 1 });
    if let Some(body) = price.body.as_object_mut() {
        body.insert("patch".to_owned(), patch);
    }
    price.make(run).await.map(drop)
}

/// The secret of a new virtual key.
async fn key(run: &mut Run, body: Value) -> Result<String, Stop> {
    let mut kind = resources::virtual_key();
    kind.body = body;
    Ok(text(&kind.make(run).await?.value, "/value"))
}

fn chat(model: &str) -> Value {
    json!({ "model": model, "max_tokens": 5, "messages": [{ "role": "user", "content": "Say hi" }] })
}
