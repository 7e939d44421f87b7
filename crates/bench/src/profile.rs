//! Where the gateway's time goes under full load: what perf samples, as parts and as a tree of calls.

mod parts;
mod perf;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tempfile::TempDir;

use crate::load::{self, Until};
use crate::rig::{Cores, Keys, Keyward, Surroundings, Upstream, configuration, version};
use parts::{Part, Parts};
use tree::{Frame, Tree};

const KEYS: usize = 1_000;
const CONNECTIONS: usize = 64;
/// How long it is loaded before it is looked at.
const WARMING_UP: Duration = Duration::from_secs(3);
/// How much longer than perf looks the load goes on: perf needs some time to begin.
const MARGIN: u64 = 2;
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keyward's binary
    #[arg(long)]
    keyward: PathBuf,
    /// Where the logs of what runs are kept
    #[arg(long)]
    logs: PathBuf,
    /// How long it is looked at, in seconds
    #[arg(long)]
    seconds: u64,
}

#[derive(Serialize)]
pub(crate) struct Report {
    settings: Settings,
    versions: BTreeMap<&'static str, String>,
    samples: u64,
    parts: Vec<Part>,
    tree: Frame,
}

#[derive(Serialize)]
struct Settings {
    seconds: u64,
    samples_per_second: u32,
    connections: usize,
    virtual_keys: usize,
}

/// Loads a server that has everything on, and looks at it.
///
/// # Errors
/// When it does not start, an answer is not as it should be, or perf is missing or fails.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let versions = [("keyward", version(&options.keyward, "--version")?), ("perf", perf::version()?)].into();
    let cores = Cores::of_this_process()?;
    let directory = TempDir::new()?;
    let around = Surroundings { directory: directory.path(), logs: &options.logs, cores: &cores };
    let upstream = Upstream::start(0)?;
    let configuration = configuration(upstream.address, Keys::Governed(KEYS))?;
    let started = Keyward::new(&options.keyward, "profile", around).start(Some(&configuration), PATIENCE).await?;
    let calls = started.calls(KEYS);
    load::closed(started.address, &calls, CONNECTIONS, Until::Elapsed(WARMING_UP)).await?;
    let recording = perf::record(started.program.id(), options.seconds, directory.path())?;
    let until = Until::Elapsed(Duration::from_secs(options.seconds + MARGIN));
    load::closed(started.address, &calls, CONNECTIONS, until).await?;

    let (mut tree, mut parts) = (Tree::default(), Parts::default());
    recording.each_stack(|stack| {
        parts.count(stack);
        tree.add(stack);
    })?;
    let settings = Settings {
        seconds: options.seconds,
        samples_per_second: perf::FREQUENCY,
        connections: CONNECTIONS,
        virtual_keys: KEYS,
    };
    Ok(Report { settings, versions, samples: tree.samples(), parts: parts.all(), tree: tree.pruned() })
}
