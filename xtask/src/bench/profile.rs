//! Where the gateway's time goes: a table of parts, and a flame graph.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::results::{directory, keep, list, number, shown, text};
use crate::process::output;
use crate::server;

/// How long it is looked at unless it is said, in seconds.
const SECONDS: u64 = 10;

/// Measures, prints the parts, and keeps all of it.
pub(super) fn run(options: &super::Options) -> Result<()> {
    let [keyward, bench] = server::build_published()?;
    let mut command = Command::new(&bench);
    command.arg("profile").arg("--keyward").arg(keyward).arg("--logs").arg(directory()?);
    let report = output(command.args(["--seconds", &options.seconds.unwrap_or(SECONDS).to_string()]))?;
    let report = keep("profile", serde_json::from_str(&report).context("the measuring program printed no JSON")?)?;
    println!("\n{}", table(&report));
    Ok(())
}

/// The parts, in Markdown.
pub(super) fn table(report: &Value) -> String {
    let all = number(report, "samples").unwrap_or(f64::NAN);
    let mut said = "| what | part |\n|---|---|\n".to_owned();
    for part in list(report, "parts") {
        let share = number(part, "samples").map(|samples| 100.0 * samples / all);
        said.push_str(&format!("| {} | {} % |\n", text(part, "part"), shown(share)));
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_told_as_shares_of_all_samples() {
        let report = json!({ "samples": 200, "parts": [{ "part": "sending", "samples": 25 }] });
        assert_eq!(table(&report), "| what | part |\n|---|---|\n| sending | 12.5 % |\n");
    }
}
