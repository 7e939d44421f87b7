//! What is not kept for ever: objects at providers that have expired are forgotten; entries of the ledger that are older than they are
//! to be kept are deleted, but for those that a counter still counts.

use std::sync::Arc;

use jiff::SignedDuration;
use keyward_store::StoreError;

use crate::clock;
use crate::state::State;

/// Looks again and again, until the server stops.
pub(crate) async fn watch(state: Arc<State>) {
    let days = state.settings.ledger_retention_days;
    let keep = days.map(|days| SignedDuration::from_hours(24 * i64::from(days.get())));
    let stop = state.give_up.clone();
    let mut due = tokio::time::interval(state.settings.retention_interval);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(due.tick()).await.is_some() && !state.is_draining() {
        if let Err(error) = state.store.provider_objects_expire(clock::now()).await {
            tracing::warn!(%error, "objects that have expired could not be forgotten; they are tried again");
        }
        let Some(keep) = keep else { continue };
        match sweep(&state, keep).await {
            Ok(0) => {}
            Ok(deleted) => {
                tracing::info!(deleted, "entries of the ledger were older than they are kept, and are deleted")
            }
            Err(error) => {
                tracing::warn!(%error, "old entries of the ledger could not be deleted; they are tried again")
            }
        }
    }
}

/// Goes through all old entries once, in small transactions: batches of the ledger are written in between.
async fn sweep(state: &State, keep: SignedDuration) -> Result<usize, StoreError> {
    // A time before all times: nothing is that old.
    let Ok(before) = clock::now().checked_sub(keep) else { return Ok(0) };
    let (mut deleted, mut place) = (0_usize, None);
    loop {
        let expired = state.store.ledger_expire(before, place).await?;
        deleted = deleted.saturating_add(expired.deleted);
        place = expired.next;
        if place.is_none() || state.is_draining() {
            return Ok(deleted);
        }
    }
}
