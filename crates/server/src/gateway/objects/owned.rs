//! Whose an object is: found for the virtual key that made it, and for nobody else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::web;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use keyward_core::provider_object::{ObjectKind, ProviderObject};
use keyward_engine::Principal;
use tokio::sync::Notify;

use crate::error::ApiError;
use crate::gateway::routing::Place;
use crate::gateway::scan::Scan;
use crate::state::State;

/// How long to wait when the database does not answer.
const RETRY: Duration = Duration::from_secs(1);

/// What was made and is not in the database yet, and batches that somebody has seen the end of.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    waiting: Mutex<Waiting>,
    finished: Mutex<Vec<ProviderObject>>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    objects: Vec<ProviderObject>,
    is_written: bool,
}

impl Objects {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a batch has come to its end.
    pub(super) fn finish(&self, batch: ProviderObject) {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        self.bell.notify_one();
    }

    /// The batches of which that was said since the last call, once there are any.
    pub(super) async fn finished(&self) -> Vec<ProviderObject> {
        loop {
            let finished = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
            if !finished.is_empty() {
                return finished;
            }
            self.bell.notified().await;
        }
    }
}

/// Remembers an object that was made. It is found from now on; the database has it a moment later.
pub(in crate::gateway) fn remember(state: &web::Data<State>, object: Option<ProviderObject>) {
    let Some(object) = object else { return };
    let is_written = {
        let mut waiting = state.objects.waiting();
        waiting.objects.push(object);
        std::mem::replace(&mut waiting.is_written, true)
    };
    if !is_written {
        state.tasks.spawn_on(write(state.clone().into_inner()), &state.runtime);
    }
}

/// Writes down what waits, all of it at a time, until nothing does.
async fn write(state: Arc<State>) {
    loop {
        let due = {
            let mut waiting = state.objects.waiting();
            if waiting.objects.is_empty() {
                waiting.is_written = false;
                return;
            }
            waiting.objects.clone()
        };
        let count = due.len();
        match state.store.provider_objects_put(due).await {
            Ok(()) => drop(state.objects.waiting().objects.drain(..count)),
            Err(error) => {
                tracing::warn!(%error, "what a provider keeps could not be written down; it is tried again");
                if state.give_up.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
                    return;
                }
            }
        }
    }
}

/// The object of this id that the virtual key has made.
///
/// # Errors
/// When it has made no such thing, whether or not somebody else has.
pub(super) async fn find(
    state: &State,
    kind: ObjectKind,
    id: &str,
    virtual_key: &VirtualKeyId,
) -> Result<ProviderObject, ApiError> {
    let is_it =
        |object: &&ProviderObject| object.kind == kind && object.id == id && object.virtual_key_id == *virtual_key;
    let waiting = state.objects.waiting().objects.iter().find(is_it).cloned();
    if let Some(object) = waiting {
        return Ok(object);
    }
    let found = state.store.provider_object_find(kind, id.to_owned(), virtual_key.clone()).await?;
    found.ok_or_else(|| {
        let message = format!("This virtual key has made no {} of this id", kind.words());
        ApiError::new(ErrorCode::NotFound, message)
    })
}

/// Where a request has to go that names what a provider keeps; none: it names nothing of the kind.
///
/// # Errors
/// When the virtual key has not made it, or it is not where the request wants to go.
pub(in crate::gateway) async fn place(
    state: &State,
    principal: &Principal,
    scan: &Scan,
    asked: &Place,
) -> Result<Option<Place>, ApiError> {
    let mut found: Option<ProviderObject> = None;
    for (kind, id) in &scan.kept {
        let at = match kind {
            ObjectKind::Response => "/previous_response_id",
            ObjectKind::File | ObjectKind::Batch | ObjectKind::MessageBatch => "file_id",
        };
        let object = find(state, *kind, id, principal.virtual_key_id()).await.map_err(|error| error.at(at))?;
        let is_apart = found
            .as_ref()
            .is_some_and(|other| other.provider != object.provider || other.provider_key_id != object.provider_key_id);
        if is_apart || asked.provider.as_ref().is_some_and(|named| *named != object.provider) {
            let message = format!("The {} is kept by '{}', with a key of its own", kind.words(), object.provider);
            return Err(ApiError::new(ErrorCode::NotFound, message).at(at));
        }
        found = Some(object);
    }
    Ok(found.map(|object| Place {
        provider: Some(object.provider),
        model: asked.model.clone(),
        key_id: Some(object.provider_key_id).filter(|id| !id.as_str().is_empty()),
    }))
}
