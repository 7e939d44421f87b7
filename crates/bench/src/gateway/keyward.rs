//! Keyward with everything on: virtual keys in a team of a customer, budgets and rate limits on all four levels, the journal, the ledger
//! in a SQLite file, metrics.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;

use super::subject::{Subject, refusals};
use crate::load;
use crate::rig::{FIRST, Keys, Keyward, POOR, RARE, Surroundings, configuration, secret, version};

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts it on a fresh database.
pub(super) async fn start(
    binary: &Path,
    upstream: SocketAddr,
    virtual_keys: usize,
    around: Surroundings<'_>,
) -> Result<Subject> {
    let configuration = configuration(upstream, Keys::Governed(virtual_keys))?;
    let started = Keyward::new(binary, "keyward", around).start(Some(&configuration), PATIENCE).await?;
    let address = started.address;
    let keys: Vec<_> = (FIRST..virtual_keys).map(secret).collect();
    let mut subject = Subject::gateway("keyward", version(binary, "--version")?, address, &keys);
    subject.refusals.push(("402", refusals(address, &secret(POOR), 402)));
    // Its one request of the hour.
    load::once(address, &refusals(address, &secret(RARE), 200)).await?;
    subject.refusals.push(("429", refusals(address, &secret(RARE), 429)));
    Ok(subject.run_by(Rc::new(started.program)))
}
