//! Admissions: the proof that an attempt was admitted, and its end in the books.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::ids::RequestId;
use keyward_core::ledger::{LedgerEntry, Outcome};
use keyward_core::meter::Metric;
use keyward_core::money::NanoUsd;
use keyward_core::price::Usage;
use keyward_core::scope::ScopeKind;

use crate::admit::Core;
use crate::explain::Coverage;
use crate::journal::Receipt;
use crate::open::{Key, Open};

/// Where finished attempts are written down.
pub trait Ledger: Send + Sync + 'static {
    /// Takes an entry; it must not block and must not lose it. The receipt is confirmed when the entry is durable.
    fn append(&self, entry: LedgerEntry, receipt: Receipt);

    /// True while entries can be made durable. When they cannot, nothing is admitted.
    fn is_available(&self) -> bool;
}

/// The proof that an attempt was admitted: what it holds on every meter of its scope set.
///
/// It ends in [`Admission::settle`] or [`Admission::release`]. Dropped without either (its task died), it settles itself
/// at what it held, as `abandoned`: money may be charged that was not spent, never the reverse.
#[must_use = "an admission holds money until it is settled or released"]
pub struct Admission {
    core: Arc<Core>,
    /// None after the end.
    key: Option<Key>,
    request_id: RequestId,
    coverage: Coverage,
    output_cap: Option<u64>,
    /// How many records the journal had, once this one's was written.
    record: u64,
}

/// Shows that an attempt is alive: what it holds stays held.
pub struct Pulse {
    core: Arc<Core>,
    key: Option<Key>,
}

impl Pulse {
    /// A sign of life. After the end it says nothing.
    pub fn beat(&self) {
        if let Some(key) = self.key {
            let round = self.core.round();
            self.core.open.with(key, |open| open.alive_in = round);
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// What was used; none: nobody knows, and the bounds that were held are charged.
    pub usage: Option<Usage>,
    /// True when the provider has not told it, and it was counted: then no more is charged than was held.
    pub is_counted: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// When the provider's answer began, if it did.
    pub first_byte_at: Option<Timestamp>,
    /// When it ended.
    pub at: Timestamp,
}

impl Admission {
    pub(crate) fn new(
        core: Arc<Core>,
        key: Key,
        request_id: RequestId,
        coverage: Coverage,
        output_cap: Option<u64>,
        record: u64,
    ) -> Self {
        Self { core, key: Some(key), request_id, coverage, output_cap, record }
    }

    /// The request that was admitted.
    #[must_use]
    pub const fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// The meters that cover the attempt.
    #[must_use]
    pub const fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The output cap, in tokens of one answer, that the request must carry: with a larger one it could cost more than is held.
    #[must_use]
    pub const fn output_cap(&self) -> Option<u64> {
        self.output_cap
    }

    /// The limits that only watch and would have refused the attempt: those of which the postings of its entry say so. Whose they are,
    /// and what they count.
    #[must_use]
    pub fn overlooked(&self) -> Vec<(ScopeKind, Metric)> {
        let overlooked = self.key.and_then(|key| self.core.open.with(key, |open| open.overlooked().collect()));
        overlooked.unwrap_or_default()
    }

    /// True when what is held is on the disk, and not only in the kernel.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.core.journal.synced() >= self.record
    }

    /// By which the attempt shows signs of life.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        Pulse { core: self.core.clone(), key: self.key }
    }

    /// Replaces the hold by what was used, on every meter, and writes the one ledger entry. Returns the cost; none when the attempt
    /// had shown no sign of life for so long that it was settled already.
    pub fn settle(mut self, settlement: Settlement) -> Option<NanoUsd> {
        let open = self.key.take().and_then(|key| self.core.open.take(key))?;
        Some(self.core.settle(open, settlement))
    }

    /// Drops the hold: no byte of the attempt reached an upstream, so nothing was used.
    pub fn release(mut self) {
        if let Some(open) = self.key.take().and_then(|key| self.core.open.take(key)) {
            self.core.release(&open);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(open) = self.key.take().and_then(|key| self.core.open.take(key)) {
            let abandonment = Open::abandonment(open.admitted_at);
            self.core.settle(open, abandonment);
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}
