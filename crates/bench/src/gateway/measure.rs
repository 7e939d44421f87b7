//! One round of one subject.

use std::time::Duration;

use anyhow::{Context, Result};

use super::figures::{
    CPU_PER_REQUEST, CPU_PER_STREAM, FIRST_PIECE_P50, FIRST_PIECE_P99, Figures, LOADED_P50, LOADED_P99, MEMORY,
    PACED_P50, PACED_P99, REFUSALS, REQUESTS_PER_SECOND,
};
use super::subject::{Pace, Subject};
use crate::load::{self, Calls, Latencies, Outcome, Until};
use crate::rig::{self, Used, as_float, mebibytes};

/// How long the load goes on before anything is counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// The same of those that are asked less: they compile while they run.
const LONG_WARM_UP: Duration = Duration::from_secs(5);

/// Full load, then a low rate, then streams, then refusals.
///
/// # Errors
/// When an answer is not what the upstream sent.
pub(super) async fn round(subject: &Subject, time: Duration) -> Result<Figures> {
    let mut figures = Figures::new();
    let (address, pace) = (subject.address, subject.pace);
    let warm_up = Until::Elapsed(if pace == Pace::FULL { WARM_UP } else { LONG_WARM_UP });
    load::closed(address, &subject.completions, pace.connections, warm_up).await?;
    let full = full_load(subject, &subject.completions, time, CPU_PER_REQUEST, &mut figures).await?;
    figures.insert(REQUESTS_PER_SECOND, per_second(&full));
    figures.extend(percentiles(&full.whole, [LOADED_P50, LOADED_P99]));

    let paced = load::open(address, &subject.completions, pace.requests_per_second, time).await?;
    figures.extend(percentiles(&paced.whole, [PACED_P50, PACED_P99]));

    if !subject.streams.is_empty() {
        streams(subject, time, &mut figures).await?;
    }
    for (name, calls) in &subject.refusals {
        let known = REFUSALS.iter().find(|(refusal, ..)| refusal == name);
        let (_, cpu, rate) = known.context("a refusal that has no figure")?;
        let refused = full_load(subject, calls, time / 2, cpu, &mut figures).await?;
        figures.insert(rate, per_second(&refused));
    }
    figures.extend(memory(subject)?.map(|memory| (MEMORY, memory)));
    Ok(figures)
}

/// The memory after so many requests more, in MiB; none of a subject that has no process.
pub(super) async fn memory_after(subject: &Subject, requests: u64) -> Result<Option<f64>> {
    load::closed(subject.address, &subject.completions, subject.pace.connections, Until::Made(requests)).await?;
    memory(subject)
}

async fn streams(subject: &Subject, time: Duration, figures: &mut Figures) -> Result<()> {
    let used = used(subject)?;
    let streamed = load::open(subject.address, &subject.streams, subject.pace.streams_per_second, time).await?;
    if let Some(used) = used {
        figures.insert(CPU_PER_STREAM, used.each(&streamed).await?);
    }
    figures.extend(percentiles(&streamed.first, [FIRST_PIECE_P50, FIRST_PIECE_P99]));
    Ok(())
}

async fn full_load(
    subject: &Subject,
    calls: &Calls,
    time: Duration,
    cpu: &'static str,
    figures: &mut Figures,
) -> Result<Outcome> {
    let used = used(subject)?;
    let full = load::closed(subject.address, calls, subject.pace.connections, Until::Elapsed(time)).await?;
    if let Some(used) = used {
        figures.insert(cpu, used.each(&full).await?);
    }
    Ok(full)
}

fn used(subject: &Subject) -> Result<Option<Used>> {
    subject.program.as_ref().map(|program| Used::now(program.id())).transpose()
}

fn memory(subject: &Subject) -> Result<Option<f64>> {
    let bytes = subject.program.as_ref().map(|program| rig::memory(program.id())).transpose()?;
    Ok(bytes.map(mebibytes))
}

fn per_second(outcome: &Outcome) -> f64 {
    as_float(outcome.completed) / outcome.elapsed.as_secs_f64()
}

fn percentiles(latencies: &Latencies, names: [&'static str; 2]) -> [(&'static str, f64); 2] {
    let [p50, p99] = names;
    let micros = |percent| latencies.percentile(percent).as_secs_f64() * 1e6;
    [(p50, micros(50.0)), (p99, micros(99.0))]
}
