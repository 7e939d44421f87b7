//! Every counter, found by its meter. Requests have theirs at hand in their plans: only edits, and whoever asks what is used, look here.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError};

use keyward_core::meter::{Count, MeterId};

use crate::counter::Counter;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// The counters of all meters that some policy has, or had.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    known: Mutex<HashSet<ByMeter>>,
    next_rank: AtomicU64,
}

/// A counter that is found by its meter: a million of them take no second copy of its id.
#[derive(Debug)]
struct ByMeter(Arc<Counter>);

impl Borrow<MeterId> for ByMeter {
    fn borrow(&self) -> &MeterId {
        &self.0.meter
    }
}

impl Hash for ByMeter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.meter.hash(state);
    }
}

impl PartialEq for ByMeter {
    fn eq(&self, other: &Self) -> bool {
        self.0.meter == other.0.meter
    }
}

impl Eq for ByMeter {}

impl Counters {
    /// Makes room for so many more.
    pub(crate) fn reserve(&self, more: usize) {
        self.known().reserve(more);
    }

    /// The counter of a meter; one that was never touched is made.
    pub(crate) fn bind(&self, meter: &MeterId) -> Arc<Counter> {
        let mut known = self.known();
        if let Some(counter) = known.get(meter) {
            return counter.0.clone();
        }
        let counter = Arc::new(Counter::new(meter.clone(), self.rank(), None));
        known.insert(ByMeter(counter.clone()));
        counter
    }

    /// A counter that reads what was written down.
    pub(crate) fn restore(&self, meter: MeterId, count: Count) {
        let counter = Counter::new(meter, self.rank(), Some(count));
        self.known().replace(ByMeter(Arc::new(counter)));
    }

    pub(crate) fn get(&self, meter: &MeterId) -> Option<Arc<Counter>> {
        self.known().get(meter).map(|counter| counter.0.clone())
    }

    pub(crate) fn remove(&self, meter: &MeterId) {
        self.known().remove(meter);
    }

    /// A panic elsewhere cannot leave the set half-changed in a way that matters: each change is one call of it.
    fn known(&self) -> MutexGuard<'_, HashSet<ByMeter>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rank(&self) -> u64 {
        self.next_rank.fetch_add(1, Ordering::Relaxed)
    }
}
