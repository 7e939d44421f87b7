//! Every operation of the gateway, in its own dialect, with a provider of the run behind it.

use serde_json::{Value, json};

use crate::call::{Call, text};
use crate::run::{Run, Stop};
use crate::upstream::Upstream;

use super::{kept, key, requests};

/// The providers whose dialects the gateway speaks.
const PROVIDERS: [&str; 4] = ["openai", "anthropic", "gemini", "azure"];
/// Every model that is asked for.
const MODELS: [&str; 11] = [
    "gpt-4o-mini",
    "gpt-3.5-turbo-instruct",
    "text-embedding-3-small",
    "omni-moderation-latest",
    "tts-1",
    "gpt-4o-mini-transcribe",
    "whisper-1",
    "gpt-image-1",
    "claude-haiku-4-5",
    "gemini-2.5-flash",
    "gemini-embedding-001",
];
/// What costs nothing, so that no budget keeps it.
const FREE: [&str; 3] = ["moderation_create", "message_count_tokens", "content_count_tokens"];

/// Asks for everything once, and again with keys whose limits are used up.
pub(in super::super) async fn dialects(run: &mut Run) -> Result<(), Stop> {
    let upstream = match Upstream::start().await {
        Ok(upstream) => upstream,
        Err(error) => {
            run.fail(super::CHAT, format!("no upstream can be started: {error}"));
            return Err(Stop);
        }
    };
    for provider in PROVIDERS {
        made(run, provider, upstream.url()).await?;
    }
    priced(run).await?;
    let all = key(run, json!({ "provider_configs": configs() })).await?;
    let budget = json!({ "max_limit": 0.000_000_001, "reset_duration": "1d" });
    let poor = key(run, json!({ "provider_configs": configs(), "budget": budget })).await?;
    let limit = json!({ "request_max_limit": 1, "request_reset_duration": "1d" });
    let limited = key(run, json!({ "provider_configs": configs(), "rate_limit": limit })).await?;
    let chat = Call::to(super::CHAT).json(&super::chat("openai/gpt-4o-mini"));
    run.expect(chat.virtual_key(&limited), 200).await?;
    for (operation, base) in operations(run) {
        if let Some(call) = requests::of(&operation, &base) {
            run.probe(call.clone().virtual_key(&all), 200).await;
            run.probe(call.clone().virtual_key(&limited), 429).await;
            if !FREE.contains(&base.as_str()) {
                run.probe(call.virtual_key(&poor), 402).await;
            }
        }
        if let Some(call) = requests::streamed(&operation, &base) {
            run.probe(call.virtual_key(&all), 200).await;
        }
        if let Some(call) = listed(&operation, &base) {
            run.probe(call.virtual_key(&all), 200).await;
        }
    }
    for suffix in ["", "_alias"] {
        let _ = kept::play(run, &all, suffix).await;
    }
    Ok(())
}

/// Every operation of the gateway, and its id without the number of an alias.
fn operations(run: &Run) -> Vec<(String, String)> {
    let [_, gateway] = run.contract.documents();
    let ids = gateway.operations().iter().map(|operation| operation.id.clone());
    ids.map(|id| (id.clone(), id.split("_alias").next().unwrap_or_default().to_owned())).collect()
}

/// What a virtual key may use, and what it has kept somewhere.
fn listed(operation: &str, base: &str) -> Option<Call> {
    let call = Call::to(operation);
    match base {
        "model_retrieve" => Some(call.at([("model", "openai/gpt-4o-mini")])),
        "anthropic_model_retrieve" => Some(call.at([("model", "claude-haiku-4-5")])),
        "gemini_model_retrieve" => Some(call.at([("model", "gemini-2.5-flash")])),
        _ => base.ends_with("_list").then_some(call).filter(|_| base != "response_input_item_list"),
    }
}

/// All providers. A model without a provider's name is Azure's: deployments have none.
fn configs() -> Value {
    let config = |provider: &str| match provider {
        "azure" => json!({ "provider": provider, "allowed_models": MODELS }),
        _ => json!({ "provider": provider }),
    };
    PROVIDERS.map(config).into_iter().collect()
}

/// Gives everything a price, also what the catalogue does not have.
async fn priced(run: &mut Run) -> Result<(), Stop> {
    let patch = json!({
        "input_cost_per_token": 0.001, "output_cost_per_token": 0.001, "input_cost_per_audio_token": 0.001,
        "input_cost_per_image_token": 0.001, "output_cost_per_image_token": 0.001, "input_cost_per_character": 0.001,
        "input_cost_per_second": 0.001, "output_cost_per_image": 0.001,
    });
    let kinds = json!([
        "text_completion",
        "embedding",
        "speech",
        "transcription",
        "image_generation",
        "image_variation",
        "image_edit"
    ]);
    let body = json!({
        "name": run.name("pricing_override"), "scope_kind": "global", "match_type": "wildcard", "pattern": "*",
        "request_types": kinds, "patch": patch,
    });
    let made = run.expect(Call::to("pricing_override_create").json(&body), 201).await?.json();
    let id = text(&made, "/pricing_override/id");
    run.remember(Call::to("pricing_override_delete").at([("override_id", id.as_str())]));
    Ok(())
}

/// Makes a provider with a key.
async fn made(run: &mut Run, provider: &str, url: &str) -> Result<(), Stop> {
    let mut key = json!({ "name": run.name("provider_key"), "value": "no-real-secret", "models": MODELS });
    let mut body = json!({ "name": provider, "network_config": { "base_url": url } });
    if provider == "azure" {
        set(&mut key, "azure_key_config", json!({ "endpoint": url, "api_version": "2024-10-21" }));
        set(&mut body, "network_config", json!({}));
    }
    set(&mut body, "keys", json!([key]));
    run.expect(Call::to("provider_create").json(&body), 200).await?;
    run.remember(Call::to("provider_delete").at([("provider", provider)]));
    Ok(())
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
