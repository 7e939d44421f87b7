//! The gate: how many instructions the hot path takes, held to a baseline that moves only with a reason.
//!
//! Callgrind counts them, through gungraun. The figures are those of one compiler, one processor (valgrind shows every program the
//! same one, as far as the real one has AVX2) and one C library: `docs/performance.md` says what follows.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::counts::{Counts, read};
use crate::process::{cargo, is_ci, output, root, succeed};

/// The version of gungraun; its runner must have the library's.
const GUNGRAUN: &str = "0.20.0";
/// What is added to the profile of the tests, as cargo takes it.
const PROFILE: &str = "crates/bench/gate.toml";
/// The baseline, from the root.
const BASELINE: &str = "crates/bench/instructions.json";

#[derive(Default, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Write the counts that have moved into the baseline, with the reason for it
    #[arg(long, value_name = "REASON")]
    pub(crate) accept: Option<String>,
}

/// Counts, prints a table, and compares; or moves the baseline.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(reason) = unable() {
        if is_ci() || options.accept.is_some() {
            bail!("instructions cannot be counted: {reason}");
        }
        println!("not run: {reason}");
        return Ok(());
    }
    let baseline = root().join(BASELINE);
    let counts = Counts::new(read(&baseline)?, &measure()?)?;
    println!("{}", counts.table());
    match &options.accept {
        Some(reason) => counts.accept(reason, &baseline),
        None => counts.hold(),
    }
}

/// Why nothing can be counted here, if so.
fn unable() -> Option<&'static str> {
    let has_valgrind =
        || Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") if has_valgrind() => None,
        ("linux", "x86_64") => Some("valgrind is not installed (Debian: apt-get install valgrind)"),
        _ => Some("the baseline is that of Linux on x86-64"),
    }
}

/// What gungraun says of each benchmark, one JSON object a line.
fn measure() -> Result<String> {
    let mut bench = cargo();
    // With `--workspace`, dependencies have the features that the tests' have, so that none is compiled again.
    bench
        .args(["--config", PROFILE, "bench", "--quiet", "--locked", "--workspace", "--profile", "dev"])
        .args(["--bench", "instructions", "--", "--output-format=json"])
        .env("GUNGRAUN_RUNNER", runner()?)
        // Incremental builds divide code in other places.
        .env("CARGO_INCREMENTAL", "0");
    output(&mut bench)
}

/// Gungraun's runner, put below `target/` once.
fn runner() -> Result<PathBuf> {
    let home = root().join("target").join("gungraun-runner");
    let program = home.join("bin").join("gungraun-runner");
    if is_installed(&home) && program.is_file() {
        return Ok(program);
    }
    let mut install = cargo();
    install.args(["install", "--quiet", "--locked", "--force", "gungraun-runner", "--version", GUNGRAUN, "--root"]);
    // It is wanted at once, not fast.
    install.arg(&home).args(["--profile", "dev"]).env("CARGO_NET_OFFLINE", "false");
    succeed(&mut install).context("gungraun's runner is not there and could not be installed")?;
    Ok(program)
}

/// Whether the runner is there in the right version. It cannot be asked: it speaks to benchmarks only.
fn is_installed(home: &Path) -> bool {
    let installed = std::fs::read_to_string(home.join(".crates.toml")).unwrap_or_default();
    installed.contains(&format!("gungraun-runner {GUNGRAUN} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_has_the_librarys_version() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("gungraun = \"={GUNGRAUN}\"")));
    }
}
