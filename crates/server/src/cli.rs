//! The command line.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to whoever runs it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use keyward_core::audit::AuditVerification;
use keyward_store::{Store, StoreOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::{self, ConfigError, DEFAULT_LISTEN, Findings, Overrides, Settings};
use crate::demo::Demo;
use crate::descriptors;
use crate::observability;
use crate::openapi::Document;
use crate::server::Server;

mod confirmation;
mod connection;
mod customers;
mod error;
mod explain;
mod failure;
mod finding;
mod journal;
mod keys;
mod ledger;
mod limit_args;
mod limit_rows;
mod output;
mod owners;
mod prices;
mod progress;
mod providers;
mod remote;
mod shell;
mod teams;
mod usage;

pub use error::CliError;
pub use failure::{Exit, Failure};
use journal::Journal;
use ledger::Ledger;
use prices::Prices;
use remote::Remote;
use shell::{Completions, Man};

/// Keyward, the governance layer for LLM traffic: virtual keys with budgets and rate limits that hold.
#[derive(Debug, Parser)]
#[command(name = "keyward", version, after_help = after_help())]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What the environment may say, shown under the help.
const ENVIRONMENT: &str = "\
Environment of the server:
  KEYWARD_LISTEN            where to listen, such as 127.0.0.1:8080
  DATABASE_URL              sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME
  KEYWARD_ROOT_KEY          32 bytes in base64 that encrypt secrets at rest; on SQLite one is made beside the database
                            when none is given. Make one with: openssl rand -base64 32
  KEYWARD_ADMIN_USERNAME    who may manage; needed on any address but loopback
  KEYWARD_ADMIN_PASSWORD
  KEYWARD_LOG               what to log, such as info or keyward_server=debug
  KEYWARD_LOG_FORMAT        json for one JSON object a line
  OTEL_EXPORTER_OTLP_ENDPOINT
                            a collector of traces and metrics, such as http://127.0.0.1:4318; nothing is exported without";

fn after_help() -> String {
    [ENVIRONMENT, connection::ENVIRONMENT, failure::EXIT_CODES].join("\n\n")
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server
    Serve(Serve),
    /// Runs a server with a simulated provider, a virtual key, and a temporary database, and says what to try
    Demo {
        /// Where to listen
        #[arg(long, env = "KEYWARD_LISTEN", default_value = DEFAULT_LISTEN)]
        listen: SocketAddr,
    },
    #[command(flatten)]
    Remote(Box<Remote>),
    /// Brings the database to this version's schema and checks it
    Migrate(Place),
    /// Checks a configuration file, or writes the state of a database as one
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Looks into the audit log of a database that no server uses
    #[command(subcommand)]
    Audit(Audit),
    /// Checks the books of a database that no server uses, or prices them anew
    #[command(subcommand)]
    Ledger(Ledger),
    /// Says what models cost, and puts other lists of prices in force
    #[command(subcommand)]
    Prices(Prices),
    /// Looks into the journal: holds and settlements that the database may not have yet
    #[command(subcommand)]
    Journal(Journal),
    /// Prints a script that completes `keyward` in a shell
    Completions(Completions),
    /// Prints the manual page, in the form that man reads
    Man(Man),
    /// Prints the page of all names of metrics, spans and logs
    #[command(hide = true)]
    Observability,
    /// Prints an OpenAPI document
    #[command(hide = true)]
    Openapi {
        /// Which document
        document: Document,
    },
}

/// Where the database is.
#[derive(Debug, Args)]
struct Place {
    /// A JSON configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// sqlite://PATH or postgres://…
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Tells everything that is wrong with a configuration file, each by its JSON pointer, and what in it has no effect. No
    /// database is looked at; variables of the environment that are not set are no errors here
    Check {
        /// The file
        file: PathBuf,
    },
    /// Writes the state of a database that no server uses as a configuration file that would leave it as it is, without
    /// secrets
    Export {
        #[command(flatten)]
        place: Place,
        /// Where to write it [default: standard output]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Follows the log's chain from its first entry to its last; fails when an entry was altered or removed. A server that
    /// runs does the same at /api/audit/verify
    Verify(Place),
}

#[derive(Debug, Args)]
struct Serve {
    /// A JSON configuration file; docs/configuration.md lists its members
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "KEYWARD_LISTEN")]
    listen: Option<SocketAddr>,
    /// sqlite://PATH or postgres://… [default: sqlite://keyward.db]
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl Cli {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// Whatever keeps it from being done.
    pub async fn run(self) -> Result<(), CliError> {
        match self.command {
            Command::Serve(serve) => serve.run().await,
            Command::Demo { listen } => demo(listen).await,
            Command::Remote(remote) => Ok(remote.run().await?),
            Command::Migrate(place) => migrate(place).await,
            Command::Config(ConfigCommand::Check { file }) => config_check(&file),
            Command::Config(ConfigCommand::Export { place, output }) => config_export(place, output).await,
            Command::Audit(Audit::Verify(place)) => audit_verify(place).await,
            Command::Ledger(ledger) => ledger.run().await,
            Command::Prices(prices) => prices.run().await,
            Command::Journal(journal) => journal.run(),
            Command::Completions(completions) => Ok(completions.run(Self::command())?),
            Command::Man(man) => Ok(man.run(Self::command())?),
            Command::Observability => {
                print!("{}", observability::page());
                Ok(())
            }
            Command::Openapi { document } => {
                println!("{}", document.collect().to_pretty_json()?);
                Ok(())
            }
        }
    }
}

impl Serve {
    async fn run(self) -> Result<(), CliError> {
        let overrides = Overrides { config: self.config, listen: self.listen, database_url: self.database_url };
        let settings = Settings::load(overrides)?;
        start_logging();
        descriptors::allow_all();
        let mut stop_requests = StopRequests::listen()?;
        let server = Server::start(settings, config::root_key()?).await?;
        stop_requests.next().await;
        tracing::info!("stopping");
        server.stop().await?;
        Ok(())
    }
}

async fn demo(listen: SocketAddr) -> Result<(), CliError> {
    start_logging();
    let mut stop_requests = StopRequests::listen()?;
    let demo = Demo::start(listen).await?;
    println!("{}", demo.guide());
    stop_requests.next().await;
    Ok(demo.stop().await?)
}

async fn migrate(place: Place) -> Result<(), CliError> {
    place.open().await?.close().await?;
    println!("The database has this version's schema.");
    Ok(())
}

fn config_check(file: &Path) -> Result<(), CliError> {
    let Findings { mut errors, dangling, unset, mut warnings } = config::check_file(file)?;
    errors.extend(dangling);
    warnings.extend(unset);
    errors.sort();
    warnings.sort();
    errors.iter().for_each(|problem| println!("error: {problem}"));
    warnings.iter().for_each(|problem| println!("warning: {problem}"));
    let file = file.display().to_string();
    match errors.len() {
        0 => {
            println!("{file} has no errors.");
            Ok(())
        }
        errors => Err(CliError::BadConfig { file, errors }),
    }
}

async fn config_export(place: Place, output: Option<PathBuf>) -> Result<(), CliError> {
    let store = place.open_existing().await?;
    let exported = config::export(&store).await;
    store.close().await?;
    let text = exported?;
    eprintln!("warning: the values of virtual keys are left out; on another database they would get new ones");
    match output {
        Some(path) => std::fs::write(&path, text).map_err(|error| CliError::Output(path.display().to_string(), error)),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

async fn audit_verify(place: Place) -> Result<(), CliError> {
    let store = place.open_existing().await?;
    let AuditVerification { intact: _, entries, head, broken_at } = store.audit_verify().await?;
    store.close().await?;
    match broken_at {
        None => {
            println!("The audit log is as it was written: {entries} entries, the last one has the hash {head}.");
            Ok(())
        }
        Some(sequence) => Err(CliError::AuditBroken { sequence }),
    }
}

impl Place {
    async fn open(self) -> Result<Store, CliError> {
        Ok(Store::open(self.options()?).await?)
    }

    /// The database, which must be there: who looks into one does not mean to make it.
    async fn open_existing(self) -> Result<Store, CliError> {
        Ok(Store::open_existing(self.options()?).await?)
    }

    fn options(self) -> Result<StoreOptions, CliError> {
        Ok(self.settings()?.0)
    }

    /// How a server there would be set.
    fn load(self) -> Result<Settings, ConfigError> {
        let Self { config, database_url } = self;
        Settings::load(Overrides { config, database_url, listen: None })
    }

    /// The database, and how a server on it would be set.
    fn settings(self) -> Result<(StoreOptions, Settings), CliError> {
        let settings = self.load()?;
        let options = StoreOptions { url: settings.database_url.clone(), root_key: config::root_key()? };
        Ok((options, settings))
    }
}

fn start_logging() {
    let (filter, json) = config::log_options();
    let logs = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr);
    if json { logs.json().init() } else { logs.init() }
}

/// Requests to stop. They are heard from the moment that this is made, so it is made before anything is started.
struct StopRequests {
    terminate: Signal,
    interrupt: Signal,
}

impl StopRequests {
    fn listen() -> Result<Self, CliError> {
        let listen = |kind| signal(kind).map_err(CliError::Signals);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
