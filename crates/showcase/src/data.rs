//! A data set that fills every page of the dashboard: 200 virtual keys of several customers and teams, and 90 days of what they did.
//!
//! It is the same in every run but for where it lies in time: it ends at the instant that it is told. Books add up: what budgets have
//! counted is the sum of the entries, and what did not fit was refused.

use anyhow::Result;
use jiff::Timestamp;
use keyward_core::event::{Endpoint, EventPolicy, Thresholds};
use keyward_store::Store;

mod chance;
pub mod hostile;
mod maker;
mod managers;
mod organisation;
mod providers;
mod refused;
mod traffic;
mod virtual_keys;

use chance::Chance;
use maker::Maker;

/// How many virtual keys there are.
pub const VIRTUAL_KEYS: usize = 200;
/// How long ago the first request was, in days.
const DAYS: i64 = 90;
/// How many requests there are.
const REQUESTS: i64 = 30_000;

/// Who is told when usage comes near to a cap: somebody whom no server knows any more.
fn told() -> EventPolicy {
    let endpoint = Endpoint { id: "hooks".into(), origin: "https://hooks.example.com".to_owned(), events: None };
    EventPolicy { thresholds: Thresholds::default(), endpoints: vec![endpoint] }
}

/// Fills an empty database that no server uses.
///
/// # Errors
/// Faults of the database, and a data set that it refuses.
pub async fn fill(store: &Store, now: Timestamp) -> Result<()> {
    let store = &store.clone().announcing(told());
    let mut maker = Maker::new(store, now, Chance::new())?;
    let providers = providers::make(&mut maker).await?;
    let organisation = organisation::make(&mut maker).await?;
    let keys = virtual_keys::make(&mut maker, &organisation).await?;
    let limits = providers::limit(&mut maker, &organisation).await?;
    virtual_keys::edit(&mut maker, &keys).await?;
    let world = traffic::World { providers, organisation, keys, limits };
    traffic::write(&mut maker, &world).await?;
    managers::make(&mut maker, &world.organisation).await
}
