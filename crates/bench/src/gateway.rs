//! The gateway beside what people would use instead: each on one core, the upstream and the load on another, in turns.

mod cores;
mod figures;
mod keyward;
mod machine;
mod measure;
mod peers;
mod processes;
mod program;
mod report;
mod subject;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use cores::Cores;
pub(crate) use report::Report;
use report::Settings;
use subject::{Subject, Upstream};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keyward's binary
    #[arg(long)]
    keyward: PathBuf,
    /// nginx's binary; without it nginx is not measured
    #[arg(long)]
    nginx: Option<PathBuf>,
    /// haproxy's binary; without it haproxy is not measured
    #[arg(long)]
    haproxy: Option<PathBuf>,
    /// How often everything is measured
    #[arg(long)]
    rounds: u32,
    /// How long each figure of a round is measured, in seconds
    #[arg(long)]
    seconds: u64,
    /// Where the logs of what runs are kept
    #[arg(long)]
    logs: PathBuf,
}

/// Starts everything, measures, and ends everything.
///
/// # Errors
/// When something does not start, or any answer is not what the upstream sent.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let settings = Settings::new(options.rounds, options.seconds);
    let cores = Cores::of_this_process()?;
    let directory = TempDir::new()?;
    let surroundings = subject::Surroundings { directory: directory.path(), logs: &options.logs, cores: &cores };
    let upstream = Upstream::start(settings.gap_ms)?;
    let mut subjects = vec![Subject::direct(upstream.address)];
    if let Some(nginx) = &options.nginx {
        subjects.extend(peers::nginx(nginx, upstream.address, &surroundings).await?);
    }
    if let Some(haproxy) = &options.haproxy {
        subjects.push(peers::haproxy(haproxy, upstream.address, &surroundings).await?);
    }
    subjects.push(keyward::start(&options.keyward, upstream.address, settings.virtual_keys, &surroundings).await?);
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        let mut round = Vec::with_capacity(subjects.len());
        for subject in &subjects {
            eprintln!("round {number} of {}: {}", options.rounds, subject.name);
            round.push(measure::round(subject, &settings, Duration::from_secs(options.seconds)).await?);
        }
        rounds.push(round);
    }
    Report::new(settings, &subjects, &rounds)
}
