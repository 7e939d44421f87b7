//! The charging of batches: once a batch has come to its end, what it used is read from what it brought forth, and recorded under the
//! request that began it.
//!
//! One task does it, so that no two of them charge the same. It asks all providers again and again, and at once when a client has
//! seen the end of a batch. When it was interrupted between the books and the note that all is charged, it finds in the books what is
//! there already.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Method;
use hyper::body::Incoming;
use jiff::SignedDuration;
use keyward_core::error_code::ErrorCode;
use keyward_core::provider_config::KeyAccess;
use keyward_core::provider_object::{ObjectKind, ObjectState, ProviderObject};
use keyward_engine::{Inquiry, Principal, Spent};

use super::errand::dialect;
use super::tally::{Subject, Tally, price};
use super::told::Told;
use crate::clock;
use crate::error::ApiError;
use crate::gateway::answer::next_data;
use crate::gateway::dispatch::{Proof, SendError, headed, send, signed};
use crate::gateway::relay::{collect, compressed, is_compressed};
use crate::gateway::upstream_client::UpstreamClient;
use crate::pieces::Pieces;
use crate::state::State;
use crate::upstreams::Upstream;

/// The longest line of what a batch brought forth.
const MAX_LINE: usize = 64 * 1024 * 1024;
/// How long a batch can be found after it was charged.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Looks after batches until the server stops.
pub(crate) async fn watch(state: Arc<State>, client: UpstreamClient) {
    let stop = state.give_up.clone();
    let mut due = tokio::time::interval(state.settings.batch_interval);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let work = async {
        loop {
            let finished = tokio::select! {
                finished = state.objects.finished() => finished,
                _ = due.tick() => open(&state).await,
            };
            for batch in finished {
                if state.is_draining() {
                    return;
                }
                if let Err(error) = look(&state, &client, &batch).await {
                    let (provider, id) = (batch.provider.as_str(), batch.id.as_str());
                    tracing::warn!(
                        provider,
                        batch = id,
                        "a batch could not be looked after; it is tried again: {error}"
                    );
                }
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

async fn open(state: &State) -> Vec<ProviderObject> {
    state.store.provider_objects_open().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "batches could not be looked up; they are looked after later");
        Vec::new()
    })
}

/// Asks what became of a batch, and charges it when it has come to its end.
async fn look(state: &State, client: &UpstreamClient, batch: &ProviderObject) -> Result<(), ApiError> {
    // Somebody else may have seen its end too.
    let known = state.store.provider_object_find(batch.kind, batch.id.clone(), batch.virtual_key_id.clone()).await?;
    if known.is_none_or(|known| known.state != ObjectState::Open) {
        return Ok(());
    }
    let Some(debtor) = state.engine.debtor(&batch.virtual_key_id) else {
        tracing::error!(batch = batch.id, "the virtual key of a batch is gone: nobody is charged for it");
        return close(state, batch, ObjectState::Lost).await;
    };
    let asking = Asking::of(state, client, batch, &debtor)?;
    let (status, body) = asking.whole(&format!("/{}", batch.id)).await?;
    if matches!(status, 404 | 410) {
        tracing::error!(batch = batch.id, "a provider does not know a batch any more: it cannot be charged");
        return close(state, batch, ObjectState::Lost).await;
    }
    if status != 200 {
        return Err(ApiError::new(ErrorCode::UpstreamInvalid, format!("The provider answered {status}")));
    }
    let told = Told::read(&body);
    state.store.provider_objects_put(told.files_of(batch)).await?;
    if let Ok(text) = std::str::from_utf8(&body) {
        state.store.provider_object_tell(batch.clone(), text.to_owned()).await?;
    }
    match told.is_done(batch.kind) {
        true => charge(state, &asking, &debtor, batch, &told).await,
        false => Ok(()),
    }
}

/// Reads what was used, and records it.
async fn charge(
    state: &State,
    asking: &Asking<'_>,
    debtor: &Principal,
    batch: &ProviderObject,
    told: &Told,
) -> Result<(), ApiError> {
    let price = |model: &_| {
        let ProviderObject { virtual_key_id, provider, provider_key_id, kind, endpoint, .. } = batch;
        let (kind, endpoint) = (*kind, endpoint.as_deref());
        price(state, &Subject { virtual_key: virtual_key_id, provider, key_id: provider_key_id, kind, endpoint }, model)
    };
    let mut tally = Tally::new(batch, &price);
    if !asking.read(told, &mut tally).await? {
        tracing::error!(batch = batch.id, "what came of a batch is not there any more: it cannot be charged");
        return close(state, batch, ObjectState::Lost).await;
    }
    if tally.unreported > 0 {
        let answers = tally.unreported;
        tracing::warn!(batch = batch.id, answers, "answers of a batch do not tell their usage: they are not charged");
    }
    // What was recorded before an interruption is in the books, or on its way there.
    state.settled().await?;
    let recorded = state.store.ledger_attempts(batch.request_id.clone()).await?;
    for (attempt, sum) in (1..).zip(tally.sums) {
        if recorded.contains(&attempt) {
            continue;
        }
        let spent = Spent {
            request_id: batch.request_id.clone(),
            attempt,
            provider: batch.provider.clone(),
            provider_key_id: batch.provider_key_id.clone(),
            model: sum.model.asked,
            model_served: sum.model.served,
            price: sum.price,
            usage: sum.usage,
        };
        state.engine.record(debtor, spent, clock::now())?;
    }
    state.settled().await?;
    close(state, batch, ObjectState::Charged).await
}

async fn close(state: &State, batch: &ProviderObject, to: ObjectState) -> Result<(), ApiError> {
    let now = clock::now();
    Ok(state.store.provider_object_close(batch.clone(), to, now.checked_add(KEPT).unwrap_or(now)).await?)
}

/// Asks a provider about one batch.
struct Asking<'a> {
    client: &'a UpstreamClient,
    state: &'a State,
    batch: &'a ProviderObject,
    upstream: Arc<Upstream>,
    inquiry: Inquiry,
}

impl<'a> Asking<'a> {
    fn of(
        state: &'a State,
        client: &'a UpstreamClient,
        batch: &'a ProviderObject,
        debtor: &Principal,
    ) -> Result<Self, ApiError> {
        let upstream = state.upstreams.find(&batch.provider).ok_or_else(|| unreachable(batch))?;
        Ok(Self { client, state, batch, upstream, inquiry: state.engine.inquiry(debtor) })
    }

    fn timeout(&self) -> Duration {
        self.upstream.timeout
    }

    async fn get(&self, kind: ObjectKind, rest: &str) -> Result<http::Response<Incoming>, ApiError> {
        let key = Some(&self.batch.provider_key_id);
        let shelf = self.upstream.shelf(kind, key, &KeyAccess::All).ok_or_else(|| unreachable(self.batch))?;
        let request = http::Request::builder().method(Method::GET).uri(format!("{}{rest}", shelf.url));
        let no_headers = actix_web::http::header::HeaderMap::new();
        let request = headed(request, &no_headers, dialect(kind), &self.upstream.headers);
        let request = signed(request, Pieces::default(), &shelf.auth, dialect(kind), self.client).await?;
        let sent = send(Proof::inquiry(&self.inquiry), self.client, request, self.timeout()).await;
        let response = sent.map_err(|error| match error {
            SendError::NotSent(error)
            | SendError::Unable(error)
            | SendError::Broken(error)
            | SendError::TimedOut(error) => error,
        })?;
        if is_compressed(&response) { Err(compressed()) } else { Ok(response) }
    }

    async fn whole(&self, rest: &str) -> Result<(u16, Bytes), ApiError> {
        let response = self.get(self.batch.kind, rest).await?;
        let (head, body) = response.into_parts();
        let body = collect(body, self.timeout()).await.map_err(|(error, _)| error)?;
        Ok((head.status.as_u16(), body))
    }

    /// Reads what came of the batch, line by line. False: it is not there any more.
    async fn read(&self, told: &Told, tally: &mut Tally<'_>) -> Result<bool, ApiError> {
        let (kind, rest) = match (self.batch.kind, told.output_file_id.as_deref()) {
            (ObjectKind::MessageBatch, _) => (ObjectKind::MessageBatch, format!("/{}/results", self.batch.id)),
            (_, Some(file)) if ProviderObject::is_id(file) => (ObjectKind::File, format!("/{file}/content")),
            // Nothing was answered.
            (ObjectKind::Response | ObjectKind::File | ObjectKind::Batch, _) => return Ok(true),
        };
        let response = self.get(kind, &rest).await?;
        match response.status().as_u16() {
            200 => {}
            404 | 410 => return Ok(false),
            status => {
                return Err(ApiError::new(ErrorCode::UpstreamInvalid, format!("The provider answered {status}")));
            }
        }
        let (mut body, mut rest, mut searched) = (response.into_body(), BytesMut::new(), 0);
        while let Some(data) = next_data(&mut body, self.timeout()).await.map_err(|(error, _)| error)? {
            rest.extend_from_slice(&data);
            while let Some(end) = rest.iter().skip(searched).position(|byte| *byte == b'\n') {
                tally.read(&rest.split_to(searched + end + 1));
                searched = 0;
            }
            searched = rest.len();
            if self.state.is_draining() || searched > MAX_LINE {
                return Err(ApiError::new(
                    ErrorCode::UpstreamInvalid,
                    "What came of the batch was not read to its end",
                ));
            }
        }
        tally.read(&rest);
        Ok(true)
    }
}

fn unreachable(batch: &ProviderObject) -> ApiError {
    let message = format!("Provider '{}' or the key that made the batch is not there", batch.provider);
    ApiError::new(ErrorCode::ProviderKeyUnavailable, message)
}
