//! The gateway beside its peers.

use std::fmt::Write;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::peers::{HOW_TO_GET, Peer};
use super::results::{directory, keep, list, number, shown, text};
use crate::process::output;
use crate::server;

#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Gateway, peers")]
pub(super) struct Options {
    /// What it is measured beside [default: nginx,haproxy; all that are installed when `peers` is named too]
    #[arg(long, value_delimiter = ',')]
    pub(super) peers: Option<Vec<Peer>>,
    /// After how many requests more the memory is looked at [default: 200000]
    #[arg(long)]
    pub(super) memory_after: Option<u64>,
}

/// Measures, prints tables, and keeps the figures.
pub(super) fn run(options: &super::Options, beside_all: bool) -> Result<()> {
    let [keyward, bench] = server::build_published()?;
    let mut command = Command::new(&bench);
    command.arg("gateway").arg("--keyward").arg(keyward).arg("--logs").arg(directory()?);
    for (option, value) in [
        ("--rounds", u64::from(options.rounds.unwrap_or(3))),
        ("--seconds", options.seconds.unwrap_or(5)),
        ("--memory-after", options.gateway.memory_after.unwrap_or(200_000)),
    ] {
        command.arg(option).arg(value.to_string());
    }
    let by_default = if beside_all { Peer::ALL.to_vec() } else { Peer::FAST.to_vec() };
    let wanted = options.gateway.peers.as_ref().unwrap_or(&by_default);
    let mut not_measured = Vec::new();
    for peer in Peer::ALL {
        let name = peer.name();
        if !wanted.contains(&peer) {
            not_measured.push(format!("{name}: not asked for"));
        } else if let Some(program) = peer.find() {
            command.arg(format!("--{name}")).arg(program);
        } else {
            not_measured.push(format!("{name}: not installed; {HOW_TO_GET}"));
        }
    }
    let report = output(&mut command)?;
    let mut report: Value = serde_json::from_str(&report).context("the measuring program printed no JSON")?;
    let told = report.get_mut("not_measured").and_then(Value::as_array_mut);
    told.context("the report does not say what was not measured")?.extend(not_measured.into_iter().map(Value::from));
    let report = keep("gateway", report)?;
    println!("{}", tables(&report));
    for peer in list(&report, "not_measured") {
        println!("not measured: {}", peer.as_str().unwrap_or_default());
    }
    Ok(())
}

/// A table in Markdown for each figure.
fn tables(report: &Value) -> String {
    let mut said = String::new();
    for table in list(report, "tables") {
        let rows = list(table, "rows");
        if rows.is_empty() {
            continue;
        }
        // A text takes what is written to it.
        let _ = writeln!(said, "\n| {} | min | median | max | ÷ nginx |\n|---|---|---|---|---|", text(table, "title"));
        for row in rows {
            let columns = ["min", "median", "max", "ratio"].map(|name| shown(number(row, name)));
            let _ = writeln!(said, "| {} | {} |", subject(row), columns.join(" | "));
        }
    }
    said
}

/// Who a row is about, and how much it was asked, where that is not as much as the others.
pub(super) fn subject(row: &Value) -> String {
    match text(row, "at") {
        "" => text(row, "subject").to_owned(),
        at => format!("{} (at {at})", text(row, "subject")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_has_a_row_for_each_that_was_measured() {
        let report = json!({ "tables": [
            { "title": "CPU, µs", "rows": [
                { "subject": "nginx", "min": 17.25, "median": 18.0, "max": 1800.4, "ratio": 1.0, "at": null },
                { "subject": "slow", "min": 30.0, "median": 36.0, "max": 36.0, "ratio": null, "at": "2 streams/s" },
            ] },
            { "title": "nobody's", "rows": [] },
        ] });
        let expected = "\n| CPU, µs | min | median | max | ÷ nginx |\n|---|---|---|---|---|\n\
                        | nginx | 17.2 | 18.0 | 1,800 | 1.00 |\n| slow (at 2 streams/s) | 30.0 | 36.0 | 36.0 | – |\n";
        assert_eq!(tables(&report), expected);
    }
}
