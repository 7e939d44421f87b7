//! Durations, counted in fixed buckets that are the same everywhere, so that histograms add up.

use std::time::Duration;

/// Below this many milliseconds each has a bucket of its own.
const EXACT: u32 = 16;
/// Into how many buckets of the same width each doubling is cut.
const STEPS: u32 = 8;
/// The binary logarithm of [`STEPS`].
const STEP_BITS: u32 = 3;
/// The binary logarithm of [`EXACT`].
const EXACT_BITS: u32 = 4;

/// How many durations fell in which bucket. Durations count in whole milliseconds.
///
/// From 16 ms on, a bucket is an eighth of the power of two that it begins after, and stands for its middle: whatever is read
/// from a histogram is within a sixteenth (6.25 %) of what was recorded. The last bucket ends after 49 days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    /// Buckets with something in them, in order.
    counts: Vec<(u8, u64)>,
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        let millis = duration.saturating_add(Duration::from_micros(500)).as_millis();
        self.change(bucket(u32::try_from(millis).unwrap_or(u32::MAX)), 1, u64::saturating_add);
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        other.counts.iter().for_each(|(bucket, count)| self.change(*bucket, *count, u64::saturating_add));
    }

    /// Takes off what another has counted.
    pub fn subtract(&mut self, other: &Self) {
        other.counts.iter().for_each(|(bucket, count)| self.change(*bucket, *count, u64::saturating_sub));
        self.counts.retain(|(_, count)| *count > 0);
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The duration, in milliseconds, that so many of a thousand do not exceed; none: nothing was counted.
    #[must_use]
    pub fn quantile(&self, per_mille: u64) -> Option<u64> {
        let wanted = u128::from(self.count()) * u128::from(per_mille);
        let mut seen = 0_u128;
        let reached = |(_, count): &&(u8, u64)| {
            seen += u128::from(*count) * 1_000;
            seen >= wanted
        };
        self.counts.iter().find(reached).map(|(bucket, _)| middle(*bucket))
    }

    /// Each bucket with something in it, in order: its number, and how much.
    pub fn iter(&self) -> impl Iterator<Item = (u8, u64)> {
        self.counts.iter().copied()
    }

    /// Puts so many into a bucket.
    pub(super) fn put(&mut self, bucket: u8, count: u64) {
        self.change(bucket, count, u64::saturating_add);
    }

    fn change(&mut self, bucket: u8, by: u64, change: impl Fn(u64, u64) -> u64) {
        match self.counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => {
                if let Some((_, count)) = self.counts.get_mut(place) {
                    *count = change(*count, by);
                }
            }
            Err(place) => self.counts.insert(place, (bucket, change(0, by))),
        }
    }
}

/// The bucket of a number of milliseconds.
fn bucket(millis: u32) -> u8 {
    let number = match millis.checked_ilog2() {
        Some(exponent) if exponent >= EXACT_BITS => {
            let step = (millis >> (exponent - STEP_BITS)) & (STEPS - 1);
            EXACT + STEPS * (exponent - EXACT_BITS) + step
        }
        Some(_) | None => millis,
    };
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The middle of a bucket, in milliseconds.
fn middle(bucket: u8) -> u64 {
    let number = u32::from(bucket);
    let Some(beyond) = number.checked_sub(EXACT) else { return number.into() };
    let (exponent, step) = (EXACT_BITS + beyond / STEPS, beyond % STEPS);
    let width = 1_u64 << (exponent - STEP_BITS);
    (u64::from(STEPS + step) * width).saturating_add(width / 2)
}
