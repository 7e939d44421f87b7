//! Load and measurements: a program that asks servers for things and says how long they took, as one JSON object. It is run by
//! `cargo xtask bench`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is its result, and it says how far it is")]

#[cfg(target_os = "linux")]
mod answers;
#[cfg(target_os = "linux")]
mod gateway;
#[cfg(target_os = "linux")]
mod growth;
#[cfg(target_os = "linux")]
mod load;
mod management;
#[cfg(target_os = "linux")]
mod profile;
#[cfg(target_os = "linux")]
mod rig;
#[cfg(target_os = "linux")]
mod soak;
#[cfg(target_os = "linux")]
mod spread;
mod timings;
#[cfg(target_os = "linux")]
mod upstream;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures Keyward, and what is used beside it")]
struct Arguments {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// The management API with many virtual keys
    Management(management::Options),
    /// The gateway and its peers, each on one core, with a mock upstream
    #[cfg(target_os = "linux")]
    Gateway(gateway::Options),
    /// What costs become with more of everything
    #[cfg(target_os = "linux")]
    Growth(growth::Options),
    /// Where the gateway's time goes
    #[cfg(target_os = "linux")]
    Profile(profile::Options),
    /// Half load of every kind for a long time
    #[cfg(target_os = "linux")]
    Soak(soak::Options),
    /// The mock upstream alone: it prints its address, and answers until it is ended
    #[cfg(target_os = "linux")]
    Upstream(upstream::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().suite {
        Suite::Management(options) => print(&management::run(&options).await?),
        #[cfg(target_os = "linux")]
        Suite::Gateway(options) => print(&gateway::run(&options).await?),
        #[cfg(target_os = "linux")]
        Suite::Growth(options) => print(&growth::run(&options).await?),
        #[cfg(target_os = "linux")]
        Suite::Profile(options) => print(&profile::run(&options).await?),
        #[cfg(target_os = "linux")]
        Suite::Soak(options) => print(&soak::run(&options).await?),
        #[cfg(target_os = "linux")]
        Suite::Upstream(options) => upstream::run(&options).await,
    }
}

fn print(report: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(report)?);
    Ok(())
}
