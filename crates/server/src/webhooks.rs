//! Webhooks: events go to each endpoint in a loop of its own, apart from the ledger and from the other endpoints.
//!
//! What is to be delivered is in the database before anybody hears of it. An attempt that the end of the server cuts off is made again
//! when it is there again, under the same id: at least once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use keyward_core::ids::EndpointId;
use keyward_store::{Attempted, PendingDelivery, StoreError};

use crate::clock;
use crate::config::Webhook;
use crate::gateway::UpstreamClient;
use crate::state::State;

mod message;

use message::Answer;

/// How many events are looked up at once.
const BATCH: i64 = 64;
/// How many of them an endpoint gets at the same time.
const AT_ONCE: usize = 8;
/// How long to wait at most until the next look.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait when the database does not answer.
const RETRY: Duration = Duration::from_secs(5);
/// How often the server looks for events that are over.
const SWEEP: Duration = Duration::from_secs(60 * 60);
/// How long events are kept that are over.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// By how much a wait is longer than configured, at most: endpoints that come back shall not be met by all at once.
const JITTER: f64 = 0.2;

/// Delivers events, and removes those that are over, until the server stops.
pub(crate) async fn watch(state: Arc<State>, client: UpstreamClient) {
    let stop = state.give_up.clone();
    let work = async {
        if let Err(error) = abandon(&state).await {
            tracing::warn!(%error, "deliveries to endpoints that are configured no longer could not be given up");
        }
        let deliveries = state.settings.webhooks.iter().map(|webhook| serve(&state, &client, webhook));
        tokio::join!(sweep(&state), join_all(deliveries));
    };
    stop.run_until_cancelled(work).await;
}

async fn abandon(state: &State) -> Result<(), StoreError> {
    let deliveries = state.store.deliveries_abandon().await?;
    if deliveries > 0 {
        tracing::warn!(deliveries, "events were to be delivered to endpoints that are configured no longer");
    }
    Ok(())
}

async fn sweep(state: &State) {
    let mut due = tokio::time::interval(SWEEP);
    loop {
        due.tick().await;
        // A time before all times: nothing is that old.
        let Ok(before) = clock::now().checked_sub(KEPT) else { continue };
        if let Err(error) = state.store.events_expire(before).await {
            tracing::warn!(%error, "old events could not be removed; they are tried again");
        }
    }
}

/// Delivers to one endpoint what is due, and waits for more. Ends when the endpoint says that it is gone for good.
async fn serve(state: &State, client: &UpstreamClient, webhook: &Webhook) {
    let endpoint = webhook.endpoint().id;
    let mut written = state.store.events_written();
    let is_gone = AtomicBool::new(false);
    while !is_gone.load(Ordering::Acquire) {
        written.mark_unchanged();
        let pending = match state.store.deliveries_pending(endpoint.clone(), BATCH).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::warn!(%error, "events could not be looked up; they are delivered later");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        let now = clock::now();
        let (due, later): (Vec<_>, Vec<_>) = pending.into_iter().partition(|delivery| delivery.next_at <= now);
        if due.is_empty() {
            let next = later.first().map(|delivery| delivery.next_at.duration_since(now));
            let pause = next.and_then(|next| next.try_into().ok()).unwrap_or(PATIENCE).min(PATIENCE);
            tokio::select! {
                _ = written.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
            continue;
        }
        let (endpoint, is_gone) = (&endpoint, &is_gone);
        let delivering = stream::iter(due).for_each_concurrent(AT_ONCE, |delivery| async move {
            if deliver(state, client, webhook, endpoint, delivery).await {
                is_gone.store(true, Ordering::Release);
            }
        });
        delivering.await;
    }
    tracing::warn!(endpoint = webhook.url.origin(), "the endpoint answered 410: it gets no events until a restart");
}

/// Makes one attempt, and writes down what became of it. Returns whether the endpoint is gone for good.
async fn deliver(
    state: &State,
    client: &UpstreamClient,
    webhook: &Webhook,
    endpoint: &EndpointId,
    PendingDelivery { event, attempts, next_at: _ }: PendingDelivery,
) -> bool {
    let answer = message::send(client, webhook, &event, clock::now()).await;
    let now = clock::now();
    let next_at = || next_attempt(&state.settings.webhook_retries, attempts, now);
    let (attempted, is_gone) = match answer {
        Answer::Accepted => (Attempted::Delivered(now), false),
        Answer::Refused(error) => (Attempted::Failed { error, next_at: next_at() }, false),
        Answer::Gone(error) => (Attempted::Failed { error, next_at: next_at() }, true),
    };
    state.metrics.webhook_attempted(match &attempted {
        Attempted::Delivered(_) => "delivered",
        Attempted::Failed { next_at: Some(_), .. } => "failed",
        Attempted::Failed { next_at: None, .. } => "given_up",
    });
    if let Attempted::Failed { error, next_at } = &attempted {
        let (origin, again) = (webhook.url.origin(), next_at.is_some());
        tracing::warn!(event = event.id.as_str(), endpoint = origin, error, again, "an event was not accepted");
    }
    if let Err(error) = state.store.delivery_settle(event.id, endpoint.clone(), attempted).await {
        tracing::warn!(%error, "what became of an event could not be written; it is delivered again");
        tokio::time::sleep(RETRY).await;
    }
    is_gone
}

/// When it is tried again after so many attempts before the one in vain; none: never.
fn next_attempt(retries: &[Duration], before: i32, now: Timestamp) -> Option<Timestamp> {
    let pause = retries.get(usize::try_from(before).ok()?)?;
    now.checked_add(pause.mul_f64(1.0 + JITTER * rand::random::<f64>())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_as_configured_and_end() {
        let (now, retries) = (Timestamp::UNIX_EPOCH, [5, 300].map(Duration::from_secs));
        let pause = |before| next_attempt(&retries, before, now).map(|next| next.duration_since(now).as_secs_f64());
        assert!((5.0..=6.0).contains(&pause(0).unwrap()));
        assert!((300.0..=360.0).contains(&pause(1).unwrap()));
        assert_eq!(pause(2), None);
    }
}
