//! The tries of a request at one place.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use keyward_core::ids::{ModelName, ProviderKeyId};
use keyward_core::operation::Operation;
use keyward_core::provider_config::KeyAccess;
use tokio::time::Instant;

use crate::gateway::resolve::Route;
use crate::gateway::routing::Place;
use crate::upstreams::{Failure, Upstream, Wanted};

/// The tries of a request at one place.
pub(super) struct Tries {
    began: Instant,
    count: u8,
    keys: Vec<ProviderKeyId>,
    /// The last one, if it was sent.
    last: Option<Sent>,
}

/// What it takes to find out whether another try makes sense.
struct Sent {
    upstream: Arc<Upstream>,
    access: KeyAccess,
    pinned: Option<ProviderKeyId>,
    model: ModelName,
    kind: (Operation, bool),
}

impl Tries {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), count: 0, keys: Vec::new(), last: None }
    }

    /// The keys that were tried.
    pub(super) fn keys(&self) -> &[ProviderKeyId] {
        &self.keys
    }

    /// Another try.
    pub(super) fn next(&mut self) {
        self.count = self.count.saturating_add(1);
        self.last = None;
    }

    /// The try goes out.
    pub(super) fn sent(&mut self, route: &Route, place: &Place, kind: (Operation, bool)) {
        self.keys.push(route.destination.key_id.clone());
        self.last = Some(Sent {
            upstream: route.upstream.clone(),
            access: route.permit.key_access().clone(),
            pinned: place.key_id.clone(),
            model: place.model.clone(),
            kind,
        });
    }

    pub(super) const fn was_sent(&self) -> bool {
        self.last.is_some()
    }

    /// How long to wait before another try; none: there is none. They begin within twice the time that one may take, so that one that
    /// was silent may be followed by another.
    pub(super) fn wait(&self, failure: Failure, lot: f64, now: Timestamp) -> Option<Duration> {
        let Sent { upstream, access, pinned, model, kind } = self.last.as_ref()?;
        let wanted = Wanted { access, pinned: pinned.as_ref(), model: model.as_str(), kind: *kind };
        let outlook = upstream.outlook(&wanted, &self.keys, now);
        let left = upstream.timeout.saturating_mul(2).saturating_sub(self.began.elapsed());
        upstream.retries.wait(self.count.saturating_sub(1), failure, outlook, lot, (now, left))
    }
}
