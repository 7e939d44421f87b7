//! The command `keyward-contract`: holds a running server to the published contract.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use keyward_contract::{Credential, Options, verify, write_junit};
use url::Url;

/// Nothing could be verified.
const COULD_NOT_RUN: u8 = 2;

/// Holds a running server to the published contract. It makes its own things, under a random name, and removes them
///
/// Exit code 0: the server keeps the contract. 1: it does not. 2: it could not be verified.
#[derive(Parser)]
#[command(name = "keyward-contract", version)]
struct Arguments {
    /// Where the server is
    #[arg(long)]
    url: Url,
    /// A management key, or the token of a session
    #[arg(long, env = "KEYWARD_TOKEN", hide_env_values = true, conflicts_with = "user")]
    token: Option<String>,
    /// The admin's user name and password, with a colon between them
    #[arg(long, env = "KEYWARD_USER", hide_env_values = true)]
    user: Option<String>,
    /// The server was made for this run: provoke everything, also what lasts, with upstreams on this machine
    #[arg(long)]
    disposable: bool,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // A terminal that is gone reads nothing.
            let _ = writeln!(std::io::stderr(), "keyward-contract: {error:#}");
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

async fn run(arguments: Arguments) -> Result<bool> {
    let credential = match (arguments.token, arguments.user) {
        (Some(token), _) => Credential::Token(token),
        (None, Some(pair)) => Credential::user(&pair)?,
        (None, None) => Credential::Nothing,
    };
    let options = Options { url: arguments.url, credential, disposable: arguments.disposable };
    let interrupted = async {
        // Where signals cannot be had, nothing interrupts.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let report = verify(&options, interrupted).await?;
    write!(std::io::stdout(), "{report}")?;
    if let Some(path) = arguments.junit {
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        write_junit(&report, file)?;
    }
    Ok(report.is_passed())
}
