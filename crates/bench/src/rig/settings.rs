//! Keyward's configuration: the one that is committed, with as many virtual keys as are asked for, each with the limits that are wanted.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::program::filled;

const CONFIGURATION: &str = include_str!("../../peers/keyward.json");

/// The virtual key whose budget pays for nothing.
pub(crate) const POOR: usize = 0;
/// The virtual key that may ask once an hour.
pub(crate) const RARE: usize = 1;
/// The virtual key that may have one request at a time.
pub(crate) const LONE: usize = 2;
/// The first of those that may do everything.
pub(crate) const FIRST: usize = 3;

/// Which virtual keys a configuration has.
#[derive(Clone, Copy)]
pub(crate) enum Keys {
    /// So many, with budgets and limits of their own and of their provider configs. The first ones are refused something each.
    Governed(usize),
    /// None: they are made later.
    None,
    /// One whose requests so many meters count, all of them its own; its team has none.
    Metered(usize),
}

/// The configuration before an upstream.
pub(crate) fn configuration(upstream: SocketAddr, keys: Keys) -> Result<Value> {
    let mut all: Value = serde_json::from_str(&filled(CONFIGURATION, &[("upstream", &upstream.to_string())])?)?;
    let governance = all.pointer_mut("/governance").and_then(Value::as_object_mut);
    let governance = governance.context("the configuration governs nothing")?;
    if let Keys::Metered(_) = keys {
        unlimited(governance, "customers")?;
        unlimited(governance, "teams")?;
    }
    let listed = governance.get_mut("virtual_keys").and_then(Value::as_array_mut);
    let listed = listed.context("the configuration has no virtual keys")?;
    let one = listed.pop().context("the configuration has no virtual key")?;
    let count = match keys {
        Keys::Governed(count) => count,
        Keys::None => 0,
        Keys::Metered(_) => 1,
    };
    for number in 0..count {
        let mut key = one.as_object().context("a virtual key is an object")?.clone();
        limit(&mut key, keys, number);
        let name = format!("key-{number}");
        key.insert("id".to_owned(), json!(name));
        key.insert("name".to_owned(), json!(name));
        key.insert("value".to_owned(), json!(secret(number)));
        listed.push(Value::Object(key));
    }
    Ok(all)
}

/// Gives a virtual key the limits that it should have.
fn limit(key: &mut Map<String, Value>, keys: Keys, number: usize) {
    let mut set = |name: &str, value: Value| key.insert(name.to_owned(), value);
    match keys {
        Keys::Governed(_) => match number {
            POOR => _ = set("budget", json!({ "max_limit": 0.001, "reset_duration": "1M" })),
            RARE => _ = set("rate_limit", json!({ "request_max_limit": 1, "request_reset_duration": "1h" })),
            LONE => _ = set("max_parallel_requests", json!(1)),
            _ => {}
        },
        Keys::None => {}
        Keys::Metered(meters) => {
            key.retain(|name, _| name == "team_id");
            let budget = |hours: usize| json!({ "max_limit": 1_000_000_000, "reset_duration": format!("{hours}h") });
            let budgets: Vec<_> = (1..=meters).map(budget).collect();
            key.insert("budgets".to_owned(), Value::Array(budgets));
        }
    }
}

/// Takes the limits off the owners of a section.
fn unlimited(governance: &mut Map<String, Value>, section: &str) -> Result<()> {
    let owners = governance.get_mut(section).and_then(Value::as_array_mut);
    for owner in owners.context("the configuration lacks a section")? {
        let owner = owner.as_object_mut().context("an owner is an object")?;
        owner.retain(|name, _| !["budget", "rate_limit"].contains(&name.as_str()));
    }
    Ok(())
}

/// The secret of a virtual key.
pub(crate) fn secret(number: usize) -> String {
    format!("sk-bf-00000000-0000-4000-8000-{number:012}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn governance(keys: Keys) -> Value {
        configuration(SocketAddr::from(([127, 0, 0, 1], 1)), keys).unwrap()["governance"].clone()
    }

    #[test]
    fn every_governed_virtual_key_has_four_levels_and_a_secret_of_its_own() {
        let governance = governance(Keys::Governed(10));
        let keys = governance["virtual_keys"].as_array().unwrap();
        let secrets: BTreeSet<_> = keys.iter().map(|key| key["value"].as_str().unwrap()).collect();
        assert_eq!(secrets.len(), 10);
        let key = &keys[FIRST];
        for level in [&governance["customers"][0], &governance["teams"][0], key, &key["provider_configs"][0]] {
            assert!(level["budget"].is_object() && level["rate_limit"].is_object());
        }
        assert_eq!(governance["teams"][0]["customer_id"], governance["customers"][0]["id"]);
        assert_eq!(key["team_id"], governance["teams"][0]["id"]);
        assert_eq!(keys[LONE]["max_parallel_requests"], 1);
    }

    #[test]
    fn a_metered_key_has_so_many_meters_and_no_others() {
        let governance = governance(Keys::Metered(32));
        let key = &governance["virtual_keys"][0];
        let durations =
            key["budgets"].as_array().unwrap().iter().map(|budget| budget["reset_duration"].as_str().unwrap());
        assert_eq!(durations.collect::<BTreeSet<_>>().len(), 32);
        for other in [&governance["customers"][0], &governance["teams"][0], key] {
            assert!(other.get("budget").is_none() && other.get("rate_limit").is_none());
        }
    }
}
