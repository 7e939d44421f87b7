//! What every measurement stands on: cores, programs, Keyward itself, the mock upstream, and what a process uses.

mod cores;
mod keyward;
mod processes;
mod program;
mod settings;
mod used;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

pub(crate) use cores::Cores;
pub(crate) use keyward::{Keyward, Started, entries_checked};
pub(crate) use processes::{descriptors, memory, threads};
pub(crate) use program::{Program, filled, free_address, logged, version};
pub(crate) use settings::{FIRST, Keys, LONE, POOR, RARE, configuration, secret};
pub(crate) use used::Used;

/// Where programs are started.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'run> {
    pub(crate) directory: &'run Path,
    pub(crate) logs: &'run Path,
    pub(crate) cores: &'run Cores,
}

/// The mock upstream, in a process of its own beside the load.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    _program: Program,
}

impl Upstream {
    pub(crate) fn start(gap_ms: u64) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["upstream", "--gap-ms", &gap_ms.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the upstream")?;
        let output = child.stdout.take().context("the upstream has no output")?;
        let program = Program::new(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(Self {
            address: line.trim().parse().context("the upstream did not say where it listens")?,
            _program: program,
        })
    }
}

/// A count as a number to divide; exact up to 2³², and larger than any that is meant.
pub(crate) fn as_float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Bytes as mebibytes.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    as_float(bytes / 1024) / 1024.0
}
