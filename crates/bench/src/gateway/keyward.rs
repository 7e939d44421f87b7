//! Keyward with everything on: virtual keys in a team of a customer, budgets and rate limits on all four levels, the journal, the ledger
//! in a SQLite file, metrics. Its configuration is the one that is committed, with as many virtual keys as are asked for.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::program::{Program, filled, free_address, logged, version};
use super::subject::{Subject, Surroundings, refusals};
use crate::load;

const CONFIGURATION: &str = include_str!("../../peers/keyward.json");

/// The virtual key whose budget pays for nothing.
const POOR: usize = 0;
/// The virtual key that may ask once an hour.
const RARE: usize = 1;
/// The first of those that may do everything.
const FIRST: usize = 2;

/// Starts it on a fresh database.
pub(super) async fn start(
    binary: &Path,
    upstream: SocketAddr,
    virtual_keys: usize,
    around: &Surroundings<'_>,
) -> Result<Subject> {
    let file = around.directory.join("keyward.json");
    fs::write(&file, configuration(upstream, virtual_keys)?.to_string())?;
    let address = free_address()?;
    let database = format!("sqlite://{}", around.directory.join("keyward.db").display());
    let mut command = logged(binary, &around.logs.join("keyward.log"))?;
    command
        .args(["serve", "--config"])
        .arg(file)
        .current_dir(around.directory)
        .env("KEYWARD_LISTEN", address.to_string())
        .env("DATABASE_URL", database)
        .env("KEYWARD_ROOT_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .env("KEYWARD_ADMIN_USERNAME", "bench")
        .env("KEYWARD_ADMIN_PASSWORD", "not-a-real-password")
        .env("KEYWARD_LOG", "info,actix_server=warn")
        .env("KEYWARD_LOG_FORMAT", "json");
    let mut program = Program::new(around.cores.start_gateway(&mut command)?);
    program.listens(address).await?;
    let keys: Vec<_> = (FIRST..virtual_keys).map(value).collect();
    let mut subject = Subject::gateway("keyward", version(binary, "--version")?, address, &keys);
    subject.refusals.push(("402", refusals(address, &value(POOR), 402)));
    // Its one request of the hour.
    load::once(address, &refusals(address, &value(RARE), 200)).await?;
    subject.refusals.push(("429", refusals(address, &value(RARE), 429)));
    Ok(subject.run_by(Rc::new(program)))
}

fn configuration(upstream: SocketAddr, virtual_keys: usize) -> Result<Value> {
    let mut all: Value = serde_json::from_str(&filled(CONFIGURATION, &[("upstream", &upstream.to_string())])?)?;
    let keys = all.pointer_mut("/governance/virtual_keys").and_then(Value::as_array_mut);
    let keys = keys.context("the configuration has no virtual keys")?;
    let one = keys.pop().context("the configuration has no virtual key")?;
    for number in 0..virtual_keys {
        let mut key = one.clone();
        let members = key.as_object_mut().context("a virtual key is an object")?;
        let name = format!("key-{number}");
        members.extend([
            ("id".to_owned(), json!(name)),
            ("name".to_owned(), json!(name)),
            ("value".to_owned(), json!(value(number))),
        ]);
        if number == POOR {
            members.insert("budget".to_owned(), json!({ "max_limit": 0.001, "reset_duration": "1M" }));
        }
        if number == RARE {
            let once = json!({ "request_max_limit": 1, "request_reset_duration": "1h" });
            members.insert("rate_limit".to_owned(), once);
        }
        keys.push(key);
    }
    Ok(all)
}

/// The secret of a virtual key.
fn value(number: usize) -> String {
    format!("sk-bf-00000000-0000-4000-8000-{number:012}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_virtual_key_has_four_levels_and_a_secret_of_its_own() {
        let all = configuration(SocketAddr::from(([127, 0, 0, 1], 1)), 10).unwrap();
        let governance = &all["governance"];
        let keys = governance["virtual_keys"].as_array().unwrap();
        let secrets: BTreeSet<_> = keys.iter().map(|key| key["value"].as_str().unwrap()).collect();
        assert_eq!(secrets.len(), 10);
        let key = &keys[FIRST];
        for level in [&governance["customers"][0], &governance["teams"][0], key, &key["provider_configs"][0]] {
            assert!(level["budget"].is_object() && level["rate_limit"].is_object());
        }
        assert_eq!(governance["teams"][0]["customer_id"], governance["customers"][0]["id"]);
        assert_eq!(key["team_id"], governance["teams"][0]["id"]);
    }
}
