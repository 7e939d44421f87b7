//! What the gateway keeps of the database in a form of its own: prices, upstreams, routing rules. Read again after each edit.
//!
//! When an edit is stored and cannot be read again, what is kept is older than what is configured. Nothing is admitted then, and
//! the server tries until it has caught up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_core::error_code::ErrorCode;
use keyward_core::pricing_override::{PricingOverrideFilter, PricingTable};
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
}

impl Kept {
    const ALL: [Self; 3] = [Self::Prices, Self::Upstreams, Self::RoutingRules];
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
        if read.is_err() {
            self.freshness.is_stale.store(true, Ordering::Release);
            self.freshness.went_stale.notify_one();
        }
        Ok(read?)
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
        }
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
