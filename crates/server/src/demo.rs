//! Demo mode: a real server on a temporary database, with a simulated provider and a virtual key to try.

use std::net::SocketAddr;

use keyward_core::budget::BudgetInput;
use keyward_core::change::Change;
use keyward_core::duration::ResetDuration;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::money::NanoUsd;
use keyward_core::owner::{CreateCustomer, CreateTeam};
use keyward_core::provider::{CreateProviderKey, DEMO_PROVIDER, NetworkConfig, ProviderDraft};
use keyward_core::secret::VirtualKeyValue;
use keyward_core::virtual_key::{CreateVirtualKey, VirtualKey, VirtualKeyDraft};
use keyward_store::{Store, StoreError, StoreOptions};
use tempfile::TempDir;
use uuid::Uuid;

use crate::clock;
use crate::config::{Settings, sqlite_url};
use crate::server::{Server, ServerError};
use crate::state::editing;

pub mod simulator;

use simulator::Simulator;

/// What the demo's virtual key may spend in a day: one cent.
const BUDGET: NanoUsd = NanoUsd::from_nanos(10_000_000);

/// A demo that is running. Its data is gone when it stops.
pub struct Demo {
    server: Server,
    simulator: Simulator,
    key: VirtualKeyValue,
    _data: TempDir,
}

/// Why a demo did not run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No port or no temporary directory can be had.
    #[error("the demo's surroundings cannot be made")]
    Surroundings(#[from] std::io::Error),
    /// The demo's data cannot be written.
    #[error("the demo's data cannot be written")]
    Store(#[from] StoreError),
    /// The demo's data is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The server could not run.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl Demo {
    /// Starts the simulated provider and the server, with a customer, a team and a virtual key in place.
    ///
    /// # Errors
    /// Whatever keeps it from serving.
    pub async fn start(listen: SocketAddr) -> Result<Self, DemoError> {
        let simulator = Simulator::start()?;
        let data = tempfile::tempdir()?;
        let settings = Settings::new(listen, sqlite_url(data.path()));
        let key = seed(&settings.database_url, &simulator).await?;
        let server = Server::start(settings, None).await?;
        Ok(Self { server, simulator, key, _data: data })
    }

    /// Where the server listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What to try, as commands for a shell.
    #[must_use]
    pub fn guide(&self) -> String {
        let (url, key) = (format!("http://{}", self.address()), self.key.expose());
        format!(
            r#"Keyward demo: a virtual key with a budget of $0.01 a day, and a simulated provider (no model, no real money).

1. One call:
  curl -sS {url}/v1/chat/completions -H "Authorization: Bearer {key}" -d '{{"model":"demo/echo","messages":[{{"role":"user","content":"Hello, Keyward!"}}]}}'

2. One stream:
  curl -sSN {url}/v1/chat/completions -H "Authorization: Bearer {key}" -d '{{"model":"demo/echo","stream":true,"messages":[{{"role":"user","content":"Hello, stream!"}}]}}'

3. What is left of the budget:
  curl -sS {url}/api/governance/virtual-keys/quota -H "x-bf-vk: {key}"

4. Until the money is gone, and the refusal (402):
  while [ "$(curl -sS -o /dev/null -w '%{{http_code}}' {url}/v1/chat/completions -H "x-bf-vk: {key}" -d '{{"model":"demo/echo","messages":[{{"role":"user","content":"again"}}]}}')" = 200 ]; do printf .; done; curl -sS {url}/v1/chat/completions -H "x-bf-vk: {key}" -d '{{"model":"demo/echo","messages":[{{"role":"user","content":"again"}}]}}'

Or in a browser: {url}/playground takes the virtual key {key}, and {url}/ shows what it did.

Ctrl-C stops the demo and removes its data."#
        )
    }

    /// Stops the server and the simulated provider.
    ///
    /// # Errors
    /// When serving had failed before.
    pub async fn stop(self) -> Result<(), DemoError> {
        self.server.stop().await?;
        self.simulator.stop().await;
        Ok(())
    }
}

/// Fills the new database.
async fn seed(database_url: &str, simulator: &Simulator) -> Result<VirtualKeyValue, DemoError> {
    let store = Store::open(StoreOptions { url: database_url.to_owned(), root_key: None }).await?;
    let change = |operation| Change::by_server(operation, clock::now());
    let now = clock::now();
    let key = CreateProviderKey::new("demo-key", "not-a-secret").check(&Pointer::ROOT, &mut Uuid::new_v4)?;
    let network_config = NetworkConfig { base_url: Some(simulator.base_url()), ..NetworkConfig::default() };
    let provider = ProviderDraft::new(DEMO_PROVIDER.into(), network_config, vec![key]);
    store.provider_create(change("provider_create"), provider).await?;
    let customer = CreateCustomer { name: "Demo customer".to_owned(), ..CreateCustomer::default() };
    let customer = store.customer_create(change("customer_create"), editing(now, |edit| customer.build(edit))?).await?;
    let team = CreateTeam { name: "Demo team".to_owned(), customer_id: Some(customer.id), ..CreateTeam::default() };
    let team = store.team_create(change("team_create"), editing(now, |edit| team.build(edit))?).await?;
    let request = CreateVirtualKey {
        name: "Demo key".to_owned(),
        team_id: Some(team.id),
        budget: BudgetInput::new(BUDGET, ResetDuration::days(1)).into(),
        ..CreateVirtualKey::default()
    };
    let draft = editing(now, |edit| VirtualKeyDraft::create(request, edit))?;
    let value = VirtualKeyValue::from_uuid(Uuid::new_v4());
    let (_, VirtualKey { value, .. }) = store.virtual_key_create(change("virtual_key_create"), draft, value).await?;
    store.close().await?;
    Ok(value)
}
