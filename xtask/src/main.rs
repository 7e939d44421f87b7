//! Keyward's own build tasks: `cargo xtask <command>`. It depends on no crate of the workspace; it runs their binaries.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a build task speaks to the terminal")]
#![allow(clippy::disallowed_methods, reason = "a build task reads the environment and waits for other processes")]

mod bench;
mod ci;
mod client;
mod contract;
mod docs;
mod fuzz;
mod fuzz_api;
mod observability;
mod openapi;
mod packages;
mod postgres;
mod process;
mod screenshots;
mod sdks;
mod server;
mod test;
mod tidy;
mod torture;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Keyward's own build tasks")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure the server, and print tables
    Bench(bench::Options),
    /// Everything that a change must pass: format, tidy, lints, API documents, licences, tests
    Ci,
    /// Check what the published client promises: its dependencies, types without a network, documentation and package
    Client {
        /// Write the list of dependencies instead
        #[arg(long)]
        write: bool,
    },
    /// Build the guide and the API reference as a static site in target/site, and check its links
    Docs,
    /// Fuzz the readers of requests and of streamed answers, each for a bounded time (needs a C++ compiler)
    Fuzz(fuzz::Options),
    /// Hold a server to the published contract: the one at --url, or this one, started on each database
    Contract(contract::Options),
    /// Send generated requests to a server on each database, and hold every answer against the API document (needs python3)
    FuzzApi(fuzz_api::Options),
    /// Write docs/observability.md as the server's binary declares its names
    Observability {
        /// Compare only, and fail on a difference
        #[arg(long)]
        check: bool,
    },
    /// Write openapi/*.json as the server's binary declares them, or hold them to something
    Openapi(openapi::Options),
    /// Say how heavy each page of the dashboard is, and how soon something of it can be seen (needs chromium and chromium-driver)
    Paint,
    /// Take the pictures of the guide: pages of the dashboard with a data set that fills it, and a walk through a demo (needs chromium and chromium-driver)
    Screenshots,
    /// Install the providers' official SDKs and axe-core, pinned, for the tests (needs python3, node and npm)
    Sdks,
    /// Run all tests: on SQLite, the documentation's examples, and the database suites on PostgreSQL
    Test(test::Options),
    /// Hold the rules of structure that the compiler does not
    Tidy,
    /// Run the randomised tests for longer: processes killed under load, streams cut, the engine against its model
    Torture(torture::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Task::Bench(options) => bench::run(&options),
        Task::Ci => ci::run(),
        Task::Client { write: true } => client::write(),
        Task::Client { write: false } => client::check(),
        Task::Docs => docs::run(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Contract(options) => return contract::run(&options),
        Task::FuzzApi(options) => fuzz_api::run(&options),
        Task::Observability { check: true } => observability::check(),
        Task::Observability { check: false } => observability::write(),
        Task::Openapi(options) => openapi::run(&options),
        Task::Paint => screenshots::paint(),
        Task::Screenshots => screenshots::run(),
        Task::Sdks => sdks::run(),
        Task::Test(options) => test::run(&options),
        Task::Tidy => tidy::run(),
        Task::Torture(options) => torture::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
