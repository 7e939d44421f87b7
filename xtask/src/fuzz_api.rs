//! Generated requests against the real server: Schemathesis makes them from the API document, breaks them, strings them together,
//! and holds every answer against the document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::postgres::{self, Server};
use crate::process::{root, succeed, tee};
use crate::server::{self, PASSWORD, Running, USERNAME};

/// The version that the findings are known for.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many requests each database gets at least
    #[arg(long, default_value_t = 10_000)]
    cases: usize,
    /// How many requests for an operation are generated beyond those that the document itself suggests
    #[arg(long, default_value_t = 20)]
    examples: usize,
    /// Where chance begins; another run with the same number sends the same requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Fuzzes a server on SQLite and one on PostgreSQL, each with an empty database.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = install()?;
    let binary = server::build()?;
    let directory = TempDir::new()?;
    let sqlite = format!("sqlite://{}", directory.path().join("keyward.db").display());
    fuzz(&program, &binary, ("SQLite", &sqlite), options)?;
    let Some(database) = Server::temporary()? else { bail!(postgres::HOW_TO_GET) };
    fuzz(&program, &binary, ("PostgreSQL", database.url()), options)
}

/// Puts Schemathesis into an environment of its own below `target/`, once.
fn install() -> Result<PathBuf> {
    let home = root().join("target").join("fuzz-api");
    let (program, stamp) = (home.join("bin").join("st"), home.join("installed"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == SCHEMATHESIS) {
        return Ok(program);
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&home))
        .context("Schemathesis needs python3 and its venv module (Debian: apt-get install python3-venv)")?;
    succeed(Command::new(home.join("bin").join("pip")).args(["install", "--quiet", SCHEMATHESIS]))?;
    fs::write(stamp, SCHEMATHESIS)?;
    Ok(program)
}

fn fuzz(program: &Path, binary: &Path, (name, url): (&str, &str), options: &Options) -> Result<()> {
    println!("==> {name}");
    let directory = TempDir::new()?;
    let log = root().join("target").join("fuzz-api").join(format!("{}.log", name.to_lowercase()));
    let server = Running::start(binary, url, directory.path(), &log)?;
    let settings = root().join("xtask").join("fuzz-api");
    let mut command = Command::new(program);
    command
        .current_dir(directory.path())
        .env("SCHEMATHESIS_HOOKS", settings.join("hooks.py"))
        .arg("--config-file")
        .arg(settings.join("schemathesis.toml"))
        .arg("run")
        .arg(root().join("openapi").join("management.json"))
        .args(["--url", &server.url, "--auth", &format!("{USERNAME}:{PASSWORD}")])
        .args(["--checks", "all", "--continue-on-failure", "--no-color"])
        .args(["--max-examples", &options.examples.to_string(), "--seed", &options.seed.to_string()]);
    let (status, report) = tee(&mut command)?;
    if !status.success() {
        bail!("the API is not what its document says on {name}; the server's log is {}", log.display());
    }
    match cases(&report) {
        Some(cases) if cases >= options.cases => Ok(()),
        found => bail!("{found:?} requests were sent, not {} or more: raise --examples", options.cases),
    }
}

/// How many requests the report says were made.
fn cases(report: &str) -> Option<usize> {
    let line = report.lines().find(|line| line.contains(" generated, "))?;
    line.split_whitespace().next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_cases_is_read_from_the_report() {
        assert_eq!(cases("Test cases:\n  16128 generated, 8 found 8 unique failures, 4 skipped\n"), Some(16_128));
        assert_eq!(cases("nothing was done"), None);
    }
}
