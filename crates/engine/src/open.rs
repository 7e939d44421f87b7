//! Attempts that are running: what each of them holds, kept by the engine, so that none can hold for ever.
//!
//! An admission only names its place here. Whoever settles it takes it out, once: a task that ends, a task that dies, or the
//! engine when an attempt has shown no sign of life for too long. Places are used again, so that admission needs no memory.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use keyward_core::ledger::{Attribution, LedgerEntry, Outcome, Posting, Pricing, UsageSource};
use keyward_core::meter::Metric;
use keyward_core::money::NanoUsd;
use keyward_core::price::{Price, PriceVersion, Rates, TokenUsage, Usage, VersionedPrice, bills_as_reported};
use keyward_core::scope::ScopeKind;

use crate::admission::Settlement;
use crate::plan::{Holds, Plan};
use crate::sync::{Mutex, MutexGuard};
use crate::terms::Terms;

/// What a running attempt holds, and what its entry will say.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) attribution: Attribution,
    pub(crate) plan: Arc<Plan>,
    pub(crate) holds: Holds,
    pub(crate) price: Option<VersionedPrice>,
    pub(crate) terms: Terms,
    pub(crate) admitted_at: Timestamp,
    /// The attempt's number in the journal.
    pub(crate) hold: u64,
    /// The segment of the journal that is about it.
    pub(crate) segment: u64,
    /// The round in which it last showed a sign of life.
    pub(crate) alive_in: u64,
}

impl Open {
    /// Gives back what is held.
    pub(crate) fn release(&self) {
        for (live, held) in self.plan.meters().iter().zip(&self.holds) {
            live.counter.settle(held, 0);
        }
    }

    /// The limits that only watch and would have refused the attempt: whose they are, and what they count.
    pub(crate) fn overlooked(&self) -> impl Iterator<Item = (ScopeKind, Metric)> {
        let meters = self.plan.meters().iter().zip(&self.holds).filter(|(_, held)| held.would_refuse);
        meters.map(|(live, _)| (live.meter.scope.kind, live.meter.id.metric))
    }

    /// Replaces the hold by what was used, on every meter. Returns the entry that says so.
    pub(crate) fn settle(self, settlement: Settlement) -> LedgerEntry {
        let (usage, usage_source, cost) = self.charge(&settlement);
        let meters = self.plan.meters().iter().zip(&self.holds);
        let postings = meters.map(|(live, held)| {
            let amount = amount_of(live.meter.id.metric, held.amount, &usage.counts, cost);
            Posting {
                meter: live.meter.id.clone(),
                window: live.counter.settle(held, amount),
                cap: held.cap,
                held: held.amount,
                amount,
                would_refuse: held.would_refuse,
            }
        });
        LedgerEntry {
            postings: postings.collect(),
            pricing: pricing(self.price, &usage),
            attribution: self.attribution,
            usage,
            usage_source,
            cost,
            held: self.terms.ceiling,
            outcome: settlement.outcome,
            admitted_at: self.admitted_at,
            first_byte_at: settlement.first_byte_at,
            settled_at: settlement.at,
        }
    }

    /// What is charged: what the provider says, or what was counted, or what was held.
    fn charge(&self, settlement: &Settlement) -> (Usage, UsageSource, NanoUsd) {
        let Terms { bound, ceiling, .. } = self.terms;
        let price = self.price.as_ref().map(|known| &known.price);
        let estimated = (Usage { tier: self.terms.tier, ..bound.into() }, UsageSource::Estimated, ceiling);
        let Some(usage) = settlement.usage else { return estimated };
        let reported = usage.reported.filter(|_| bills_as_reported(self.attribution.provider.as_str()));
        // What used nothing was not served, and has no fee.
        let counts = match price {
            Some(price) if usage.counts != TokenUsage::default() => price.with_fee(usage.counts),
            Some(_) | None => usage.counts,
        };
        let usage = Usage { counts, reported, ..usage };
        let cost = reported.unwrap_or_else(|| price.map_or(NanoUsd::ZERO, |price: &Price| price.cost(&usage)));
        match settlement.is_counted {
            false => (usage, UsageSource::Provider, cost),
            true if cost <= ceiling && counts.total() <= bound.total() => (usage, UsageSource::Counted, cost),
            true => estimated,
        }
    }

    /// How an attempt ends that nobody settles: it is charged what it held.
    pub(crate) const fn abandonment(at: Timestamp) -> Settlement {
        Settlement { usage: None, is_counted: false, outcome: Outcome::Abandoned, first_byte_at: None, at }
    }
}

/// What the cost was computed by; none: the model has no price.
fn pricing(price: Option<VersionedPrice>, usage: &Usage) -> Option<Pricing> {
    match price {
        Some(VersionedPrice { price, version }) => {
            Some(Pricing { rates: price.rates_for(usage).about(&usage.counts), version })
        }
        None if usage.reported.is_some() => {
            Some(Pricing { rates: Rates::default(), version: PriceVersion::from("reported by the provider") })
        }
        None => None,
    }
}

/// What an attempt counts for on a meter. A slot is held and never used; a request is one as it was held.
fn amount_of(metric: Metric, held: i64, usage: &TokenUsage, cost: NanoUsd) -> i64 {
    match metric {
        Metric::ParallelRequests => 0,
        Metric::Requests => held,
        Metric::Tokens => i64::try_from(usage.total()).unwrap_or(i64::MAX),
        Metric::Cost => cost.nanos(),
    }
}

/// Where a running attempt is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    shard: usize,
    place: usize,
    /// Which of the attempts that used the place.
    turn: u64,
}

/// Every running attempt.
#[derive(Debug, Default)]
pub(crate) struct OpenAttempts {
    first: Mutex<Shard>,
    others: [Mutex<Shard>; SHARDS - 1],
}

const SHARDS: usize = 16;

#[derive(Debug, Default)]
struct Shard {
    places: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct Slot {
    turn: u64,
    open: Option<Open>,
}

impl OpenAttempts {
    pub(crate) fn insert(&self, open: Open) -> Key {
        let shard = usize::try_from(open.hold).unwrap_or_default() % SHARDS;
        let mut kept = self.shard(shard);
        let place = kept.free.pop().unwrap_or_else(|| {
            kept.places.push(Slot::default());
            kept.places.len() - 1
        });
        let mut turn = 0;
        if let Some(slot) = kept.places.get_mut(place) {
            slot.open = Some(open);
            turn = slot.turn;
        }
        Key { shard, place, turn }
    }

    /// Takes an attempt out: who gets it is the one who ends it.
    pub(crate) fn take(&self, key: Key) -> Option<Open> {
        self.shard(key.shard).take(key.place, key.turn)
    }

    /// Does something with an attempt that is still running.
    pub(crate) fn with<T>(&self, key: Key, what: impl FnOnce(&mut Open) -> T) -> Option<T> {
        let mut shard = self.shard(key.shard);
        let slot = shard.places.get_mut(key.place).filter(|slot| slot.turn == key.turn)?;
        slot.open.as_mut().map(what)
    }

    /// Does something with every attempt that is running.
    pub(crate) fn for_each(&self, mut what: impl FnMut(&mut Open)) {
        for shard in 0..SHARDS {
            self.shard(shard).places.iter_mut().filter_map(|slot| slot.open.as_mut()).for_each(&mut what);
        }
    }

    /// Takes out the attempts that `is_over` says.
    pub(crate) fn take_where(&self, is_over: impl Fn(&Open) -> bool) -> Vec<Open> {
        let mut taken = Vec::new();
        for shard in 0..SHARDS {
            let mut shard = self.shard(shard);
            for place in 0..shard.places.len() {
                let slot = shard.places.get(place);
                let turn = slot.filter(|slot| slot.open.as_ref().is_some_and(&is_over)).map(|slot| slot.turn);
                taken.extend(turn.and_then(|turn| shard.take(place, turn)));
            }
        }
        taken
    }

    pub(crate) fn len(&self) -> usize {
        (0..SHARDS).map(|shard| self.shard(shard)).map(|shard| shard.places.len() - shard.free.len()).sum()
    }

    fn shard(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.others.get(shard).unwrap_or(&self.first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn take(&mut self, place: usize, turn: u64) -> Option<Open> {
        let slot = self.places.get_mut(place).filter(|slot| slot.turn == turn)?;
        let open = slot.open.take()?;
        slot.turn = slot.turn.wrapping_add(1);
        self.free.push(place);
        Some(open)
    }
}
