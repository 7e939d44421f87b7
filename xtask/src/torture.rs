//! The randomised tests for as long as one likes: real processes that are killed under load, streams that are cut, and the engine
//! against its reference model, on SQLite and then on PostgreSQL.

use std::process::Command;

use anyhow::{Result, bail};

use crate::postgres::{self, Server};
use crate::process::{cargo, succeed};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each randomised test goes on, in minutes
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Where chance begins: the number that a failed run has printed
    #[arg(long)]
    seed: Option<u64>,
    /// Leave out PostgreSQL
    #[arg(long)]
    no_postgres: bool,
    /// Which tests: a part of their names
    #[arg(long, default_value = "torture")]
    only: String,
}

/// Runs them; the first failure ends it.
pub(crate) fn run(options: &Options) -> Result<()> {
    succeed(&mut tests(options, "package(keyward-engine) | package(keyward-server)"))?;
    if options.no_postgres {
        return Ok(());
    }
    let Some(database) = Server::temporary()? else { bail!(postgres::HOW_TO_GET) };
    succeed(tests(options, "package(keyward-server)").env("KEYWARD_TEST_POSTGRES_URL", database.url()))
}

fn tests(options: &Options, packages: &str) -> Command {
    let mut command = cargo();
    command.args(["nextest", "run", "--locked", "--workspace", "--profile", "torture", "--no-capture"]);
    command.args(["--filterset", &format!("test({}) & ({packages})", options.only)]);
    command.env("KEYWARD_TORTURE_MINUTES", options.minutes.to_string()).env_remove("KEYWARD_TEST_POSTGRES_URL");
    command.envs(options.seed.map(|seed| ("KEYWARD_TORTURE_SEED", seed.to_string())));
    command
}
