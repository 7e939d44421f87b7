//! Admission by itself: criterion's measurements, and what a million virtual keys take.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::results::{keep, list, number, shown, text};
use crate::process::{cargo, root, tee};

/// What the benchmarks are in.
const PACKAGE: &str = "keyward-engine";
/// What a line about memory says before its figures.
const MEMORY: &str = "a million virtual keys";

/// Measures, prints a table, and keeps the figures.
pub(super) fn run() -> Result<()> {
    let directory = root().join("target").join("criterion");
    if directory.exists() {
        // What is found there afterwards is of this run.
        fs::remove_dir_all(&directory)?;
    }
    let (status, said) = tee(cargo().args(["bench", "--locked", "--package", PACKAGE]))?;
    anyhow::ensure!(status.success(), "the benchmarks ended with {status}");
    let mut rows = measured(&directory)?;
    rows.sort_by(|a, b| text(a, "subject").cmp(text(b, "subject")));
    let memory: Vec<_> = said.lines().filter(|line| line.starts_with(MEMORY)).collect();
    let times =
        json!({ "figure": "microseconds", "title": "time, µs (with its 95 % confidence interval)", "rows": rows });
    let report = keep("engine", json!({ "tables": [times], "memory": memory }))?;
    println!("\n{}", table(&report));
    Ok(())
}

/// The tables and notes, in Markdown.
pub(super) fn table(report: &Value) -> String {
    let mut said = String::new();
    for table in list(report, "tables") {
        said.push_str(&format!("| {} | median | from | to |\n|---|---|---|---|\n", text(table, "title")));
        for row in list(table, "rows") {
            let columns = ["median", "min", "max"].map(|name| shown(number(row, name)));
            said.push_str(&format!("| {} | {} |\n", text(row, "subject"), columns.join(" | ")));
        }
    }
    for note in list(report, "memory") {
        said.push_str(&format!("\n- {}", note.as_str().unwrap_or_default()));
    }
    said.push('\n');
    said
}

/// What criterion has written: below each benchmark `new/estimates.json`, in nanoseconds, and `new/benchmark.json` with its name.
fn measured(directory: &Path) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))? {
        let new = entry?.path().join("new");
        if new.is_dir() {
            let read =
                |name: &str| -> Result<Value> { Ok(serde_json::from_str(&fs::read_to_string(new.join(name))?)?) };
            rows.push(row(&read("benchmark.json")?, &read("estimates.json")?)?);
        }
    }
    Ok(rows)
}

fn row(benchmark: &Value, estimates: &Value) -> Result<Value> {
    let micros = |pointer: &str| {
        let nanos = estimates.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("no {pointer}"))?;
        anyhow::Ok(nanos / 1_000.0)
    };
    Ok(json!({
        "subject": text(benchmark, "title"),
        "min": micros("/median/confidence_interval/lower_bound")?,
        "median": micros("/median/point_estimate")?,
        "max": micros("/median/confidence_interval/upper_bound")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_told_in_microseconds() {
        let bounds = json!({ "lower_bound": 1_730.0, "upper_bound": 1_740.0 });
        let estimates = json!({ "median": { "point_estimate": 1_735.0, "confidence_interval": bounds } });
        let row = row(&json!({ "title": "admit" }), &estimates).unwrap();
        assert_eq!(row, json!({ "subject": "admit", "min": 1.73, "median": 1.735, "max": 1.74 }));
        let table = table(&json!({ "tables": [{ "title": "time", "rows": [row] }], "memory": ["a note"] }));
        assert_eq!(
            table,
            "| time | median | from | to |\n|---|---|---|---|\n| admit | 1.74 | 1.73 | 1.74 |\n\n- a note\n"
        );
    }
}
