//! How long things took.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

/// How long one operation takes, over many times that it was done, one after the other. All in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Timings {
    operation: String,
    times: usize,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Timings {
    /// Does the operation so many times.
    pub(crate) async fn of(
        operation: impl Into<String>,
        times: usize,
        mut once: impl AsyncFnMut(usize) -> Result<()>,
    ) -> Result<Self> {
        let mut taken = Vec::with_capacity(times);
        for number in 0..times {
            let begin = Instant::now();
            once(number).await?;
            taken.push(begin.elapsed());
        }
        Ok(Self::new(operation.into(), taken))
    }

    fn new(operation: String, mut taken: Vec<Duration>) -> Self {
        taken.sort();
        let at = |percent| milliseconds(percentile(&taken, percent));
        Self { times: taken.len(), p50_ms: at(50), p95_ms: at(95), p99_ms: at(99), max_ms: at(100), operation }
    }
}

/// The smallest of the sorted durations that this many of a hundred do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_measurements() {
        let taken: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let at = |percent| percentile(&taken, percent).as_millis();
        assert_eq!((at(50), at(95), at(99), at(100)), (100, 190, 198, 200));
        assert_eq!(percentile(&taken[..1], 95).as_millis(), 1);
        assert_eq!(percentile(&[], 95), Duration::ZERO);
    }
}
