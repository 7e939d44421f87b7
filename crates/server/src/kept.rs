//! What the gateway keeps of the database in a form of its own: prices, upstreams, routing rules, MCP servers. Read again after each edit.
//!
//! When an edit is stored and cannot be read again, what is kept is older than what is configured. Nothing is admitted then, and
//! the server tries until it has caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use keyward_core::pricing_override::{PricingOverrideFilter, PricingTable};
use keyward_core::server_config::RotationCooldown;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};
use keyward_store::StoreError;
use tokio::sync::Notify;

use crate::error::ApiError;
use crate::state::{State, edit};

/// How long to wait between two tries to catch up.
const PAUSE: Duration = Duration::from_millis(500);

/// Something that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The pricing overrides.
    Prices,
    /// Providers and their keys.
    Upstreams,
    /// Routing rules.
    RoutingRules,
    /// MCP clients.
    McpServers,
    /// Which MCP clients virtual keys may use.
    ToolGrants,
    /// That old values of virtual keys work no more, when the configuration wants no cooldown.
    EndedCooldowns,
}

impl Kept {
    const ALL: [Self; 6] =
        [Self::Prices, Self::Upstreams, Self::RoutingRules, Self::McpServers, Self::ToolGrants, Self::EndedCooldowns];
}

/// Whether what is kept is as it is configured.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    is_stale: AtomicBool,
    went_stale: Notify,
}

impl Freshness {
    /// Makes sure that what is kept is what is configured.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        match self.is_stale.load(Ordering::Acquire) {
            false => Ok(()),
            true => {
                let message = "An edit is stored and could not be read again yet: until it is, nothing is admitted";
                Err(ApiError::new(ErrorCode::GovernanceUnavailable, message))
            }
        }
    }
}

impl State {
    /// Reads again what an edit has changed. Callers take turns, so that the newest state wins.
    pub(crate) async fn reload(&self, kept: Kept) -> Result<(), ApiError> {
        let read = self.read_again(kept).await;
        self.stale_unless(read)
    }

    /// Reads again what these virtual keys may do, after an edit of something else has changed that.
    pub(crate) async fn reload_keys(&self, ids: Vec<VirtualKeyId>) -> Result<(), ApiError> {
        let read = self.store.virtual_keys_known(ids).await;
        self.stale_unless(read.map(|keys| self.put_again(&keys)))
    }

    fn stale_unless(&self, read: Result<(), StoreError>) -> Result<(), ApiError> {
        if read.is_err() {
            self.freshness.is_stale.store(true, Ordering::Release);
            self.freshness.went_stale.notify_one();
        }
        Ok(read?)
    }

    fn put_again(&self, keys: &[(VirtualKeyHashes, VirtualKey)]) {
        keys.iter().for_each(|(hashes, key)| self.engine.put_virtual_key(*hashes, key, key.updated_at));
    }

    async fn read_again(&self, kept: Kept) -> Result<(), StoreError> {
        match kept {
            Kept::Prices => {
                let all = self.store.pricing_override_list(PricingOverrideFilter::default()).await?;
                self.pricing.store(Arc::new(PricingTable::new(&all.entries)?));
                Ok(())
            }
            Kept::Upstreams => self.upstreams.reload(&self.store).await,
            Kept::RoutingRules => self.routing_rules.reload(&self.store).await,
            Kept::McpServers => self.mcp.reload(&self.store).await,
            Kept::ToolGrants => {
                let engine = self.engine.clone();
                let put = move |hashes, key: VirtualKey| engine.put_virtual_key(hashes, &key, key.updated_at);
                self.store.virtual_keys_each(put).await
            }
            Kept::EndedCooldowns => self.end_cooldowns().await,
        }
    }

    async fn end_cooldowns(&self) -> Result<(), StoreError> {
        let record = &self.access.in_force().record;
        if record.rotation_cooldown != RotationCooldown::default() {
            return Ok(());
        }
        let (engine, ended_at) = (self.engine.clone(), record.updated_at);
        let put = move |hashes, key: VirtualKey| {
            // Those that had one were edited at the instant of the record.
            if key.updated_at == ended_at {
                engine.put_virtual_key(hashes, &key, key.updated_at);
            }
        };
        self.store.virtual_keys_each(put).await
    }

    async fn catch_up(&self) -> Result<(), ApiError> {
        for kept in Kept::ALL {
            self.read_again(kept).await?;
        }
        self.freshness.is_stale.store(false, Ordering::Release);
        Ok(())
    }
}

/// Catches up whenever an edit could not be read again, until the server stops.
pub(crate) async fn watch(state: Arc<State>) {
    let stop = state.give_up.clone();
    while stop.run_until_cancelled(state.freshness.went_stale.notified()).await.is_some() {
        while let Err(error) = edit(&state, async move |state| state.catch_up().await).await {
            tracing::warn!(%error, "what is configured cannot be read; nothing is admitted until it can");
            if state.is_draining() || stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
    }
}
