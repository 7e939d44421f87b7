//! `keyward keys rotate`: new secrets for virtual keys, in steps when they are many.

use std::collections::BTreeMap;

use clap::Args;
use keyward_client::{RotateVirtualKeys, VirtualKey, VirtualKeyId, VirtualKeysRotated};

use super::super::confirmation::Confirmation;
use super::super::connection::Server;
use super::super::failure::{Exit, Failure};
use super::super::finding::find_all;
use super::super::output::{self, instant, plain};
use super::super::progress::Progress;
use super::{Which, named};

/// How many virtual keys one request rotates. What is lost with an answer that does not come is lost for these.
const STEP: usize = 50;

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// The virtual keys' names or ids
    #[arg(required_unless_present_any = ["all", "team", "customer", "search"])]
    #[arg(conflicts_with_all = ["all", "team", "customer", "search"])]
    keys: Vec<String>,
    /// Every virtual key
    #[arg(long, conflicts_with_all = ["team", "customer", "search"])]
    all: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Rotate {
    pub(super) async fn run(self, server: &Server) -> Result<(), Failure> {
        let keys = match self.keys.is_empty() {
            true => self.which.list(server).await?,
            false => find_all(server, &self.keys).await?,
        };
        if keys.is_empty() {
            return Err(Failure::new(Exit::NotFound, "there is no such virtual key"));
        }
        self.confirmation.ask(&format!("This gives new secrets to {}: the old ones stop working.", named(&keys)))?;
        // New secrets are told even if some of the work fails: nobody else knows them.
        let (rotated, failure) = in_steps(server, &keys).await;
        print(server, &rotated)?;
        match failure {
            Some(failure) => Err(failure),
            None if rotated.errors.is_empty() => Ok(()),
            None => Err(Failure::new(Exit::Failed, told(&rotated.errors))),
        }
    }
}

/// Rotates as many as it can, up to the first step that fails.
async fn in_steps(server: &Server, keys: &[VirtualKey]) -> (VirtualKeysRotated, Option<Failure>) {
    let (virtual_keys, errors) = (Vec::with_capacity(keys.len()), BTreeMap::new());
    let mut all = VirtualKeysRotated { message: String::new(), virtual_keys, errors };
    let progress = Progress::new(keys.len(), "virtual keys rotated");
    for step in keys.chunks(STEP) {
        let ids: Vec<VirtualKeyId> = step.iter().map(|key| key.id.clone()).collect();
        match server.call(server.client.virtual_keys_rotate(&RotateVirtualKeys { ids })).await {
            Ok(VirtualKeysRotated { message, virtual_keys, errors }) => {
                all.message = message;
                all.virtual_keys.extend(virtual_keys);
                all.errors.extend(errors);
            }
            Err(failure) => return (all, Some(failure)),
        }
        progress.advance(step.len());
    }
    (all, None)
}

fn print(server: &Server, rotated: &VirtualKeysRotated) -> Result<(), Failure> {
    if server.json {
        return output::json(rotated);
    }
    if rotated.virtual_keys.is_empty() {
        return Ok(());
    }
    let rows = rotated.virtual_keys.iter().map(|key| {
        let until = key.previous_value_expires_at.map_or("it has stopped".to_owned(), instant);
        [plain(&key.name), key.value.expose().to_owned(), until]
    });
    output::print(&output::table(["NAME", "NEW SECRET", "OLD SECRET WORKS UNTIL (UTC)"], rows))?;
    output::note("\nThe secrets are not shown again: keep them now.");
    Ok(())
}

fn told(errors: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = errors.iter().map(|(id, why)| format!("\n  {id}: {}", plain(why))).collect();
    format!("not rotated:{}", lines.concat())
}
