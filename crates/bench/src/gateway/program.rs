//! A program that runs as long as a value, and the files that it is told what to do by.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;

/// How long a program may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that runs. It is asked to end when this value is dropped.
pub(super) struct Program(Child);

impl Program {
    pub(super) const fn new(child: Child) -> Self {
        Self(child)
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it takes connections.
    pub(super) async fn listens(&mut self, address: SocketAddr) -> Result<()> {
        let begin = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.0.try_wait()? {
                bail!("it ended with {status} instead of listening on {address}: see its log");
            }
            ensure!(begin.elapsed() < PATIENCE, "it does not listen on {address}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
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
pub(super) fn logged(binary: &Path, log: &Path) -> Result<Command> {
    let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(binary);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// The first line of what a program says about its version, on whichever of its outputs.
pub(super) fn version(binary: &Path, argument: &str) -> Result<String> {
    let output = Command::new(binary).arg(argument).output().with_context(|| binary.display().to_string())?;
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim().to_owned())
}

/// An address that nobody listens on at the moment.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// A configuration with its placeholders filled: `{{name}}` becomes the value.
pub(super) fn filled(template: &str, values: &[(&str, &str)]) -> Result<String> {
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
