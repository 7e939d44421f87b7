//! Which core does what: the gateway has one, everything else another.

use std::process::{Child, Command};

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

pub(crate) struct Cores {
    gateway: CpuSet,
    rest: CpuSet,
}

impl Cores {
    /// The first two that this process may use. It stays on the second from here on, and may have as many descriptors as it can.
    ///
    /// # Errors
    /// When it may use one only.
    pub(crate) fn of_this_process() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).map(only);
        let mut next = || cores.next().context("the gateway and the load need a core each, and there is one");
        let cores = Self { gateway: next()?, rest: next()? };
        // Thousands of connections are descriptors here and there.
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
        sched_setaffinity(None, &cores.rest)?;
        Ok(cores)
    }

    /// Starts a program on the gateway's core. A process has the cores of the thread that starts it.
    pub(crate) fn start_gateway(&self, command: &mut Command) -> Result<Child> {
        sched_setaffinity(None, &self.gateway)?;
        let child = command.spawn();
        sched_setaffinity(None, &self.rest)?;
        child.with_context(|| format!("cannot start {}", command.get_program().display()))
    }
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}
