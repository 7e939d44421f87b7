//! One round of one subject.

use std::time::Duration;

use anyhow::{Context, Result};

use super::figures::{
    CPU_PER_REQUEST, CPU_PER_STREAM, FIRST_PIECE_P50, FIRST_PIECE_P99, Figures, LOADED_P50, LOADED_P99, MEMORY,
    PACED_P50, PACED_P99, REFUSALS, REQUESTS_PER_SECOND,
};
use super::processes;
use super::report::Settings;
use super::subject::Subject;
use crate::load::{self, Latencies, Outcome};

/// How long the load goes on before anything is counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// Between two looks at whether a process has come to rest.
const LOOK: Duration = Duration::from_millis(250);
/// The longest that is waited for it.
const REST: Duration = Duration::from_secs(5);
/// What a process at rest may use between two looks: one clock tick, the smallest that is told.
const TICK: Duration = Duration::from_millis(10);

/// Full load, then a low rate, then streams, then refusals.
///
/// # Errors
/// When an answer is not what the upstream sent.
pub(super) async fn round(subject: &Subject, settings: &Settings, time: Duration) -> Result<Figures> {
    let mut figures = Figures::new();
    let address = subject.address;
    load::closed(address, &subject.completions, settings.connections, WARM_UP).await?;
    let used = Used::now(subject)?;
    let full = load::closed(address, &subject.completions, settings.connections, time).await?;
    insert(&mut figures, CPU_PER_REQUEST, used.each(&full).await?);
    figures.insert(REQUESTS_PER_SECOND, per_second(&full));
    figures.extend(percentiles(&full.whole, [LOADED_P50, LOADED_P99]));

    let paced = load::open(address, &subject.completions, settings.requests_per_second, time).await?;
    figures.extend(percentiles(&paced.whole, [PACED_P50, PACED_P99]));

    let used = Used::now(subject)?;
    let streamed = load::open(address, &subject.streams, settings.streams_per_second, time).await?;
    insert(&mut figures, CPU_PER_STREAM, used.each(&streamed).await?);
    figures.extend(percentiles(&streamed.first, [FIRST_PIECE_P50, FIRST_PIECE_P99]));

    for (name, calls) in &subject.refusals {
        let known = REFUSALS.iter().find(|(refusal, ..)| refusal == name);
        let (_, cpu, rate) = known.context("a refusal that has no figure")?;
        let used = Used::now(subject)?;
        let refused = load::closed(address, calls, settings.connections, time / 2).await?;
        insert(&mut figures, cpu, used.each(&refused).await?);
        figures.insert(rate, per_second(&refused));
    }
    if let Some(program) = &subject.program {
        figures.insert(MEMORY, mebibytes(processes::memory(program.id())?));
    }
    Ok(figures)
}

/// The processor time of a subject until now; nothing of one that has no process.
struct Used(Option<(u32, Duration)>);

impl Used {
    fn now(subject: &Subject) -> Result<Self> {
        let Some(program) = &subject.program else { return Ok(Self(None)) };
        Ok(Self(Some((program.id(), processes::processor_time(program.id())?))))
    }

    /// What each of the calls took since then, in microseconds. Work that is left for later, such as a batch of the ledger, is waited for
    /// and counted.
    async fn each(self, outcome: &Outcome) -> Result<Option<f64>> {
        let Some((id, before)) = self.0 else { return Ok(None) };
        let mut now = processes::processor_time(id)?;
        let mut waited = Duration::ZERO;
        while waited < REST {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
            let last = std::mem::replace(&mut now, processes::processor_time(id)?);
            if now.saturating_sub(last) <= TICK {
                break;
            }
        }
        let micros = now.saturating_sub(before).as_secs_f64() * 1e6;
        Ok((outcome.completed > 0).then(|| micros / as_float(outcome.completed)))
    }
}

fn insert(figures: &mut Figures, name: &'static str, value: Option<f64>) {
    figures.extend(value.map(|value| (name, value)));
}

fn per_second(outcome: &Outcome) -> f64 {
    as_float(outcome.completed) / outcome.elapsed.as_secs_f64()
}

fn percentiles(latencies: &Latencies, names: [&'static str; 2]) -> [(&'static str, f64); 2] {
    let [p50, p99] = names;
    let micros = |percent| latencies.percentile(percent).as_secs_f64() * 1e6;
    [(p50, micros(50.0)), (p99, micros(99.0))]
}

fn mebibytes(bytes: u64) -> f64 {
    as_float(bytes / 1024) / 1024.0
}

/// A count as a number to divide.
fn as_float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
