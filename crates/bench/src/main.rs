//! Load and measurements: a program that asks a running server for things and says how long they took, as one JSON object. It is
//! run by `cargo xtask bench`, which starts the server.
#![allow(clippy::print_stdout, reason = "its output is its result")]

mod management;
mod timings;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures a Keyward server that runs")]
struct Arguments {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// The management API with many virtual keys
    Management(management::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let report = match Arguments::parse().suite {
        Suite::Management(options) => management::run(&options).await?,
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
