//! Attempts whose tasks are stuck: what they hold is not held for ever.
//!
//! The task of an attempt gives a sign of life as long as it is polled, and every wait in it has an end of its own. So only a task
//! that is blocked or lost for good goes without one.

use std::sync::Arc;
use std::time::Duration;

use keyward_engine::Pulse;

use crate::clock;
use crate::state::State;

/// How often attempts give a sign of life, and how often the server looks for those that do not.
const ROUND: Duration = Duration::from_secs(10);
/// How many rounds without one end an attempt.
const PATIENCE: u64 = 12;

/// Gives signs of life, for ever.
pub(crate) async fn keep_alive(pulse: Pulse) {
    loop {
        tokio::time::sleep(ROUND).await;
        pulse.beat();
    }
}

/// Looks again and again, until the server stops.
pub(crate) async fn watch(state: Arc<State>) {
    let stop = state.give_up.clone();
    while stop.run_until_cancelled(tokio::time::sleep(ROUND)).await.is_some() {
        let lapsed = state.engine.expire(PATIENCE, clock::now());
        if lapsed > 0 {
            tracing::error!(lapsed, "attempts have shown no sign of life; they are charged what they held");
        }
    }
}
