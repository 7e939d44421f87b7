//! Admissions: the proof that an attempt was admitted, and its end in the books.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::{Attribution, LedgerEntry, Outcome, Posting, Pricing, UsageSource};
use keyward_core::meter::Metric;
use keyward_core::money::NanoUsd;
use keyward_core::price::{TokenUsage, VersionedPrice};
use keyward_core::scope_set::ScopeSet;

use crate::counter::Held;
use crate::policy::LiveMeter;

/// Where finished attempts are written down.
pub trait Ledger: Send + Sync + 'static {
    /// Takes an entry; it must not block and must not lose it.
    fn append(&self, entry: LedgerEntry);

    /// True while entries can be made durable. When they cannot, nothing is admitted.
    fn is_available(&self) -> bool;
}

/// The proof that an attempt was admitted: what it holds on every meter of its scope set.
///
/// It ends in [`Admission::settle`] or [`Admission::release`]. Dropped without either (its task died), it settles itself
/// at what it held, as `abandoned`: money may be charged that was not spent, never the reverse.
#[must_use = "an admission holds money until it is settled or released"]
pub struct Admission {
    open: Option<Open>,
    ledger: Arc<dyn Ledger>,
}

pub(crate) struct Open {
    pub(crate) attribution: Attribution,
    pub(crate) scope_set: ScopeSet<LiveMeter>,
    /// What is held, meter by meter of the scope set.
    pub(crate) holds: Vec<Held>,
    pub(crate) price: Option<VersionedPrice>,
    /// The most tokens that were held for.
    pub(crate) bound: TokenUsage,
    /// The money that was held.
    pub(crate) ceiling: NanoUsd,
    pub(crate) admitted_at: Timestamp,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// What the provider said was used; none: the bounds that were held are charged.
    pub usage: Option<TokenUsage>,
    /// How it ended.
    pub outcome: Outcome,
    /// When the provider's answer began, if it did.
    pub first_byte_at: Option<Timestamp>,
    /// When it ended.
    pub at: Timestamp,
}

impl Admission {
    pub(crate) fn new(open: Open, ledger: Arc<dyn Ledger>) -> Self {
        Self { open: Some(open), ledger }
    }

    /// Who and what was admitted; none after the end.
    #[must_use]
    pub fn attribution(&self) -> Option<&Attribution> {
        self.open.as_ref().map(|open| &open.attribution)
    }

    /// Replaces the hold by what was used, on every meter, and writes the one ledger entry. Returns the cost.
    pub fn settle(mut self, settlement: Settlement) -> NanoUsd {
        self.open.take().map_or(NanoUsd::ZERO, |open| open.settle(settlement, self.ledger.as_ref()))
    }

    /// Drops the hold: no byte of the attempt reached an upstream, so nothing was used.
    pub fn release(mut self) {
        if let Some(open) = self.open.take() {
            for (live, held) in open.scope_set.meters().iter().zip(&open.holds) {
                live.counter.settle(held, 0);
            }
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            let at = open.admitted_at;
            open.settle(
                Settlement { usage: None, outcome: Outcome::Abandoned, first_byte_at: None, at },
                self.ledger.as_ref(),
            );
        }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: Option<&VirtualKeyId> = self.attribution().map(|attribution| &attribution.virtual_key_id);
        f.debug_struct("Admission").field("virtual_key_id", &id).finish_non_exhaustive()
    }
}

impl Open {
    fn settle(self, settlement: Settlement, ledger: &dyn Ledger) -> NanoUsd {
        let (usage, usage_source, cost) = match settlement.usage {
            Some(usage) => {
                let cost = self.price.as_ref().map_or(NanoUsd::ZERO, |known| known.price.cost(&usage));
                (usage, UsageSource::Provider, cost)
            }
            None => (self.bound, UsageSource::Estimated, self.ceiling),
        };
        let meters = self.scope_set.meters().iter().zip(&self.holds);
        let postings = meters.map(|(live, held)| {
            let amount = amount_of(live.meter.id.metric, &usage, cost);
            let window = live.counter.settle(held, amount);
            let cap = live.meter.cap_at(self.admitted_at);
            Posting { meter: live.meter.id.clone(), window, cap, held: held.amount, amount, would_refuse: false }
        });
        let rates = |known: &VersionedPrice| known.price.rates_for(usage.total_input());
        ledger.append(LedgerEntry {
            postings: postings.collect(),
            attribution: self.attribution,
            usage,
            usage_source,
            cost,
            pricing: self.price.as_ref().map(|known| Pricing { version: known.version.clone(), rates: rates(known) }),
            held: self.ceiling,
            outcome: settlement.outcome,
            admitted_at: self.admitted_at,
            first_byte_at: settlement.first_byte_at,
            settled_at: settlement.at,
        });
        cost
    }
}

/// What an attempt counts for on a meter.
pub(crate) fn amount_of(metric: Metric, usage: &TokenUsage, cost: NanoUsd) -> i64 {
    match metric {
        Metric::ParallelRequests => 0,
        Metric::Requests => 1,
        Metric::Tokens => i64::try_from(usage.total()).unwrap_or(i64::MAX),
        Metric::Cost => cost.nanos(),
    }
}
