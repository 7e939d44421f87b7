//! What is measured: something that takes chat completions at an address, and the process that does it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result};

use super::cores::Cores;
use super::program::Program;
use crate::answers;
use crate::load::{Call, Calls};

/// A key that nobody has been given.
const UNKNOWN_KEY: &str = "sk-bf-ffffffff-ffff-4fff-8fff-ffffffffffff";

/// Where subjects are started.
pub(super) struct Surroundings<'run> {
    pub(super) directory: &'run Path,
    pub(super) logs: &'run Path,
    pub(super) cores: &'run Cores,
}

pub(super) struct Subject {
    pub(super) name: &'static str,
    /// What it says about its version; empty for the upstream itself.
    pub(super) version: String,
    pub(super) address: SocketAddr,
    /// Who does the work; nothing for the upstream itself, which is the control.
    pub(super) program: Option<Rc<Program>>,
    pub(super) completions: Calls,
    pub(super) streams: Calls,
    /// Calls that it refuses, by the name of the refusal.
    pub(super) refusals: Vec<(&'static str, Calls)>,
}

impl Subject {
    /// The upstream with nothing before it.
    pub(super) fn direct(address: SocketAddr) -> Self {
        let keys = [UNKNOWN_KEY.to_owned()];
        Self {
            name: "direct",
            version: String::new(),
            address,
            program: None,
            completions: completions(address, &keys),
            streams: streams(address, &keys),
            refusals: Vec::new(),
        }
    }

    /// A gateway that knows these keys, and no others.
    pub(super) fn gateway(name: &'static str, version: String, address: SocketAddr, keys: &[String]) -> Self {
        let (completions, streams) = (completions(address, keys), streams(address, keys));
        let refusals = vec![("401", refusals(address, UNKNOWN_KEY, 401))];
        Self { name, version, address, program: None, completions, streams, refusals }
    }

    pub(super) fn run_by(self, program: Rc<Program>) -> Self {
        Self { program: Some(program), ..self }
    }
}

/// A call for each key.
fn completions(address: SocketAddr, keys: &[String]) -> Calls {
    let (request, answer) = (answers::completion_request(), answers::completion());
    keys.iter().map(|key| Call::new(address, key, &request, 200, Some(answer.clone()))).collect()
}

fn streams(address: SocketAddr, keys: &[String]) -> Calls {
    let (request, answer) = (answers::stream_request(), answers::stream().concat());
    keys.iter().map(|key| Call::new(address, key, &request, 200, Some(answer.clone().into()))).collect()
}

/// Calls that are answered with a status, whatever else is in the answer.
pub(super) fn refusals(address: SocketAddr, key: &str, status: u16) -> Calls {
    [Call::new(address, key, &answers::completion_request(), status, None)].into()
}

/// The mock upstream, in a process of its own beside the load.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    _program: Program,
}

impl Upstream {
    pub(super) fn start(gap_ms: u64) -> Result<Self> {
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
