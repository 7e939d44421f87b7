//! The published contract, held against a running server, or against this one on each database.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::postgres::{self, Server};
use crate::process::{is_ci, root};
use crate::server::{self, PASSWORD, Running, USERNAME};

/// What the verifier ends with when there was nothing to verify.
const COULD_NOT_RUN: u8 = 2;

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Verify this server, whatever it is, and touch only what the run makes itself
    #[arg(long)]
    url: Option<String>,
    /// A management key, or the token of a session, for that server; KEYWARD_TOKEN, too
    #[arg(long, requires = "url")]
    token: Option<String>,
    /// An admin's user name and password, with a colon between them, for that server; KEYWARD_USER, too
    #[arg(long, requires = "url")]
    user: Option<String>,
    /// Write the report as JUnit XML, too; without --url, one for each database, whose name is put before the extension
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Verifies what the options say. The exit code is 1 when a server does not keep the contract, and 2 when none could be asked.
pub(crate) fn run(options: &Options) -> ExitCode {
    let verified = match &options.url {
        Some(url) => elsewhere(url, options),
        None => on_each_database(options),
    };
    match verified {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// The same as a step of all checks.
pub(crate) fn check() -> Result<()> {
    match on_each_database(&Options::default())? {
        0 => Ok(()),
        code => bail!("the contract is not kept (exit code {code})"),
    }
}

/// Verifies a server that runs already.
fn elsewhere(url: &str, options: &Options) -> Result<u8> {
    let [_, verifier] = server::build_together(["keyward", "keyward-contract"])?;
    let mut command = Command::new(verifier);
    command.args(["--url", url]);
    // Not as arguments: other programs see those.
    if let Some(token) = &options.token {
        command.env("KEYWARD_TOKEN", token).env_remove("KEYWARD_USER");
    } else if let Some(user) = &options.user {
        command.env("KEYWARD_USER", user).env_remove("KEYWARD_TOKEN");
    }
    with_junit(&mut command, options.junit.clone())?;
    ended(&mut command)
}

/// Verifies a new server on SQLite, and one on PostgreSQL.
fn on_each_database(options: &Options) -> Result<u8> {
    let [keyward, verifier] = server::build_together(["keyward", "keyward-contract"])?;
    let directory = TempDir::new()?;
    let sqlite = format!("sqlite://{}", directory.path().join("keyward.db").display());
    let mut worst = on(&keyward, &verifier, ("SQLite", &sqlite), options)?;
    match Server::temporary()? {
        Some(database) => worst = worst.max(on(&keyward, &verifier, ("PostgreSQL", database.url()), options)?),
        None if is_ci() => bail!(postgres::HOW_TO_GET),
        None => println!("==> PostgreSQL: left out: {}", postgres::HOW_TO_GET),
    }
    Ok(worst)
}

fn on(keyward: &Path, verifier: &Path, (name, url): (&str, &str), options: &Options) -> Result<u8> {
    println!("==> {name}");
    let directory = TempDir::new()?;
    let log = root().join("target").join(format!("contract-{}.log", name.to_lowercase()));
    let server = Running::start(keyward, url, directory.path(), &log)?;
    let mut command = Command::new(verifier);
    command.args(["--url", &server.url, "--disposable"]);
    command.env_remove("KEYWARD_TOKEN").env("KEYWARD_USER", format!("{USERNAME}:{PASSWORD}"));
    with_junit(&mut command, options.junit.as_deref().map(|file| of_database(file, name)))?;
    let code = ended(&mut command)?;
    if code != 0 {
        println!("the server's log is {}", log.display());
    }
    Ok(code)
}

/// The file of a report about one of several databases.
fn of_database(file: &Path, name: &str) -> PathBuf {
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    file.with_extension(format!("{}.{extension}", name.to_lowercase()))
}

/// The file is where the caller is, whatever the directory of the verifier.
fn with_junit(command: &mut Command, file: Option<PathBuf>) -> Result<()> {
    if let Some(file) = file {
        command.arg("--junit").arg(env::current_dir()?.join(file));
    }
    Ok(())
}

fn ended(command: &mut Command) -> Result<u8> {
    let status = command.status().context("cannot start the verifier")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.with_context(|| format!("the verifier ended with {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_named_after_its_database() {
        assert_eq!(of_database(Path::new("out/contract.xml"), "SQLite"), Path::new("out/contract.sqlite.xml"));
    }
}
