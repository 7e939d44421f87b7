//! The management API with many virtual keys, and the start of the server.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::results::{directory, keep, list, number, text};
use crate::process::output;
use crate::server::{self, PASSWORD, Running, USERNAME};

/// How often the server is started again.
const STARTS: usize = 5;

#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Management")]
pub(super) struct Options {
    /// How often a virtual key is created and read; lists are read a tenth as often [default: 1000]
    #[arg(long)]
    pub(super) times: Option<usize>,
}

/// Measures, prints a table, and keeps the figures.
pub(super) fn run(options: &super::Options) -> Result<()> {
    let (virtual_keys, times) = (options.virtual_keys.unwrap_or(100_000), options.management.times.unwrap_or(1_000));
    let [keyward, bench] = server::build_published()?;
    let scratch = TempDir::new()?;
    let database = format!("sqlite://{}", scratch.path().join("keyward.db").display());
    let log = directory()?.join("management.log");
    let start = || Running::start(&keyward, &database, scratch.path(), &log);
    let running = start()?;
    println!("filling a database with {virtual_keys} virtual keys");
    let report = output(
        Command::new(&bench)
            .args(["management", "--url", &running.url, "--username", USERNAME, "--password", PASSWORD])
            .args(["--virtual-keys", &virtual_keys.to_string(), "--times", &times.to_string()]),
    )?;
    drop(running);
    let mut report: Value = serde_json::from_str(&report).context("the measuring program printed no JSON")?;
    let starts = (0..STARTS).map(|_| Ok(u64::try_from(start()?.started_in.as_millis())?));
    let starts = starts.collect::<Result<Vec<u64>>>()?;
    report.as_object_mut().context("the report is no object")?.insert("starts_ms".to_owned(), json!(starts));
    let report = keep("management", report)?;
    println!("\n{}", table(&report));
    Ok(())
}

/// What was measured, in Markdown.
pub(super) fn table(report: &Value) -> String {
    let mut said =
        "| operation | times | p50, ms | p95, ms | p99, ms | max, ms |\n|---|---|---|---|---|---|\n".to_owned();
    for row in list(report, "operations") {
        let columns = ["p50_ms", "p95_ms", "p99_ms", "max_ms"]
            .map(|name| format!("{:.1}", number(row, name).unwrap_or_default()));
        let times = number(row, "times").unwrap_or_default();
        said.push_str(&format!("| {} | {times} | {} |\n", text(row, "operation"), columns.join(" | ")));
    }
    let rate = number(report, "created_per_second").unwrap_or_default();
    let starts: Vec<_> = list(report, "starts_ms").iter().map(ToString::to_string).collect();
    said.push_str(&format!("\nCreated in a second while the database was filled, 8 at a time: {rate:.0}. "));
    said.push_str(&format!("Starts, from the start of the process until it listens, in ms: {}.\n", starts.join(", ")));
    said
}
