//! Keyward as a program: started on a database, with a configuration file or without.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use keyward_client::{Client, Retries};
use serde_json::Value;

use super::Surroundings;
use super::program::{Program, free_address, logged};
use super::settings::{FIRST, secret};
use crate::answers;
use crate::load::{self, Call, Calls, Expected};

/// 32 zeroes.
const ROOT_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const USERNAME: &str = "bench";
const PASSWORD: &str = "not-a-real-password";

/// Its binary, and the database that it is started on.
pub(crate) struct Keyward<'run> {
    binary: &'run Path,
    around: Surroundings<'run>,
    /// Where the database is.
    pub(crate) database: PathBuf,
}

/// One that runs.
pub(crate) struct Started {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    /// From the start of the process until it answered.
    pub(crate) within: Duration,
}

impl<'run> Keyward<'run> {
    /// With a database of that name, which is made when it is not there.
    pub(crate) fn new(binary: &'run Path, name: &str, around: Surroundings<'run>) -> Self {
        Self { binary, around, database: around.directory.join(format!("{name}.db")) }
    }

    /// Where the database is, as Keyward is told it.
    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.database.display())
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it ends, or does not answer within the patience.
    pub(crate) async fn start(&self, configuration: Option<&Value>, patience: Duration) -> Result<Started> {
        let address = free_address()?;
        let mut command = logged(self.binary, &self.around.logs.join("keyward.log"))?;
        command.arg("serve");
        if let Some(configuration) = configuration {
            let file = self.around.directory.join("keyward.json");
            fs::write(&file, configuration.to_string())?;
            command.arg("--config").arg(file);
        }
        command
            .current_dir(self.around.directory)
            .env("KEYWARD_LISTEN", address.to_string())
            .env("DATABASE_URL", self.url())
            .env("KEYWARD_ROOT_KEY", ROOT_KEY)
            .env("KEYWARD_ADMIN_USERNAME", USERNAME)
            .env("KEYWARD_ADMIN_PASSWORD", PASSWORD)
            .env("KEYWARD_LOG", "info,actix_server=warn")
            .env("KEYWARD_LOG_FORMAT", "json");
        let begin = Instant::now();
        let mut program = Program::new(self.around.cores.start_gateway(&mut command)?);
        program.listens(address, patience).await?;
        // It takes connections before it has loaded what it needs, and answers then.
        let ready = [Call::get(address, "/readyz", Expected::Status(200))].into();
        tokio::time::timeout(patience, load::once(address, &ready)).await.context("it is not ready")??;
        Ok(Started { program, address, within: begin.elapsed() })
    }

    /// Runs another command of it on the database, which no server may use then. Returns what it prints.
    ///
    /// # Errors
    /// When the command fails.
    pub(crate) fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.binary);
        command.args(arguments).arg("--database-url").arg(self.url()).env("KEYWARD_ROOT_KEY", ROOT_KEY);
        let output = command.output()?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(output.status.success(), "{}: {said}", arguments.join(" "));
        Ok(said)
    }
}

impl Started {
    /// A call with each of so many virtual keys that may do everything.
    pub(crate) fn calls(&self, keys: usize) -> Calls {
        let call = |number| {
            let expected = Expected::Body(answers::completion());
            Call::chat(self.address, &secret(number), &[], &answers::completion_request(), expected)
        };
        (FIRST..keys).map(call).collect()
    }

    /// A client of the management API.
    pub(crate) fn manager(&self) -> Result<Client> {
        let client = Client::builder().base_url(&format!("http://{}", self.address)).retries(Retries::none());
        Ok(client.admin(USERNAME, PASSWORD).build()?)
    }
}

/// How many entries `ledger reconcile` says that it has checked: `2 counters and 7 entries were checked.`
///
/// # Errors
/// When it does not say so.
pub(crate) fn entries_checked(said: &str) -> Result<usize> {
    let words: Vec<_> = said.split_whitespace().collect();
    let before = words.windows(2).find_map(|pair| match pair {
        [number, "entries"] => number.parse().ok(),
        _ => None,
    });
    before.with_context(|| format!("no number of entries: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_checked_is_read_from_what_is_said() {
        assert_eq!(entries_checked("2 counters and 7 entries were checked.\n").unwrap(), 7);
        assert!(entries_checked("no such thing").is_err());
    }
}
