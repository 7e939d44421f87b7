//! What attempts and refusals come to.

use std::time::Duration;

use jiff::Timestamp;

use super::dimension::{Attribute, Series};
use super::histogram::Histogram;
use super::period::Hour;
use crate::ledger::{LedgerEntry, Outcome};
use crate::money::NanoUsd;
use crate::price::{Class, ServiceTier, TokenUsage};

/// What of an attempt goes into a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// What was used.
    pub counts: TokenUsage,
    /// What it cost.
    pub cost: NanoUsd,
    /// The tier that served.
    pub tier: ServiceTier,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// When the answer began.
    pub first_byte_at: Option<Timestamp>,
    /// When it was settled.
    pub settled_at: Timestamp,
}

impl From<&LedgerEntry> for Attempted {
    fn from(entry: &LedgerEntry) -> Self {
        Self {
            counts: entry.usage.counts,
            cost: entry.cost,
            tier: entry.usage.tier,
            outcome: entry.outcome,
            admitted_at: entry.admitted_at,
            first_byte_at: entry.first_byte_at,
            settled_at: entry.settled_at,
        }
    }
}

impl Attempted {
    /// Whether how long it took says anything: a batch takes until it is fetched, and what nobody settled until the next start.
    fn is_timed(&self) -> bool {
        self.tier != ServiceTier::Batch && self.outcome != Outcome::Abandoned
    }

    fn since_admission(&self, at: Timestamp) -> Option<Duration> {
        let micros = at.as_microsecond().saturating_sub(self.admitted_at.as_microsecond());
        u64::try_from(micros).ok().filter(|_| self.is_timed()).map(Duration::from_micros)
    }
}

/// How often requests of a series were refused in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalCount {
    /// The hour.
    pub hour: Hour,
    /// Whose requests, for what, and with which code.
    pub series: Series<Attribute>,
    /// How many.
    pub count: u64,
}

/// What a group of attempts and refusals comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Attempts.
    pub requests: u64,
    /// Requests that were refused.
    pub refusals: u64,
    /// What the attempts cost, with what was adjusted since.
    pub cost: NanoUsd,
    /// What they used.
    pub counts: TokenUsage,
    /// From admission to settlement.
    pub latency: Histogram,
    /// From admission to the first byte of the answer.
    pub first_byte: Histogram,
}

impl Tally {
    /// So many refusals.
    #[must_use]
    pub fn refused(refusals: u64) -> Self {
        Self { refusals, ..Self::default() }
    }

    /// A difference in cost alone.
    #[must_use]
    pub fn adjusted(cost: NanoUsd) -> Self {
        Self { cost, ..Self::default() }
    }

    /// Counts an attempt.
    pub fn record(&mut self, attempted: &Attempted) {
        self.requests = self.requests.saturating_add(1);
        self.cost = sum(self.cost, attempted.cost);
        for (class, count) in attempted.counts.set() {
            let there = self.counts.get_mut(class);
            *there = there.saturating_add(count);
        }
        if let Some(took) = attempted.since_admission(attempted.settled_at) {
            self.latency.record(took);
        }
        if let Some(waited) = attempted.first_byte_at.and_then(|at| attempted.since_admission(at)) {
            self.first_byte.record(waited);
        }
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.refusals = self.refusals.saturating_add(other.refusals);
        self.cost = sum(self.cost, other.cost);
        for class in Class::ALL {
            let there = self.counts.get_mut(*class);
            *there = there.saturating_add(*other.counts.get(*class));
        }
        self.latency.add(&other.latency);
        self.first_byte.add(&other.first_byte);
    }

    /// Takes another off.
    pub fn subtract(&mut self, other: &Self) {
        self.requests = self.requests.saturating_sub(other.requests);
        self.refusals = self.refusals.saturating_sub(other.refusals);
        self.cost = sum(self.cost, NanoUsd::from_nanos(other.cost.nanos().saturating_neg()));
        for class in Class::ALL {
            let there = self.counts.get_mut(*class);
            *there = there.saturating_sub(*other.counts.get(*class));
        }
        self.latency.subtract(&other.latency);
        self.first_byte.subtract(&other.first_byte);
    }

    /// True when nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is not a number of its own in the books, in a few bytes: counts by class, and both histograms. Each is a list of pairs
    /// of small numbers after its length; all numbers are in base 128, the lowest digits first, with the high bit where more follow.
    #[must_use]
    pub fn detail(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        let counts = self.counts.set().map(|(class, count)| (class.code(), count));
        write_pairs(&mut bytes, counts);
        write_pairs(&mut bytes, self.latency.iter());
        write_pairs(&mut bytes, self.first_byte.iter());
        bytes
    }

    /// Adds what [`Self::detail`] has told; none: it is nothing of that kind.
    #[must_use]
    pub fn with_detail(mut self, mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        read_pairs(bytes, |code, count| {
            *self.counts.get_mut(Class::of_code(code)?) = count;
            Some(())
        })?;
        for histogram in [&mut self.latency, &mut self.first_byte] {
            read_pairs(bytes, |bucket, count| {
                histogram.put(bucket, count);
                Some(())
            })?;
        }
        bytes.is_empty().then_some(self)
    }
}

fn sum(one: NanoUsd, other: NanoUsd) -> NanoUsd {
    NanoUsd::from_nanos(one.nanos().saturating_add(other.nanos()))
}

fn write_pairs(bytes: &mut Vec<u8>, pairs: impl Iterator<Item = (u8, u64)>) {
    let place = bytes.len();
    bytes.push(0);
    let mut length = 0_u8;
    for (key, count) in pairs {
        bytes.push(key);
        write_number(bytes, count);
        length = length.saturating_add(1);
    }
    if let Some(byte) = bytes.get_mut(place) {
        *byte = length;
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

fn read_pairs(bytes: &mut &[u8], mut take: impl FnMut(u8, u64) -> Option<()>) -> Option<()> {
    for _ in 0..next(bytes)? {
        take(next(bytes)?, read_number(bytes)?)?;
    }
    Some(())
}

fn next(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = next(bytes)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
