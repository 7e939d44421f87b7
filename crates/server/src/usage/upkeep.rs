//! What keeps usage quick to look at and complete: refusals are written every second, and hours that are over added up.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::usage::Hour;

use super::refusals::flush;
use crate::clock;
use crate::state::State;

/// How long refusals wait before they are written.
const WRITING: Duration = Duration::from_secs(1);

/// Looks again and again, until the server stops.
pub(crate) async fn watch(state: Arc<State>) {
    let stop = state.give_up.clone();
    let mut due = tokio::time::interval(WRITING);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut folded = None;
    while stop.run_until_cancelled(due.tick()).await.is_some() && !state.is_draining() {
        flush(&state).await;
        let hour = Hour::of(clock::now());
        if folded < Some(hour) {
            folded = fold(&state, hour).await.then_some(hour);
        }
    }
}

/// Adds up all hours before this one, each in a transaction of its own: batches of the ledger are written in between. False: that is
/// to be tried again.
async fn fold(state: &State, end: Hour) -> bool {
    loop {
        match state.store.usage_fold(end).await {
            Ok(true) if state.is_draining() => return false,
            Ok(true) => {}
            Ok(false) => return true,
            Err(error) => {
                tracing::warn!(%error, "usage could not be added up; that is tried again");
                return false;
            }
        }
    }
}
