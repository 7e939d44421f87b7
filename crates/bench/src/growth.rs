//! How costs grow with what there is: each curve has points, each point the figures of a server with so much of something.

mod bodies;
mod connections;
mod curve;
mod keys;
mod ledger;
mod meters;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use tempfile::TempDir;

use crate::load::{self, Calls, Until};
use crate::rig::{self, Cores, Keyward, Started, Surroundings, Upstream, Used, as_float, mebibytes, version};
use crate::spread::Spread;
use curve::{Curve, Figures};

/// How many connections ask, where their number is not what grows.
const CONNECTIONS: usize = 64;
/// How long the load goes on before anything is counted.
const WARM_UP: Until = Until::Elapsed(Duration::from_millis(500));
/// How long a server may take until it answers: one with a million virtual keys takes its time.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    VirtualKeys,
    Meters,
    Connections,
    Bodies,
    Ledger,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keyward's binary
    #[arg(long)]
    keyward: PathBuf,
    /// Where the logs of what runs are kept
    #[arg(long)]
    logs: PathBuf,
    /// Which curves are measured; without it all
    #[arg(long = "curve")]
    curves: Vec<Which>,
    /// How often each figure is measured
    #[arg(long)]
    rounds: usize,
    /// How long each figure is measured, in seconds
    #[arg(long)]
    seconds: u64,
    /// How many virtual keys there are at most
    #[arg(long)]
    virtual_keys: usize,
    /// Give virtual keys no budget of their own
    #[arg(long)]
    bare_keys: bool,
    /// How many meters count a request at most
    #[arg(long)]
    meters: usize,
    /// How many connections there are at most
    #[arg(long)]
    connections: usize,
    /// How long a request's body is at most, in bytes
    #[arg(long)]
    body_bytes: usize,
    /// How many entries the ledger has at most
    #[arg(long)]
    ledger_rows: usize,
}

#[derive(Serialize)]
pub(crate) struct Report {
    settings: Settings,
    version: String,
    curves: Vec<Curve>,
}

#[derive(Serialize)]
struct Settings {
    rounds: usize,
    seconds: u64,
    connections: usize,
    /// Whether virtual keys have no budget of their own.
    bare_keys: bool,
}

/// What the curves are measured with.
struct Growth<'run> {
    options: &'run Options,
    around: Surroundings<'run>,
    upstream: Upstream,
}

/// Measures the curves, one after the other, each with servers of its own.
///
/// # Errors
/// When a server does not start, or an answer is not as it should be.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let cores = Cores::of_this_process()?;
    let directory = TempDir::new()?;
    let around = Surroundings { directory: directory.path(), logs: &options.logs, cores: &cores };
    let growth = Growth { options, around, upstream: Upstream::start(0)? };
    let mut curves = Vec::new();
    for which in Which::value_variants() {
        if !options.curves.is_empty() && !options.curves.contains(which) {
            continue;
        }
        curves.push(match which {
            Which::VirtualKeys => keys::measure(&growth).await?,
            Which::Meters => meters::measure(&growth).await?,
            Which::Connections => connections::measure(&growth).await?,
            Which::Bodies => bodies::measure(&growth).await?,
            Which::Ledger => ledger::measure(&growth).await?,
        });
    }
    let settings = Settings {
        rounds: options.rounds,
        seconds: options.seconds,
        connections: CONNECTIONS,
        bare_keys: options.bare_keys,
    };
    Ok(Report { settings, version: version(&options.keyward, "--version")?, curves })
}

impl Growth<'_> {
    fn keyward(&self, name: &str) -> Keyward<'_> {
        Keyward::new(&self.options.keyward, name, self.around)
    }

    /// Full load, several times: what a request costs, how long it takes, and how many there are in a second.
    async fn load(&self, started: &Started, calls: &Calls, connections: usize, figures: &mut Figures) -> Result<()> {
        let (address, time) = (started.address, Duration::from_secs(self.options.seconds));
        load::closed(address, calls, connections, WARM_UP).await?;
        let (mut cpu, mut rate, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            let used = Used::now(started.program.id())?;
            let outcome = load::closed(address, calls, connections, Until::Elapsed(time)).await?;
            cpu.push(used.each(&outcome).await?);
            rate.push(as_float(outcome.completed) / outcome.elapsed.as_secs_f64());
            p50.push(outcome.whole.percentile(50.0).as_secs_f64() * 1e6);
            p99.push(outcome.whole.percentile(99.0).as_secs_f64() * 1e6);
        }
        for (figure, values) in [(curve::CPU, cpu), (curve::RATE, rate), (curve::P50, p50), (curve::P99, p99)] {
            figures.extend(Spread::of(&values).map(|spread| (figure.0, spread)));
        }
        figures.extend(
            Spread::of(&[mebibytes(rig::memory(started.program.id())?)]).map(|spread| (curve::MEMORY.0, spread)),
        );
        Ok(())
    }

    /// Starts a server on what is there, several times. Returns the last one, which runs.
    async fn starts(&self, keyward: &Keyward<'_>, figures: &mut Figures) -> Result<Started> {
        let mut taken = Vec::new();
        loop {
            let started = keyward.start(None, PATIENCE).await?;
            taken.push(started.within.as_secs_f64() * 1e3);
            if taken.len() >= self.options.rounds {
                figures.extend(Spread::of(&taken).map(|spread| (curve::START.0, spread)));
                return Ok(started);
            }
            started.program.end().await?;
        }
    }
}

/// Steps up to a greatest one, which is one of them.
fn ladder(steps: &[usize], most: usize) -> Vec<usize> {
    steps.iter().copied().filter(|step| *step < most).chain([most]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_ends_where_it_should() {
        assert_eq!(ladder(&[1, 10, 100], 100), [1, 10, 100]);
        assert_eq!(ladder(&[1, 10, 100], 50), [1, 10, 50]);
        assert_eq!(ladder(&[1, 10, 100], 1), [1]);
    }
}
