//! What is due when virtual keys expire: those that shall be deleted then are, each by a change of the server's own.
//!
//! Expiry itself needs nobody: the engine refuses an expired key from that instant on.

use std::sync::Arc;

use keyward_core::change::Change;

use crate::clock;
use crate::error::ApiError;
use crate::state::{State, edit};

/// How many virtual keys are looked up at once.
const BATCH: i64 = 100;

/// Looks again and again, until the server stops.
pub(crate) async fn watch(state: Arc<State>) {
    let stop = state.give_up.clone();
    let mut due = tokio::time::interval(state.settings.expiry_interval);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(due.tick()).await.is_some() && !state.is_draining() {
        if let Err(error) = sweep(&state).await {
            tracing::warn!(%error, "expired virtual keys could not be deleted; they are tried again");
        }
    }
}

async fn sweep(state: &Arc<State>) -> Result<(), ApiError> {
    loop {
        let expired = state.store.virtual_keys_expired(clock::now(), BATCH).await?;
        if expired.is_empty() {
            return Ok(());
        }
        for id in expired {
            let deleted = edit(state, async move |state| {
                let change = Change::by_server("virtual_key_expire", clock::now());
                state.store.virtual_key_delete(change, id.clone()).await?;
                state.engine.remove_virtual_key(&id);
                Ok(())
            });
            deleted.await?;
        }
    }
}
