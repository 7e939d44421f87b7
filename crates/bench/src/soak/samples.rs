//! What the server has, every now and then.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::rig::{self, Started, mebibytes};

/// The longest that is waited until what was open is closed: connections to upstreams are kept for a minute, threads that have nothing to do
/// for ten seconds.
const REST: Duration = Duration::from_secs(120);

/// What a process has that must not become more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Open {
    pub(super) sockets: u64,
    /// Descriptors that are no sockets.
    pub(super) others: u64,
    pub(super) threads: u64,
}

impl Open {
    fn is_at_most(self, before: Self) -> bool {
        let Self { sockets, others, threads } = self;
        sockets <= before.sockets && others <= before.others && threads <= before.threads
    }

    pub(super) fn of(started: &Started) -> Result<Self> {
        let (process, descriptors) = (started.program.id(), rig::descriptors(started.program.id())?);
        let threads = rig::threads(process)?;
        Ok(Self { sockets: descriptors.sockets, others: descriptors.others, threads })
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    seconds: u64,
    pub(super) memory_mib: f64,
    open: Open,
}

impl Sample {
    pub(super) fn of(started: &Started, elapsed: Duration) -> Result<Self> {
        let memory_mib = mebibytes(rig::memory(started.program.id())?);
        Ok(Self { seconds: elapsed.as_secs(), memory_mib, open: Open::of(started)? })
    }
}

/// What is open when nobody asks anything any more: waits until there is no more than before.
pub(super) async fn at_rest(started: &Started, before: Open) -> Result<Open> {
    let mut waited = Duration::ZERO;
    loop {
        let open = Open::of(started)?;
        if open.is_at_most(before) || waited >= REST {
            return Ok(open);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        waited += Duration::from_secs(1);
    }
}

/// By how many percent the memory has grown, from the second fifth of the time to the last: what comes before is warming up.
pub(super) fn growth(samples: &[Sample]) -> Option<f64> {
    let fifth = samples.len() / 5;
    let median = |from: usize| {
        let values: Vec<_> = samples.get(from..from + fifth)?.iter().map(|sample| sample.memory_mib).collect();
        crate::spread::median(&values)
    };
    let (early, late) = (median(fifth)?, median(samples.len() - fifth)?);
    Some((late / early - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(memory: impl Fn(u8) -> f64) -> Option<f64> {
        let open = Open { sockets: 1, others: 1, threads: 1 };
        let sample = |number| Sample { seconds: u64::from(number), memory_mib: memory(number), open };
        growth(&(0..50).map(sample).collect::<Vec<_>>())
    }

    #[test]
    fn what_grows_while_it_warms_up_does_not_count() {
        assert_eq!(grown(|number| if number < 10 { f64::from(number) } else { 50.0 }), Some(0.0));
        let leaking = grown(|number| 100.0 + f64::from(number)).unwrap();
        assert!(leaking > 20.0, "{leaking}");
        assert_eq!(growth(&[]), None);
    }
}
