//! The parts of the page that results fill: what stands between `<!-- bench: NAME -->` and `<!-- bench end -->`.

use anyhow::{Context, Result};
use serde_json::Value;

use super::super::results::{Results, list, number, shown, text, whole};
use super::super::{engine, gateway, growth, management, profile, soak, targets};
use super::charts;

const BEGIN: &str = "<!-- bench: ";
const END: &str = "<!-- bench end -->";

/// The page with its parts filled anew.
///
/// # Errors
/// When a part has no end, or a name that nothing fills.
pub(super) fn filled(page: &str, results: &Results) -> Result<String> {
    let (mut said, mut rest) = (String::new(), page);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after.split_once(" -->").context("a mark that does not end")?;
        let (_, after) = after.split_once(END).with_context(|| format!("the part {name} has no end"))?;
        let part = part(name, results)?;
        said.push_str(&format!("{before}{BEGIN}{name} -->\n\n{}\n\n{END}", part.trim()));
        rest = after;
    }
    said.push_str(rest);
    Ok(said)
}

fn part(name: &str, results: &Results) -> Result<String> {
    if name == "targets" {
        return Ok(targets::table(results));
    }
    let (suite, is_text) = name.split_once(' ').map_or((name, false), |(suite, what)| (suite, what == "conditions"));
    let Some(report) = results.of(suite) else {
        return Ok(format!("Not measured: `cargo xtask bench {suite}`."));
    };
    if is_text {
        return Ok(conditions(report));
    }
    let tables = match suite {
        "engine" => engine::table(report),
        "gateway" => beside_peers(report),
        "management" => management::table(report),
        "growth" => curves(report),
        "profile" => profile::table(report),
        "soak" => soak::table(report),
        other => anyhow::bail!("nothing fills the part {other}"),
    };
    let charts: String =
        charts::of(suite, results).iter().map(|(name, title)| format!("\n![{title}](performance/{name})\n")).collect();
    Ok(format!("{}\n{charts}", tables.trim_end()))
}

/// When and on what something was measured.
fn conditions(report: &Value) -> String {
    let machine = report.get("machine").unwrap_or(&Value::Null);
    let mut said = format!(
        "Measured: {}, on {} cores of {}, Linux {}, {}.",
        text(report, "measured"),
        shown(number(machine, "cores")).trim_end_matches(".00"),
        text(machine, "processor"),
        text(machine, "kernel"),
        text(report, "rustc"),
    );
    let setting = |name: &str| number(report.get("settings")?, name);
    if let Some((rounds, seconds)) = setting("rounds").zip(setting("seconds")) {
        said.push_str(&format!(" Rounds: {}, of {} s a figure.", whole(Some(rounds)), whole(Some(seconds))));
    }
    if let Some((minutes, rate)) = setting("minutes").zip(setting("calls_per_second")) {
        said.push_str(&format!(" {} minutes at {} calls in a second.", whole(Some(minutes)), whole(Some(rate))));
    }
    if let Some((seconds, rate)) = setting("seconds").zip(setting("samples_per_second")) {
        said.push_str(&format!(" {} samples in a second, for {} s.", whole(Some(rate)), whole(Some(seconds))));
    }
    let versions = report.get("versions").and_then(Value::as_object);
    let mut versions: Vec<_> = versions.into_iter().flat_map(|of| of.values()).filter_map(Value::as_str).collect();
    versions.extend(Some(text(report, "version")).filter(|version| !version.is_empty()));
    versions.sort_unstable();
    versions.dedup();
    if !versions.is_empty() {
        said.push_str(&format!(" Versions: {}.", versions.join("; ")));
    }
    said
}

/// One table: a row for each figure, a column for each subject.
fn beside_peers(report: &Value) -> String {
    let tables: Vec<_> = list(report, "tables").iter().filter(|table| !list(table, "rows").is_empty()).collect();
    // One table has everybody.
    let fullest = tables.iter().max_by_key(|table| list(table, "rows").len());
    let subjects: Vec<_> =
        fullest.iter().flat_map(|table| list(table, "rows")).map(|row| text(row, "subject")).collect();
    let mut said = format!(
        "| figure | {} | Keyward ÷ nginx |\n|---|{}---|\n",
        subjects.join(" | "),
        "---|".repeat(subjects.len())
    );
    for table in tables {
        let rows = list(table, "rows");
        let find = |subject: &str| rows.iter().find(|row| text(row, "subject") == subject);
        let cells: Vec<_> = subjects.iter().map(|subject| find(subject).map_or_else(String::new, cell)).collect();
        let ratio = find("keyward").and_then(|row| number(row, "ratio"));
        let ratio = ratio.map_or_else(String::new, |ratio| shown(Some(ratio)));
        said.push_str(&format!("| {} | {} | {ratio} |\n", text(table, "title"), cells.join(" | ")));
    }
    for peer in list(report, "not_measured").iter().filter_map(Value::as_str) {
        said.push_str(&format!("\nNot measured: {peer}.\n"));
    }
    said
}

/// The median, between what it lies, and how much was asked where that is less than the others were.
fn cell(row: &Value) -> String {
    let [median, min, max] = ["median", "min", "max"].map(|name| shown(number(row, name)));
    let spread = if min == max { median } else { format!("{median} ({min}–{max})") };
    match gateway::subject(row).split_once(" (at ") {
        Some((_, at)) => format!("{spread}, at {}", at.trim_end_matches(')')),
        None => spread,
    }
}

fn curves(report: &Value) -> String {
    let of = |curve: &Value| {
        format!("**{}**\n\n{}\n\n{}", heading(text(curve, "of")), conditions(curve), growth::table(curve))
    };
    list(report, "curves").iter().map(of).collect::<Vec<_>>().join("\n")
}

fn heading(of: &str) -> String {
    let mut letters = of.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_filled_again_and_the_rest_stays() {
        let page = "a\n<!-- bench: soak -->\nold\n<!-- bench end -->\nb\n";
        let check = json!({ "check": "sockets", "expected": "2", "measured": "2", "passed": true });
        let results = Results::sample([("soak", json!({ "checks": [check] }))]);
        let expected = "a\n<!-- bench: soak -->\n\n| what | must be | was | |\n|---|---|---|---|\n| sockets | 2 | 2 | ok |\n\n\
                        ![memory (PSS) during the soak, MiB](performance/soak-memory.svg)\n\n<!-- bench end -->\nb\n";
        let once = filled(page, &results).unwrap();
        assert_eq!(once, expected);
        assert_eq!(filled(&once, &results).unwrap(), expected);
    }

    #[test]
    fn what_has_no_results_says_how_to_get_them() {
        let page = "<!-- bench: growth -->\n<!-- bench end -->";
        assert!(filled(page, &Results::sample([])).unwrap().contains("Not measured: `cargo xtask bench growth`."));
        for wrong in ["<!-- bench: growth -->", "<!-- bench: growth"] {
            assert!(filled(wrong, &Results::sample([])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_was_asked_less_says_so() {
        let row = json!({ "subject": "slow", "at": "20 requests/s", "min": 1.0, "median": 2.0, "max": 3.0 });
        assert_eq!(cell(&row), "2.00 (1.00–3.00), at 20 requests/s");
    }

    #[test]
    fn conditions_say_on_what_it_was_measured() {
        let report = json!({
            "measured": "2026-11-26",
            "machine": { "processor": "AMD EPYC", "cores": 2, "kernel": "6.18" },
            "rustc": "rustc 1.95.0",
            "settings": { "rounds": 3, "seconds": 5 },
            "versions": { "nginx": "nginx/1.22.1", "nginx, key and limit": "nginx/1.22.1" },
        });
        let expected = "Measured: 2026-11-26, on 2 cores of AMD EPYC, Linux 6.18, rustc 1.95.0. Rounds: 3, of 5 s a figure. \
                        Versions: nginx/1.22.1.";
        assert_eq!(conditions(&report), expected);
    }
}
