//! The driver's process, on a port of its own, with every process that it starts.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

const PROGRAM: &str = "chromedriver";
const HOW_TO_GET: &str = "chromedriver is not installed; Debian has it: apt-get install chromium chromium-driver";

/// A driver that runs as long as this value.
pub(super) struct Driver {
    child: Child,
    /// Where it listens.
    pub(super) url: String,
    /// It may say more, and is stopped by nobody's not listening.
    _said: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts it, and waits until it listens.
    pub(super) fn start() -> Result<Self> {
        let mut command = Command::new(PROGRAM);
        // A group of its own has the browsers in it, which do not end with their driver.
        command.arg("--port=0").env("TZ", "UTC").process_group(0);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context(HOW_TO_GET)?;
        let mut said = BufReader::new(child.stdout.take().context("chromedriver has no output")?);
        let port = listening(&mut said);
        let mut driver = Self { child, url: String::new(), _said: said };
        driver.url = format!("http://127.0.0.1:{}", port?);
        Ok(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // What is gone already is what we want.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.child.wait();
    }
}

/// The port, which it says when it listens.
fn listening(said: &mut impl BufRead) -> Result<u16> {
    let (mut all, mut line) = (String::new(), String::new());
    while said.read_line(&mut line)? > 0 {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim().trim_end_matches('.').parse().context("chromedriver names no port");
        }
        all.push_str(&line);
        line.clear();
    }
    bail!("chromedriver did not start:\n{all}")
}
