//! Half load of every kind for a long time.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::results::{directory, keep, list, text};
use crate::process::output;
use crate::server;

#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Soak")]
pub(super) struct Options {
    /// How long it takes, in minutes [default: 30]
    #[arg(long)]
    pub(super) minutes: Option<u64>,
}

/// Measures, prints what was held, and keeps the figures.
///
/// # Errors
/// When anything was not as it must be.
pub(super) fn run(options: &super::Options) -> Result<()> {
    let [keyward, bench] = server::build_published()?;
    let mut command = Command::new(&bench);
    command.arg("soak").arg("--keyward").arg(keyward).arg("--logs").arg(directory()?);
    let report = output(command.args(["--minutes", &options.soak.minutes.unwrap_or(30).to_string()]))?;
    let report = keep("soak", serde_json::from_str(&report).context("the measuring program printed no JSON")?)?;
    println!("\n{}", table(&report));
    let failed: Vec<_> =
        list(&report, "checks").iter().filter(|check| !passed(check)).map(|check| text(check, "check")).collect();
    if !failed.is_empty() {
        bail!("not as it must be: {}", failed.join("; "));
    }
    Ok(())
}

/// What was held to, in Markdown.
pub(super) fn table(report: &Value) -> String {
    let mut said = "| what | must be | was | |\n|---|---|---|---|\n".to_owned();
    for check in list(report, "checks") {
        let verdict = if passed(check) { "ok" } else { "**failed**" };
        let [what, expected, measured] = ["check", "expected", "measured"].map(|name| text(check, name));
        said.push_str(&format!("| {what} | {expected} | {measured} | {verdict} |\n"));
    }
    said
}

fn passed(check: &Value) -> bool {
    check.get("passed").and_then(Value::as_bool).unwrap_or(false)
}
