//! The management API with many virtual keys, and the start of the server.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::results;
use crate::process::output;
use crate::server::{self, PASSWORD, Profile, Running, USERNAME};

/// How often the server is started again.
const STARTS: usize = 5;

/// Measures, prints a table, and keeps the figures.
pub(super) fn run(virtual_keys: usize, times: usize) -> Result<()> {
    let keyward = server::build(Profile::Dist)?;
    let bench = server::build_binary("keyward-bench", "keyward-bench", Profile::Dist)?;
    let directory = TempDir::new()?;
    let database = format!("sqlite://{}", directory.path().join("keyward.db").display());
    let results = results()?;
    let log = results.join("management.log");
    let start = || Running::start(&keyward, &database, directory.path(), &log);
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
    fs::write(results.join("management.json"), serde_json::to_string_pretty(&report)?)?;
    print(&report);
    Ok(())
}

fn print(report: &Value) {
    println!("\n| operation | times | p50, ms | p95, ms | p99, ms | max, ms |\n|---|---|---|---|---|---|");
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_f64).unwrap_or_default();
    for row in report.get("operations").and_then(Value::as_array).into_iter().flatten() {
        let columns = ["p50_ms", "p95_ms", "p99_ms", "max_ms"].map(|name| format!("{:.1}", number(row, name)));
        let operation = row.get("operation").and_then(Value::as_str).unwrap_or_default();
        println!("| {operation} | {} | {} |", number(row, "times"), columns.join(" | "));
    }
    println!("\ncreated per second while filling, 8 at a time: {:.0}", number(report, "created_per_second"));
    println!("start until it listens, ms: {}", report.get("starts_ms").unwrap_or(&Value::Null));
}
