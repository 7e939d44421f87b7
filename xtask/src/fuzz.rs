//! Fuzzing: the readers of bytes that strangers send, each under libFuzzer for a bounded time.
//!
//! The workspace's own crates are compiled once more, with counters of coverage; what they depend on stays as it is. Any compiler
//! can do that; libFuzzer itself needs one for C++.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{root, succeed};
use crate::server;

/// The readers, as the fuzzer knows them.
const TARGETS: [&str; 7] = ["scan", "form", "events", "array", "converse", "chunks", "usage"];
/// The longest input, in bytes.
const LONGEST: usize = 8192;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target is fuzzed, in seconds
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// Where chance begins: another run with the same number tries the same inputs; 0 is a new beginning each time
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u32,
    /// Which target
    #[arg(long, value_parser = TARGETS)]
    pub(crate) target: Option<String>,
    /// Run one input again, such as one that was found to fail
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) input: Option<PathBuf>,
}

/// Fuzzes every target that is asked for; each that fails is named, with the input.
pub(crate) fn run(options: &Options) -> Result<()> {
    let fuzzer = server::build_fuzzer()?;
    let asked = |name: &&str| options.target.as_deref().is_none_or(|target| target == *name);
    let mut failed = Vec::new();
    for target in TARGETS.into_iter().filter(asked) {
        println!("==> {target}");
        if let Err(error) = fuzz(&fuzzer, target, options) {
            println!("{error:#}");
            failed.push(target);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("failed: {} (the inputs are in target/fuzz)", failed.join(", ")),
    }
}

fn fuzz(fuzzer: &Path, target: &str, options: &Options) -> Result<()> {
    let home = root().join("target").join("fuzz");
    let corpus = home.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    let mut command = Command::new(fuzzer);
    command.current_dir(&home).env("KEYWARD_FUZZ_TARGET", target);
    match &options.input {
        Some(input) => command.arg(root().join(input)),
        None => command
            .arg(&corpus)
            .arg(root().join("crates").join("server").join("tests").join("fixtures"))
            .arg(format!("-max_total_time={}", options.seconds))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-seed={}", options.seed))
            .arg(format!("-artifact_prefix={}/{target}-", home.display()))
            .args(["-timeout=10", "-print_final_stats=1", "-verbosity=0"]),
    };
    succeed(&mut command)
}
