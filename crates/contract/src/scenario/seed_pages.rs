//! The two seed pages: a virtual key with everything it can have is answered with every member of theirs.

use serde_json::{Value, json};

use crate::call::{Call, text};
use crate::run::{Run, Stop};
use crate::seeds;

use super::resource::NOBODY;
use super::{Ground, resources};

pub(super) async fn play(run: &mut Run, ground: &Ground) -> Result<(), Stop> {
    let team = resources::team().make(run).await?.id;
    let client = resources::mcp_client().make(run).await?.name;
    let mut key = resources::provider_key(ground);
    key.body = clouds();
    let key = key.make(run).await?.id;
    let mut kind = resources::virtual_key();
    kind.body = dressed(&team, &client, ground, &key);
    let made = kind.make(run).await?;
    compare(run, "virtual_key_create", &made.reply.json(), seeds::CREATED, &[]);
    let read = run.expect(kind.one("get", &made.id), 200).await?.json();
    compare(run, "virtual_key_get", &read, seeds::READ, &seeds::NOT_OF_A_TEAMS_KEY);
    let refused = run.expect(kind.one("get", NOBODY), 404).await?.json();
    compare(run, "virtual_key_get", &refused, seeds::ERROR, &[]);
    example(run).await
}

/// A provider key with a setting for each of the pages' members.
fn clouds() -> Value {
    let seed: Value = serde_json::from_str(seeds::CREATED).unwrap_or_default();
    let members = seed.pointer("/virtual_key/provider_configs/0/keys/0").and_then(Value::as_object).cloned();
    let mut body = json!({ "value": "no-real-secret", "aliases": { "gpt-4o": "gpt-4o-deployment" } });
    for name in members.into_iter().flatten().map(|(name, _)| name) {
        let is_of_a_cloud = ["azure_", "vertex_", "bedrock_"].iter().any(|cloud| name.starts_with(cloud));
        let text = if name == "azure_endpoint" { "https://azure.invalid" } else { "no-real-setting" };
        if let (true, Some(body)) = (is_of_a_cloud, body.as_object_mut()) {
            body.insert(name, json!({ "value": text, "env_var": "", "from_env": false }));
        }
    }
    body
}

/// A virtual key with everything that it can have.
fn dressed(team: &str, mcp_client: &str, ground: &Ground, key: &str) -> Value {
    let budget = json!({ "max_limit": 1, "reset_duration": "1d" });
    let limit = json!({
        "token_max_limit": 1000, "token_reset_duration": "1m", "request_max_limit": 10, "request_reset_duration": "1m",
    });
    let config = json!({
        "provider": ground.provider, "allowed_models": ["none"], "key_ids": [key], "budget": budget, "rate_limit": limit,
    });
    json!({
        "description": "for the seed pages", "team_id": team, "budget": budget, "rate_limit": limit,
        "provider_configs": [config], "mcp_configs": [{ "mcp_client_name": mcp_client, "tools_to_execute": ["read"] }],
    })
}

/// What is missing is excepted, and what is excepted is missing.
fn compare(run: &mut Run, operation: &str, answer: &Value, seed: &str, excepted: &[&str]) {
    let missing = seeds::missing(answer, &serde_json::from_str(seed).unwrap_or_default());
    for path in &missing {
        if !excepted.contains(&path.as_str()) {
            run.fail(operation, format!("{path} of the seed page is not in the answer"));
        }
    }
    for path in excepted.iter().filter(|path| !missing.iter().any(|missing| missing == *path)) {
        run.fail(operation, format!("{path} is excepted from the seed page, and is there"));
    }
}

/// The create page's own example, with a name of the run's.
async fn example(run: &mut Run) -> Result<(), Stop> {
    let name = run.name("virtual_key");
    let made = run.expect(Call::to("virtual_key_create").json(&json!({ "name": name })), 200).await?.json();
    let id = text(&made, "/virtual_key/id");
    run.remember(Call::to("virtual_key_delete").at([("vk_id", id.as_str())]));
    Ok(())
}
