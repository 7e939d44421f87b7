//! The `keyward` command.

use std::process::ExitCode;

use clap::Parser;
use keyward_server::cli::Cli;
use mimalloc::MiMalloc;

/// A request asks for memory often, and in small pieces.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit();
            let error = anyhow::Error::from(error);
            #[allow(clippy::print_stderr, reason = "what a command has to say when it fails")]
            {
                eprintln!("keyward: {error:#}");
            }
            ExitCode::from(code.code())
        }
    }
}
