//! The one test command: every suite on SQLite, the core of admission under a schedule checker, the documentation's examples, the
//! database suites again on PostgreSQL.
//!
//! A suite that could not run is named at the end, and is a failure where nobody would read that (`CI=true`).

mod outcome;

use std::process::Command;

use anyhow::{Result, bail};

use crate::postgres::{self, Server};
use crate::process::{cargo, cargo_has, is_ci, tee};
use crate::sdks;
use outcome::{Outcome, Suite};

/// The suites that store something run against this server instead of SQLite when it is set.
const POSTGRES_URL: &str = "KEYWARD_TEST_POSTGRES_URL";

/// The engine with the schedule checker's locks in place of the standard library's, which is a build of its own.
const SCHEDULES: [&str; 6] = ["--package", "keyward-engine", "--features", "model-check", "--test", "schedules"];

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Leave out the suites on PostgreSQL
    #[arg(long)]
    no_postgres: bool,
    /// Passed to the test runner: names to select, and its own options
    #[arg(last = true)]
    filter: Vec<String>,
}

/// Runs all suites, also after one has failed, and prints what came of each.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Err(error) = sdks::run() {
        // The tests of real clients fail and say so; the others have no need of them.
        println!("the SDKs are not installed: {error:#}\n");
    }
    let suites = [
        Suite::new("sqlite", execute(&mut tests(&["--workspace"]), options)),
        Suite::new("schedules", execute(&mut tests(&SCHEDULES), options)),
        Suite::new("documentation", execute(&mut examples(), options)),
        Suite::new("postgresql", on_postgres(options)),
    ];

    println!();
    for suite in &suites {
        println!("{suite}");
    }
    let total = outcome::total(&suites);
    println!("{total}");
    if suites.iter().any(|suite| suite.outcome.failed()) {
        bail!("the tests failed");
    }
    if is_ci() && suites.iter().any(|suite| suite.outcome.skipped()) {
        bail!("a suite was skipped, which with CI=true is a failure");
    }
    if !options.filter.is_empty() && total.counts.passed == 0 {
        bail!("no test matches {:?}", options.filter.join(" "));
    }
    Ok(())
}

/// The database suites against the server that the environment, this machine or its programs offer, in that order.
fn on_postgres(options: &Options) -> Outcome {
    if options.no_postgres {
        return Outcome::Skipped("left out by --no-postgres".to_owned());
    }
    let server = match Server::find(POSTGRES_URL) {
        Ok(Some(server)) => server,
        Ok(None) => return Outcome::Skipped(format!("{}, or set {POSTGRES_URL}", postgres::HOW_TO_GET)),
        Err(error) => return Outcome::Broken(format!("{error:#}")),
    };
    println!("\nPostgreSQL: {}", server.origin());
    execute(stored().env(POSTGRES_URL, server.url()), options)
}

/// The examples in the documentation, which nextest does not run.
fn examples() -> Command {
    let mut command = cargo();
    command.args(["test", "--workspace", "--doc", "--no-fail-fast", "--locked"]).env_remove(POSTGRES_URL);
    command
}

/// The test runner on a selection of packages, on SQLite unless told otherwise.
fn tests(selection: &[&str]) -> Command {
    let mut command = cargo();
    if cargo_has("nextest") {
        command.args(["nextest", "run", "--no-fail-fast", "--no-tests=pass"]);
    } else {
        command.args(["test", "--no-fail-fast"]);
    }
    command.args(selection).arg("--locked").env_remove(POSTGRES_URL);
    command
}

/// The suites that store something. The runner chooses them, not cargo, for which other packages would be other features, and every
/// dependency another build.
fn stored() -> Command {
    match cargo_has("nextest") {
        true => {
            tests(&["--workspace", "--filterset", "kind(test) & (package(keyward-store) | package(keyward-server))"])
        }
        false => tests(&["--package", "keyward-store", "--package", "keyward-server", "--test", "*"]),
    }
}

fn execute(command: &mut Command, options: &Options) -> Outcome {
    if !options.filter.is_empty() {
        command.arg("--").args(&options.filter);
    }
    match tee(command) {
        Ok((status, text)) => Outcome::read(status.success(), &text),
        Err(error) => Outcome::Broken(format!("{error:#}")),
    }
}
