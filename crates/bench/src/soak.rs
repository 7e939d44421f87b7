//! Half load of every kind for a long time: whole answers, streams, streams that are cut, refusals, edits, rotations. Afterwards nothing
//! may have grown or be left over, and the books must be what the upstream has answered.

mod beside;
mod checks;
mod mix;
mod samples;

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tempfile::TempDir;

use crate::load::{self, Calls, Until};
use crate::rig::{Cores, Keys, Keyward, Started, Surroundings, Upstream, Used, configuration, version};
use checks::{Check, Checks};
use samples::{Open, Sample};

/// Between the pieces of a stream.
const GAP_MS: u64 = 10;
const KEYS: usize = 1_000;
/// How many connections ask while it is measured what half load is.
const CONNECTIONS: usize = 128;
/// How long that is measured.
const MEASURED: Duration = Duration::from_secs(10);
/// The share of its core that Keyward shall be busy with.
const LOAD: f64 = 0.5;
/// More calls in a second than the load and the upstream can make on their core.
const MOST: f64 = 20_000.0;
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keyward's binary
    #[arg(long)]
    keyward: PathBuf,
    /// Where the logs of what runs are kept
    #[arg(long)]
    logs: PathBuf,
    /// How long the load goes on, in minutes
    #[arg(long)]
    minutes: u64,
}

#[derive(Serialize)]
pub(crate) struct Report {
    settings: Settings,
    version: String,
    checks: Vec<Check>,
    samples: Vec<Sample>,
}

#[derive(Serialize)]
struct Settings {
    minutes: u64,
    virtual_keys: usize,
    calls_per_second: u32,
    /// Of a thousand calls.
    mix: &'static [(&'static str, usize)],
}

/// Loads a server, and looks at it.
///
/// # Errors
/// When it does not start, or cannot be asked. What is not as it must be is in the report.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let cores = Cores::of_this_process()?;
    let directory = TempDir::new()?;
    let around = Surroundings { directory: directory.path(), logs: &options.logs, cores: &cores };
    let upstream = Upstream::start(GAP_MS)?;
    let keyward = Keyward::new(&options.keyward, "soak", around);
    let started = keyward.start(Some(&configuration(upstream.address, Keys::Governed(KEYS))?), PATIENCE).await?;
    let calls = mix::calls(&started, KEYS).await?;
    let at_first = Open::of(&started)?;
    let per_second = half_load(&started, &calls).await?;
    // The same things that are done beside the load, once, so that what they need for the first time is there.
    beside::warm_up(&started).await?;
    let before = samples::at_rest(&started, at_first).await?;

    let time = Duration::from_secs(options.minutes * 60);
    eprintln!("{per_second} calls in a second for {} minutes", options.minutes);
    let is_over = Cell::new(false);
    let load = async {
        let outcome = load::open(started.address, &calls, per_second, time).await;
        is_over.set(true);
        outcome
    };
    let (outcome, beside) = tokio::join!(load, beside::until(&started, &is_over, time));
    let samples = beside.as_ref().map_or_else(|_| Vec::new(), Clone::clone);

    let after = samples::at_rest(&started, before).await?;
    let mut checks = Checks::default();
    checks.answers(&outcome, &beside);
    checks.memory(&samples);
    checks.nothing_left(before, after);
    checks.holds(&started).await?;
    let counts = load::text(upstream.address, crate::upstream::COUNTS).await?;
    checks.books(&keyward, started, &counts).await?;
    let settings =
        Settings { minutes: options.minutes, virtual_keys: KEYS, calls_per_second: per_second, mix: &mix::MIX };
    Ok(Report { settings, version: version(&options.keyward, "--version")?, checks: checks.all(), samples })
}

/// How many calls of the mix in a second keep it busy for half of the time.
async fn half_load(started: &Started, calls: &Calls) -> Result<u32> {
    let used = Used::now(started.program.id())?;
    let outcome = load::closed(started.address, calls, CONNECTIONS, Until::Elapsed(MEASURED)).await?;
    let per_second = LOAD * 1e6 / used.each(&outcome).await?;
    // A number of calls that fits, whatever it is rounded to.
    Ok(format!("{:.0}", per_second.clamp(1.0, MOST)).parse()?)
}
