//! How costs grow with what there is: virtual keys, meters, connections, bodies, entries of the ledger.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::Value;

use super::results::{directory, keep, list, number, shown, text, whole};
use crate::process::output;
use crate::server;

/// What there is more and more of.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Curve {
    VirtualKeys,
    Meters,
    Connections,
    Bodies,
    Ledger,
}

#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Growth")]
pub(super) struct Options {
    /// Which curves are measured [default: all]
    #[arg(long, value_delimiter = ',')]
    pub(super) curves: Option<Vec<Curve>>,
    /// Give virtual keys no budget of their own
    #[arg(long)]
    pub(super) bare_keys: bool,
    /// How many meters count a request at most [default: 32]
    #[arg(long)]
    pub(super) meters: Option<usize>,
    /// How many connections there are at most [default: 4096]
    #[arg(long)]
    pub(super) connections: Option<usize>,
    /// How long the body of a request is at most, in bytes [default: 10000000]
    #[arg(long)]
    pub(super) body_bytes: Option<usize>,
    /// How many entries the ledger has at most [default: 10000000]
    #[arg(long)]
    pub(super) ledger_rows: Option<usize>,
}

/// Measures, prints a table for each curve, and keeps the figures.
pub(super) fn run(options: &super::Options) -> Result<()> {
    let [keyward, bench] = server::build_published()?;
    let mut command = Command::new(&bench);
    command.arg("growth").arg("--keyward").arg(keyward).arg("--logs").arg(directory()?);
    let Options { curves, bare_keys, meters, connections, body_bytes, ledger_rows } = &options.growth;
    for (option, value) in [
        ("--rounds", usize::try_from(options.rounds.unwrap_or(3))?),
        ("--seconds", usize::try_from(options.seconds.unwrap_or(2))?),
        ("--virtual-keys", options.virtual_keys.unwrap_or(1_000_000)),
        ("--meters", meters.unwrap_or(32)),
        ("--connections", connections.unwrap_or(4_096)),
        ("--body-bytes", body_bytes.unwrap_or(10_000_000)),
        ("--ledger-rows", ledger_rows.unwrap_or(10_000_000)),
    ] {
        command.arg(option).arg(value.to_string());
    }
    command.args(bare_keys.then_some("--bare-keys"));
    for curve in curves.iter().flatten().filter_map(Curve::to_possible_value) {
        command.arg("--curve").arg(curve.get_name());
    }
    let report = output(&mut command)?;
    let report = keep("growth", serde_json::from_str(&report).context("the measuring program printed no JSON")?)?;
    for curve in list(&report, "curves") {
        println!("\n{}", table(curve));
    }
    Ok(())
}

/// Takes the curves of the last run over: those that it has not measured stay as they are.
pub(super) fn take(last: &Path, known: &Path) -> Result<()> {
    let read = |path: &Path| Ok::<Value, anyhow::Error>(serde_json::from_str(&fs::read_to_string(path)?)?);
    let before = if known.exists() { read(known)? } else { Value::Null };
    let curves = serde_json::json!({ "suite": "growth", "curves": beside(&before, &read(last)?) });
    fs::write(known, format!("{}\n", serde_json::to_string_pretty(&curves)?))?;
    Ok(())
}

/// The curves of a run beside those that it has not measured, each with what it was measured on.
fn beside(known: &Value, run: &Value) -> Vec<Value> {
    let conditions =
        run.as_object().into_iter().flatten().filter(|(name, _)| !["suite", "curves"].contains(&name.as_str()));
    let conditions: Vec<_> = conditions.map(|(name, value)| (name.clone(), value.clone())).collect();
    let with_conditions = |curve: &Value| {
        let members = curve.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(members.chain(conditions.iter().cloned()).collect())
    };
    let is = |one: &Value, other: &Value| text(one, "curve") == text(other, "curve");
    let (before, newest) = (list(known, "curves"), list(run, "curves"));
    let kept = before.iter().map(|curve| match newest.iter().find(|new| is(new, curve)) {
        Some(new) => with_conditions(new),
        None => curve.clone(),
    });
    let added = newest.iter().filter(|new| !before.iter().any(|curve| is(new, curve))).map(with_conditions);
    kept.chain(added).collect()
}

/// The points of a curve, in Markdown: medians, with the least and the greatest where there are several.
pub(super) fn table(curve: &Value) -> String {
    let figures: Vec<_> =
        list(curve, "figures").iter().map(|figure| (text(figure, "figure"), text(figure, "title"))).collect();
    let titles: Vec<_> = figures.iter().map(|(_, title)| *title).collect();
    let mut said =
        format!("| {} | {} |\n|---|{}\n", text(curve, "of"), titles.join(" | "), "---|".repeat(titles.len()));
    for point in list(curve, "points") {
        let cells: Vec<_> = figures
            .iter()
            .map(|(name, _)| point.pointer(&format!("/figures/{name}")).map_or_else(|| "–".to_owned(), spread))
            .collect();
        said.push_str(&format!("| {} | {} |\n", whole(number(point, "x")), cells.join(" | ")));
    }
    said
}

/// The middle one, and between what it lies.
fn spread(of: &Value) -> String {
    let [min, median, max] = ["min", "median", "max"].map(|name| number(of, name));
    if min == max { shown(median) } else { format!("{} ({}–{})", shown(median), shown(min), shown(max)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_curve_keeps_what_it_was_measured_on() {
        let curve = |name: &str, points: usize| json!({ "curve": name, "points": points });
        let run = |day: &str, curves: &[Value]| json!({ "suite": "growth", "measured": day, "curves": curves });
        let first = beside(&Value::Null, &run("monday", &[curve("a", 1), curve("b", 1)]));
        let second = beside(&json!({ "curves": first }), &run("tuesday", &[curve("b", 2), curve("c", 2)]));
        let told = |of: &Value| (text(of, "curve").to_owned(), text(of, "measured").to_owned(), number(of, "points"));
        let expected = [("a", "monday", 1.0), ("b", "tuesday", 2.0), ("c", "tuesday", 2.0)];
        let expected = expected.map(|(curve, day, points)| (curve.to_owned(), day.to_owned(), Some(points)));
        assert_eq!(second.iter().map(told).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_point_has_its_spread() {
        let curve = json!({
            "of": "meters",
            "figures": [{ "figure": "cpu", "title": "CPU" }, { "figure": "memory", "title": "memory" }],
            "points": [
                { "x": 1.0, "figures": { "cpu": { "min": 1.0, "median": 2.0, "max": 3.0 } } },
                { "x": 1024.0, "figures": { "memory": { "min": 5.0, "median": 5.0, "max": 5.0 } } },
            ],
        });
        let expected = "| meters | CPU | memory |\n|---|---|---|\n| 1 | 2.00 (1.00–3.00) | – |\n| 1,024 | – | 5.00 |\n";
        assert_eq!(table(&curve), expected);
    }
}
