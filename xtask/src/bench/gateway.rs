//! The gateway beside its peers.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::peers::{HOW_TO_GET, Peer};
use super::results;
use crate::process::output;
use crate::server::{self, Profile};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured, in turns
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// How long each figure of a round is measured, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// What it is measured beside
    #[arg(long, value_delimiter = ',', default_value = "nginx,haproxy")]
    peers: Vec<Peer>,
}

/// Measures, prints tables, and keeps the figures.
pub(super) fn run(options: &Options) -> Result<()> {
    let keyward = server::build(Profile::Dist)?;
    let bench = server::build_binary("keyward-bench", "keyward-bench", Profile::Dist)?;
    let results = results()?;
    let mut command = Command::new(&bench);
    command.arg("gateway").arg("--keyward").arg(keyward).arg("--logs").arg(&results);
    command.args(["--rounds", &options.rounds.to_string(), "--seconds", &options.seconds.to_string()]);
    let mut not_measured = Vec::new();
    for peer in Peer::ALL {
        let name = peer.name();
        if !options.peers.contains(&peer) {
            not_measured.push(format!("{name}: not asked for"));
        } else if let Some(program) = peer.find() {
            command.arg(format!("--{name}")).arg(program);
        } else {
            not_measured.push(format!("{name}: not installed; {HOW_TO_GET}"));
        }
    }
    let report = output(&mut command)?;
    let mut report: Value = serde_json::from_str(&report).context("the measuring program printed no JSON")?;
    report.as_object_mut().context("the report is no object")?.insert("not_measured".to_owned(), json!(not_measured));
    fs::write(results.join("gateway.json"), serde_json::to_string_pretty(&report)?)?;
    println!("{}", tables(&report));
    for peer in not_measured {
        println!("not measured: {peer}");
    }
    Ok(())
}

/// A table in Markdown for each figure.
fn tables(report: &Value) -> String {
    let mut text = String::new();
    let list = |of: &Value, name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for table in list(report, "tables") {
        let rows = list(&table, "rows");
        if rows.is_empty() {
            continue;
        }
        let title = table.get("title").and_then(Value::as_str).unwrap_or_default();
        // A text takes what is written to it.
        let _ = writeln!(text, "\n| {title} | min | median | max | ÷ nginx |\n|---|---|---|---|---|");
        for row in rows {
            let columns = ["min", "median", "max"].map(|name| number(&row, name, 1));
            let subject = row.get("subject").and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(text, "| {subject} | {} | {} |", columns.join(" | "), number(&row, "ratio", 2));
        }
    }
    text
}

/// A number with so many decimals; a large one has none, and one that there is not is a dash.
fn number(of: &Value, name: &str, decimals: usize) -> String {
    match of.get(name).and_then(Value::as_f64) {
        Some(large) if large.abs() >= 1_000.0 => format!("{large:.0}"),
        Some(small) => format!("{small:.decimals$}"),
        None => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_row_for_each_that_was_measured() {
        let report = json!({ "tables": [
            { "title": "CPU, µs", "rows": [
                { "subject": "nginx", "min": 17.25, "median": 18.0, "max": 1800.4, "ratio": 1.0 },
                { "subject": "keyward", "min": 30.0, "median": 36.0, "max": 36.0, "ratio": null },
            ] },
            { "title": "nobody's", "rows": [] },
        ] });
        let expected = "\n| CPU, µs | min | median | max | ÷ nginx |\n|---|---|---|---|---|\n\
                        | nginx | 17.2 | 18.0 | 1800 | 1.00 |\n| keyward | 30.0 | 36.0 | 36.0 | – |\n";
        assert_eq!(tables(&report), expected);
    }
}
