//! What only virtual keys have: secrets that are rotated and shown, what is left to them, and budgets that are raised.

use serde_json::{Value, json};

use crate::call::{Call, text};
use crate::run::{Run, Stop, id_of};

use super::Ground;
use super::resource::NOBODY;

pub(super) async fn play(run: &mut Run, ground: &Ground) -> Result<(), Stop> {
    let own = [("vk_id", ground.key.as_str())];
    let _ = quota(run, ground).await;
    let _ = explain(run, ground).await;
    let _ = overrides(run).await;
    for operation in ["virtual_key_copy", "virtual_key_reveal"] {
        run.probe(Call::to(operation).at(own), 200).await;
        run.probe(Call::to(operation).at([("vk_id", NOBODY)]), 404).await;
    }
    run.probe(Call::to("virtual_keys_rotate").json(&json!({ "ids": [NOBODY] })), 404).await;
    let other = super::resources::virtual_key().make(run).await?;
    let rotated = run.expect(Call::to("virtual_keys_rotate").json(&json!({ "ids": [other.id, NOBODY] })), 200).await?;
    let rotated = rotated.json();
    let keys = rotated.get("virtual_keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_rotated = keys.iter().any(|key| id_of(key, "/id").as_ref() == Some(&other.id));
    if !is_rotated || rotated.pointer(&format!("/errors/{NOBODY}")).is_none() {
        run.fail("virtual_keys_rotate", "it does not tell what became of each key");
    }
    Ok(())
}

async fn quota(run: &mut Run, ground: &Ground) -> Result<(), Stop> {
    run.expect(Call::to("virtual_key_quota").virtual_key(&ground.secret), 200).await?;
    Ok(())
}

async fn explain(run: &mut Run, ground: &Ground) -> Result<(), Stop> {
    let model = format!("{}/none", ground.provider);
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] });
    let asked = |key: &str| Call::to("request_explain").json(&json!({ "virtual_key_id": key, "body": body }));
    run.probe(asked(NOBODY), 404).await;
    run.expect(asked(&ground.key), 200).await?;
    Ok(())
}

/// A budget of a virtual key of its own is raised, and lowered again.
async fn overrides(run: &mut Run) -> Result<(), Stop> {
    let (set, remove) = ("budget_override_set", "budget_override_remove");
    let mut kind = super::resources::virtual_key();
    kind.body = json!({ "budget": { "max_limit": 1, "reset_duration": "1d" } });
    let made = kind.make(run).await?;
    let budget = text(&made.value, "/budgets/0/id");
    let at = |budget: &str| Call::to(set).at([("vk_id", made.id.as_str()), ("budget_id", budget)]);
    let off = |budget: &str| Call::to(remove).at([("vk_id", made.id.as_str()), ("budget_id", budget)]);
    let body = json!({ "amount": 2, "mode": "forever" });
    let raised = run.expect(at(&budget).json(&body), 200).await?.json();
    if raised.pointer("/effective_max_limit").and_then(Value::as_f64) != Some(3.0) {
        run.fail(set, "the cap is not what the budget and its override come to");
    }
    run.probe(at(NOBODY).json(&body), 404).await;
    run.probe(off(NOBODY), 404).await;
    run.expect(off(&budget), 200).await?;
    Ok(())
}
