//! What is due when virtual keys expire: those that shall be deleted then are, each by a change of the server's own.
//!
//! Expiry itself needs nobody: the engine refuses an expired key from that instant on.

use std::sync::Arc;

use keyward_core::change::{Change, Precondition, Version};
use keyward_core::error_code::ErrorCode;

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
        for (id, edited) in expired {
            // Only what was seen to be expired: somebody may have extended it since, or deleted it.
            let precondition = Precondition::OneOf(vec![Version::of(edited).etag()]);
            let change = Change { precondition, ..Change::by_server("virtual_key_expire", clock::now()) };
            let deleted = edit(state, async move |state| {
                state.store.virtual_key_delete(change, id.clone()).await?;
                state.engine.remove_virtual_key(&id);
                Ok(())
            });
            match deleted.await {
                Err(error) if matches!(error.code(), ErrorCode::PreconditionFailed | ErrorCode::NotFound) => {}
                other => other?,
            }
        }
    }
}
