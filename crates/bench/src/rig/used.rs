//! The processor time that a program takes for what it is asked.

use std::time::Duration;

use anyhow::Result;

use super::{as_float, processes};
use crate::load::Outcome;

/// Between two looks at whether a process has come to rest.
const LOOK: Duration = Duration::from_millis(250);
/// The longest that is waited for it.
const REST: Duration = Duration::from_secs(5);
/// What a process at rest may use between two looks: one clock tick, the smallest that is told.
const TICK: Duration = Duration::from_millis(10);

/// The processor time of a process and of all below it, until now.
pub(crate) struct Used {
    process: u32,
    before: Duration,
}

impl Used {
    pub(crate) fn now(process: u32) -> Result<Self> {
        Ok(Self { process, before: processes::processor_time(process)? })
    }

    /// What each of the calls took since then, in microseconds. Work that is left for later, such as a batch of the ledger, is waited for
    /// and counted.
    pub(crate) async fn each(self, outcome: &Outcome) -> Result<f64> {
        let mut now = processes::processor_time(self.process)?;
        let mut waited = Duration::ZERO;
        while waited < REST {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
            let last = std::mem::replace(&mut now, processes::processor_time(self.process)?);
            if now.saturating_sub(last) <= TICK {
                break;
            }
        }
        Ok(now.saturating_sub(self.before).as_secs_f64() * 1e6 / as_float(outcome.completed))
    }
}
