//! Measurements: published builds on fresh databases, programs that ask them for things, and tables of what they say.

mod counts;
pub(crate) mod gate;
mod gateway;
mod management;
mod peers;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;

use crate::process::root;

#[derive(Subcommand)]
pub(crate) enum Suite {
    /// How many instructions the hot path takes, against the baseline (Linux on x86-64, valgrind)
    Gate(gate::Options),
    /// The gateway with everything on, beside nginx and haproxy, each on one core (Linux, two cores)
    Gateway(gateway::Options),
    /// The management API and the start of the server, with many virtual keys on SQLite
    Management {
        /// How many virtual keys are stored while it is measured
        #[arg(long, default_value_t = 100_000)]
        virtual_keys: usize,
        /// How often a virtual key is created and read; lists are read a tenth as often
        #[arg(long, default_value_t = 1_000)]
        times: usize,
    },
    /// Which of the programs that the gateway is compared with are installed
    Peers {
        /// Install those that are missing (Debian, as root)
        #[arg(long)]
        install: bool,
    },
}

/// Measures, prints tables, and keeps the figures in `target/bench/`.
pub(crate) fn run(suite: &Suite) -> Result<()> {
    match suite {
        Suite::Gate(options) => gate::run(options),
        Suite::Gateway(options) => gateway::run(options),
        Suite::Management { virtual_keys, times } => management::run(*virtual_keys, *times),
        Suite::Peers { install } => peers::run(*install),
    }
}

fn results() -> Result<PathBuf> {
    let results = Path::new(root()).join("target").join("bench");
    fs::create_dir_all(&results)?;
    Ok(results)
}
