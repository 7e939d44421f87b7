//! Chance that is the same in every run.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use uuid::{Builder, Uuid};

/// Where it begins.
const SEED: u64 = 7;

pub(super) struct Chance(StdRng);

impl Chance {
    pub(super) fn new() -> Self {
        Self(StdRng::seed_from_u64(SEED))
    }

    /// A whole number from `least` up to, but not including, `end`.
    pub(super) fn number(&mut self, least: i64, end: i64) -> i64 {
        self.0.random_range(least..end.max(least + 1))
    }

    /// One of them, each as likely as its weight is; none of an empty list.
    pub(super) fn weighted<'a, T>(&mut self, of: &'a [T], weight: impl Fn(&T) -> i64) -> Option<&'a T> {
        let mut left = self.number(0, of.iter().map(&weight).sum());
        of.iter().find(|one| {
            left -= weight(one);
            left < 0
        })
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }
}
