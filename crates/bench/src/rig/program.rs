//! A program that runs as long as a value, and the files that it is told what to do by.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;

/// How long a program may take to end when it is asked to.
const ENDING: Duration = Duration::from_secs(60);

/// A program that runs. It is asked to end when this value is dropped.
pub(crate) struct Program(Child);

impl Program {
    pub(crate) const fn new(child: Child) -> Self {
        Self(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it takes connections.
    pub(crate) async fn listens(&mut self, address: SocketAddr, patience: Duration) -> Result<()> {
        let begin = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.0.try_wait()? {
                bail!("it ended with {status} instead of listening on {address}: see its log");
            }
            ensure!(begin.elapsed() < patience, "it does not listen on {address}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Asks it to end, waits until it has, and says how long that took.
    ///
    /// # Errors
    /// When it does not end in time, or says that it failed.
    pub(crate) async fn end(mut self) -> Result<Duration> {
        let begin = Instant::now();
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        loop {
            if let Some(status) = self.0.try_wait()? {
                ensure!(status.success(), "it ended with {status}: see its log");
                return Ok(begin.elapsed());
            }
            ensure!(begin.elapsed() < ENDING, "it does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Asked, not killed: nginx has processes of its own to end.
        if let Ok(None) = self.0.try_wait() {
            let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
            let _ = self.0.wait();
        }
    }
}

/// A command whose output goes to a log.
pub(crate) fn logged(binary: &Path, log: &Path) -> Result<Command> {
    let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(binary);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// The first line of what a program says about its version, on whichever of its outputs.
pub(crate) fn version(binary: &Path, argument: &str) -> Result<String> {
    let output = Command::new(binary).arg(argument).output().with_context(|| binary.display().to_string())?;
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&said)
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned())
}

/// An address that nobody listens on at the moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// A configuration with its placeholders filled: `{{name}}` becomes the value.
pub(crate) fn filled(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("{{{{{name}}}}}"), value);
    let text = values.iter().fold(template.to_owned(), fill);
    ensure!(!text.contains("{{"), "a placeholder that nothing fills");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_filled() {
        let values = [("upstream", "127.0.0.1:1"), ("listen", "127.0.0.1:2")];
        assert_eq!(
            filled("a {{upstream}}; b {{listen}}; { c }", &values).unwrap(),
            "a 127.0.0.1:1; b 127.0.0.1:2; { c }"
        );
        assert!(filled("{{other}}", &values).is_err());
    }
}
