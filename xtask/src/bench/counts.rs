//! Counts of instructions, beside those that were accepted before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// By how much a count may differ from the baseline, in percent of it.
const TOLERANCE: u128 = 3;

/// A count that was accepted.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accepted {
    instructions: u64,
    /// Why it is what it is.
    reason: String,
}

/// By the name of what is counted.
type Baseline = BTreeMap<String, Accepted>;

/// Reads a baseline; one that is not there is empty.
pub(super) fn read(path: &Path) -> Result<Baseline> {
    if !path.exists() {
        return Ok(Baseline::new());
    }
    serde_json::from_str(&fs::read_to_string(path)?).with_context(|| format!("{} is no baseline", path.display()))
}

/// What was counted, and what was accepted.
pub(super) struct Counts {
    baseline: Baseline,
    counted: BTreeMap<String, u64>,
}

/// How a count differs from the baseline by more than it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moved {
    Grown,
    Shrunk,
    /// One of the two is not there.
    New,
    Gone,
}

impl Moved {
    const fn words(self) -> &'static str {
        match self {
            Self::Grown => "more",
            Self::Shrunk => "fewer",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

impl Counts {
    /// What gungraun has counted: a JSON object on each line.
    pub(super) fn new(baseline: Baseline, report: &str) -> Result<Self> {
        let lines = report.lines().filter(|line| line.starts_with('{'));
        let counted = lines.map(|line| count(&serde_json::from_str(line)?)).collect::<Result<BTreeMap<_, _>>>()?;
        ensure!(!counted.is_empty(), "gungraun counted nothing");
        Ok(Self { baseline, counted })
    }

    /// A table in Markdown.
    pub(super) fn table(&self) -> String {
        let mut text = "\n| instructions | baseline | now | change |\n|---|---|---|---|\n".to_owned();
        for name in self.names() {
            let (before, now) = self.of(name);
            let shown = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), |count| count.to_string());
            let change = before.zip(now).map_or_else(String::new, |(before, now)| change(before, now));
            // A text takes what is written to it.
            let _ = writeln!(text, "| {name} | {} | {} | {change} |", shown(before), shown(now));
        }
        text
    }

    /// Fails when one has moved.
    pub(super) fn hold(&self) -> Result<()> {
        let moved = self.moved();
        if moved.is_empty() {
            return Ok(());
        }
        let list: Vec<_> = moved.iter().map(|(name, moved)| format!("{name} ({})", moved.words())).collect();
        bail!(
            "instructions differ from the baseline by more than {TOLERANCE} %: {}. If that is meant, say why: \
             cargo xtask bench gate --accept \"<reason>\"",
            list.join(", ")
        )
    }

    /// Writes those that have moved into the baseline. The others stay: small steps add up to one that shows.
    pub(super) fn accept(mut self, reason: &str, path: &Path) -> Result<()> {
        ensure!(!reason.trim().is_empty(), "a reason has words");
        for (name, _) in self.moved() {
            match self.counted.get(&name) {
                Some(&instructions) => self.baseline.insert(name, Accepted { instructions, reason: reason.to_owned() }),
                None => self.baseline.remove(&name),
            };
        }
        fs::write(path, format!("{}\n", serde_json::to_string_pretty(&self.baseline)?))?;
        Ok(())
    }

    fn moved(&self) -> Vec<(String, Moved)> {
        let moved = self.names().into_iter().filter_map(|name| {
            let moved = match self.of(name) {
                (Some(before), Some(now)) => beyond(before, now)?,
                (None, _) => Moved::New,
                (Some(_), None) => Moved::Gone,
            };
            Some((name.clone(), moved))
        });
        moved.collect()
    }

    fn names(&self) -> BTreeSet<&String> {
        self.baseline.keys().chain(self.counted.keys()).collect()
    }

    /// The accepted count and the new one.
    fn of(&self, name: &str) -> (Option<u64>, Option<u64>) {
        (self.baseline.get(name).map(|accepted| accepted.instructions), self.counted.get(name).copied())
    }
}

/// The name and the instructions of one benchmark.
fn count(summary: &Value) -> Result<(String, u64)> {
    let name = summary.get("function_name").and_then(Value::as_str).context("gungraun named no benchmark")?;
    let instructions = summary.pointer("/profiles/0/data/total/metrics/Ir/values/new").and_then(Value::as_u64);
    Ok((name.to_owned(), instructions.with_context(|| format!("gungraun counted no instructions of {name}"))?))
}

fn beyond(before: u64, now: u64) -> Option<Moved> {
    let room = u128::from(before) * TOLERANCE;
    let is_within = u128::from(before.abs_diff(now)) * 100 <= room;
    let moved = if now > before { Moved::Grown } else { Moved::Shrunk };
    (!is_within).then_some(moved)
}

/// A difference in percent, with a sign.
fn change(before: u64, now: u64) -> String {
    let tenths = (i128::from(now) - i128::from(before)) * 1_000 / i128::from(before.max(1));
    let sign = if tenths < 0 { '-' } else { '+' };
    format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three that were accepted at a thousand instructions each, and what was counted of them now.
    fn counts(now: &[(&str, u64)]) -> Counts {
        let accepted = |name: &str| (name.to_owned(), Accepted { instructions: 1_000, reason: "the first".to_owned() });
        let baseline = ["a", "b", "c"].map(accepted).into();
        let line = |&(name, count): &(&str, u64)| {
            format!(
                r#"{{"function_name":"{name}","profiles":[{{"data":{{"total":{{"metrics":{{"Ir":{{"values":{{"new":{count}}}}}}}}}}}}}]}}"#
            )
        };
        let report = now.iter().map(line).collect::<Vec<_>>().join("\n");
        Counts::new(baseline, &format!("Running benches\n{report}\n")).unwrap()
    }

    #[test]
    fn three_percent_are_allowed_and_no_more() {
        assert!(counts(&[("a", 1_030), ("b", 970), ("c", 1_000)]).hold().is_ok());
        let moved = counts(&[("a", 1_031), ("b", 969), ("d", 5)]).moved();
        let expected = [("a", Moved::Grown), ("b", Moved::Shrunk), ("c", Moved::Gone), ("d", Moved::New)];
        assert_eq!(moved, expected.map(|(name, moved)| (name.to_owned(), moved)));
        let error = counts(&[("a", 1_031), ("b", 1_000), ("c", 1_000)]).hold().unwrap_err().to_string();
        assert!(error.contains("a (more)") && error.contains("--accept"), "{error}");
    }

    #[test]
    fn only_what_has_moved_gets_the_reason() {
        let file = tempfile::NamedTempFile::new().unwrap();
        counts(&[("a", 1_500), ("b", 1_020), ("d", 5)]).accept("a does more", file.path()).unwrap();
        let written = read(file.path()).unwrap();
        let written: Vec<_> =
            written.iter().map(|(name, of)| (name.as_str(), of.instructions, of.reason.as_str())).collect();
        assert_eq!(written, [("a", 1_500, "a does more"), ("b", 1_000, "the first"), ("d", 5, "a does more")]);
        assert!(counts(&[("a", 1_500)]).accept(" ", file.path()).is_err());
    }

    #[test]
    fn a_change_has_a_sign_and_a_decimal() {
        assert_eq!(change(1_000, 1_031), "+3.1 %");
        assert_eq!(change(1_000, 969), "-3.1 %");
        assert_eq!(change(1_000, 1_000), "+0.0 %");
    }
}
