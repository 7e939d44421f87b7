//! How long things took, as a histogram of nanoseconds with three digits.

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

/// The longest that is told apart, in nanoseconds: a minute.
const LONGEST: u64 = 60_000_000_000;

pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, LONGEST, 3)?))
    }

    /// From when it should have begun until it was done.
    pub(crate) fn record(&mut self, intended: Instant, done: Instant) {
        let taken = done.saturating_duration_since(intended).as_nanos();
        self.0.saturating_record(u64::try_from(taken).unwrap_or(LONGEST));
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// What this many of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_percentile(percent))
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::Schedule;
    use super::*;

    #[test]
    fn a_call_that_began_late_has_waited_too() {
        // A thousand calls a second, and an upstream that answers nothing for 100 ms, then all at once.
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 1_000);
        let stalled_until = begin + Duration::from_millis(100);
        let mut latencies = Latencies::new().unwrap();
        for number in 0..200 {
            let intended = schedule.intended(number);
            latencies.record(intended, intended.max(stalled_until));
        }
        let at = |percent| latencies.percentile(percent).as_millis();
        assert_eq!((at(50.0), at(75.0), at(100.0)), (0, 49, 99));
    }

    #[test]
    fn what_is_merged_counts_as_if_it_had_been_recorded() {
        let begin = Instant::now();
        let (mut short, mut long) = (Latencies::new().unwrap(), Latencies::new().unwrap());
        short.record(begin, begin + Duration::from_millis(1));
        long.record(begin, begin + Duration::from_millis(100));
        long.record(begin, begin + Duration::from_secs(100));
        short.merge(&long).unwrap();
        let at = |percent| short.percentile(percent).as_secs_f64();
        assert!((at(1.0) - 0.001).abs() < 1e-5 && (at(50.0) - 0.1).abs() < 1e-3 && at(100.0) >= 60.0);
    }
}
