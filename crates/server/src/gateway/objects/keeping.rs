//! Keeping: what is written down of a response that its provider keeps, once the answer has told its id.

use jiff::SignedDuration;
use keyward_core::ids::RequestId;
use keyward_core::operation::Operation;
use keyward_core::provider_object::{ObjectKind, ObjectModel, ObjectState, ProviderObject};
use serde::Deserialize;

use crate::clock;
use crate::gateway::resolve::Route;
use crate::gateway::scan::Scan;

/// How long a response is kept unless it is deleted: as long as OpenAI keeps it.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A response that will be kept.
#[derive(Debug, Clone)]
pub(in crate::gateway) struct Keeping(ProviderObject);

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Event {
    response: Named,
}

impl Keeping {
    /// What will be written down of the answer; none: nobody keeps it.
    pub(in crate::gateway) fn of(scan: &Scan, route: &Route, request_id: &RequestId) -> Option<Self> {
        if scan.operation != Operation::Responses || !scan.is_stored {
            return None;
        }
        let now = clock::now();
        let model = ObjectModel { asked: route.permit.model().clone(), served: route.destination.model.clone() };
        Some(Self(ProviderObject {
            kind: ObjectKind::Response,
            provider: route.permit.provider().clone(),
            id: String::new(),
            virtual_key_id: route.permit.virtual_key_id().clone(),
            provider_key_id: route.destination.key_id.clone(),
            request_id: request_id.clone(),
            endpoint: None,
            models: vec![model],
            state: ObjectState::Kept,
            told: None,
            created_at: now,
            expires_at: now.checked_add(KEPT).ok(),
        }))
    }

    /// The response that a whole answer is.
    pub(in crate::gateway) fn of_answer(&self, body: &[u8]) -> Option<ProviderObject> {
        self.named(serde_json::from_slice(body).ok()?)
    }

    /// The response that an event of a stream speaks of; the first one does.
    pub(in crate::gateway) fn of_event(&self, data: &[u8]) -> Option<ProviderObject> {
        self.named(serde_json::from_slice::<Event>(data).ok()?.response)
    }

    fn named(&self, Named { id }: Named) -> Option<ProviderObject> {
        ProviderObject::is_id(&id).then(|| ProviderObject { id, ..self.0.clone() })
    }
}
