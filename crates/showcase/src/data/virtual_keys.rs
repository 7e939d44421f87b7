//! Virtual keys of every kind.

use anyhow::Result;
use jiff::SignedDuration;
use keyward_core::virtual_key::VirtualKey;
use serde_json::{Value, json};

use super::maker::Maker;
use super::organisation::Organisation;
use super::{VIRTUAL_KEYS, hostile, providers};

const PURPOSES: [&str; 10] =
    ["chat", "summaries", "nightly-batch", "triage", "evals", "ingest", "agents", "notebook", "ci", "translations"];
const STAGES: [&str; 3] = ["prod", "staging", "dev"];
/// Caps for a month, in US dollars.
const CAPS: [&str; 6] = ["0.75", "5", "12.50", "40", "150", "500"];
/// The first virtual key that has the name of an attacker.
const HOSTILE: usize = 40;

pub(super) async fn make(maker: &mut Maker<'_>, organisation: &Organisation) -> Result<Vec<VirtualKey>> {
    let mut keys = Vec::with_capacity(VIRTUAL_KEYS);
    for number in 0..VIRTUAL_KEYS {
        let request = request(maker, organisation, number)?;
        keys.push(maker.virtual_key(request).await?);
    }
    Ok(keys)
}

/// Some of them are edited later.
pub(super) async fn edit(maker: &mut Maker<'_>, keys: &[VirtualKey]) -> Result<()> {
    for (number, key) in keys.iter().step_by(23).enumerate() {
        let description = format!("Looked through in round {number}");
        maker.edit_virtual_key(key, json!({ "description": description })).await?;
    }
    Ok(())
}

fn request(maker: &mut Maker<'_>, organisation: &Organisation, number: usize) -> Result<Value> {
    let mut request = json!({
        "name": name(number),
        "description": if number.is_multiple_of(3) { "Made for the dashboards of the platform team" } else { "" },
        "is_active": number % 17 != 5,
        "metadata": { "stage": of(&STAGES, number), "cost-center": format!("CC-{:03}", number % 40) },
    });
    let mut set = |member: &str, value: Value| {
        if let Some(members) = request.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
    };
    match number % 10 {
        0..=6 => set("team_id", json!(organisation.teams.get(number % 12).map(|team| &team.id))),
        7 | 8 => set("customer_id", json!(organisation.customers.get(number % 5).map(|one| &one.id))),
        _ => {}
    }
    if number % 4 != 3 {
        let monthly = json!({ "max_limit": of(&CAPS, number).parse::<f64>()?, "reset_duration": "1M" });
        let daily = json!({ "max_limit": 25, "reset_duration": "1d" });
        set("budgets", if number.is_multiple_of(8) { json!([monthly, daily]) } else { json!([monthly]) });
    }
    if number.is_multiple_of(5) {
        set(
            "rate_limit",
            json!({ "request_max_limit": 120, "request_reset_duration": "1m",
            "token_max_limit": 400_000, "token_reset_duration": "1h" }),
        );
    }
    if number % 6 == 1 {
        set("provider_configs", configs());
    }
    match number % 23 {
        11 => set("expires_at", json!(maker.ago(SignedDuration::from_hours(24 * 6))?.to_string())),
        14 => set("expires_at", json!(maker.ago(SignedDuration::from_hours(-24 * 3))?.to_string())),
        _ => {}
    }
    if let Some(text) = hostile_text(number) {
        set("description", json!(text));
        set("metadata", json!({ "note": text }));
    }
    Ok(request)
}

fn configs() -> Value {
    json!([
        { "provider": "openai", "weight": 0.7, "allowed_models": ["gpt-4.1", "gpt-4.1-mini"],
          "budget": { "max_limit": 200, "reset_duration": "1M" } },
        { "provider": "anthropic", "weight": 0.3 },
        { "provider": providers::OWN, "weight": null },
    ])
}

fn name(number: usize) -> String {
    match hostile_text(number) {
        Some(text) => text.to_owned(),
        None if number == HOSTILE + hostile::ALL.len() => hostile::endless(),
        None => format!("{}-{}-{number:03}", of(&PURPOSES, number), of(&STAGES, number)),
    }
}

/// Some in the middle have the names of attackers: neither those that ask most, which pictures begin with, nor those that never ask.
fn hostile_text(number: usize) -> Option<&'static str> {
    hostile::ALL.get(number.checked_sub(HOSTILE)?).copied()
}

/// One of a list, round and round.
fn of<const N: usize>(list: &[&'static str; N], number: usize) -> &'static str {
    list.get(number % N).copied().unwrap_or_default()
}
