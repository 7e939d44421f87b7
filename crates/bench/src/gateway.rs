//! The gateway beside what people would use instead: each on one core, the upstream and the load on another, in turns.

mod figures;
mod keyward;
mod measure;
mod peers;
mod report;
mod subject;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::rig::{Cores, Surroundings, Upstream};
use figures::{Figures, MEMORY_AFTER};
use peers::Peers;
pub(crate) use report::Report;
use report::Settings;
use subject::{Pace, Subject};

/// What is measured for its own sake: when it fails, everything does.
const OURS: [&str; 2] = ["direct", "keyward"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keyward's binary
    #[arg(long)]
    keyward: PathBuf,
    #[command(flatten)]
    peers: Peers,
    /// How often everything is measured
    #[arg(long)]
    rounds: u32,
    /// How long each figure of a round is measured, in seconds
    #[arg(long)]
    seconds: u64,
    /// After how many requests, besides those of the rounds, the memory is looked at
    #[arg(long)]
    memory_after: u64,
    /// Where the logs of what runs are kept
    #[arg(long)]
    logs: PathBuf,
}

/// What each subject has done in one round.
type Round = BTreeMap<&'static str, Figures>;

/// Starts everything, measures, and ends everything.
///
/// # Errors
/// When Keyward or the upstream does not start, or any of their answers is not as it should be. A peer that fails is named, and not measured.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let settings = Settings::new(options.rounds, options.seconds, options.memory_after);
    let cores = Cores::of_this_process()?;
    let directory = TempDir::new()?;
    let around = Surroundings { directory: directory.path(), logs: &options.logs, cores: &cores };
    let upstream = Upstream::start(settings.gap_ms)?;
    let (mut subjects, mut not_measured) = (vec![Subject::direct(upstream.address)], Vec::new());
    subjects.extend(options.peers.start(upstream.address, around, &mut not_measured).await);
    subjects.push(keyward::start(&options.keyward, upstream.address, settings.virtual_keys, around).await?);
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        eprintln!("round {number} of {}", options.rounds);
        rounds.push(round(&mut subjects, Duration::from_secs(options.seconds), &mut not_measured).await?);
    }
    if let Some(last) = rounds.last_mut() {
        remember(&subjects, options.memory_after, last).await?;
    }
    Report::new(settings, &subjects, rounds, not_measured)
}

/// Measures every subject. A peer that fails is no subject any more.
async fn round(subjects: &mut Vec<Subject>, time: Duration, not_measured: &mut Vec<String>) -> Result<Round> {
    let mut round = Round::new();
    let mut failed = Vec::new();
    for subject in subjects.iter() {
        eprintln!("  {}", subject.name);
        match measure::round(subject, time).await {
            Ok(figures) => _ = round.insert(subject.name, figures),
            Err(error) if OURS.contains(&subject.name) => return Err(error.context(subject.name)),
            Err(error) => {
                not_measured.push(format!("{}: {error:#}", subject.name));
                failed.push(subject.name);
            }
        }
    }
    subjects.retain(|subject| !failed.contains(&subject.name));
    Ok(round)
}

/// Looks at the memory of those that are fast enough to be asked so much.
async fn remember(subjects: &[Subject], requests: u64, round: &mut Round) -> Result<()> {
    for subject in subjects.iter().filter(|subject| subject.pace == Pace::FULL) {
        eprintln!("memory after {requests} requests: {}", subject.name);
        let memory = measure::memory_after(subject, requests).await?;
        if let Some(figures) = round.get_mut(subject.name) {
            figures.extend(memory.map(|memory| (MEMORY_AFTER, memory)));
        }
    }
    Ok(())
}
