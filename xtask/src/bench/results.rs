//! Results: a JSON object for each suite, with the machine that it was measured on. The last ones are in `target/bench/`; those that the
//! documentation shows are in `docs/performance/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::machine::Machine;
use crate::process::root;

/// The suites that have results.
pub(super) const SUITES: [&str; 6] = ["engine", "gateway", "management", "growth", "profile", "soak"];

/// Results by suite; one that was not measured is not there.
pub(super) struct Results(BTreeMap<&'static str, Value>);

impl Results {
    /// The last results of this machine.
    pub(super) fn last() -> Result<Self> {
        Self::read(&directory()?)
    }

    pub(super) fn read(directory: &Path) -> Result<Self> {
        let mut all = BTreeMap::new();
        for suite in SUITES {
            let path = directory.join(suite).with_extension("json");
            if path.exists() {
                let text = fs::read_to_string(&path)?;
                let result = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
                all.insert(suite, result);
            }
        }
        Ok(Self(all))
    }

    pub(super) fn of(&self, suite: &str) -> Option<&Value> {
        self.0.get(suite)
    }

    #[cfg(test)]
    pub(super) fn sample<const N: usize>(of: [(&'static str, Value); N]) -> Self {
        Self(of.into_iter().collect())
    }
}

/// Where the last results and the logs are.
pub(super) fn directory() -> Result<PathBuf> {
    let results = root().join("target").join("bench");
    fs::create_dir_all(&results)?;
    Ok(results)
}

/// Keeps what a measuring program has printed, with the machine and the day. Returns all of it.
pub(super) fn keep(suite: &str, report: Value) -> Result<Value> {
    let mut kept = json!({ "suite": suite });
    let members = kept.as_object_mut().context("a report is an object")?;
    members.extend(Machine::this()?.told());
    let Value::Object(report) = report else { anyhow::bail!("the report of {suite} is no object") };
    members.extend(report);
    let path = directory()?.join(suite).with_extension("json");
    fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&kept)?))?;
    println!("\nthe figures are in {}", path.strip_prefix(root()).unwrap_or(&path).display());
    Ok(kept)
}

/// The members of a list; none where there is no list.
pub(super) fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text; nothing where there is none.
pub(super) fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number, where there is one.
pub(super) fn number(of: &Value, name: &str) -> Option<f64> {
    of.get(name).and_then(Value::as_f64)
}

/// A number for people: three digits or so, thousands apart, and a dash where there is none.
pub(super) fn shown(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 1_000.0 => thousands(&format!("{value:.0}")),
        Some(value) if value.abs() >= 100.0 || value == 0.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// A whole number for people.
pub(super) fn whole(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| thousands(&format!("{value:.0}")))
}

/// Commas between thousands of a whole number.
fn thousands(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_the_digits_that_matter() {
        let all = [1_234_567.4, 1_000.0, 331.4, 17.36, 0.834, 0.0, -1_500.0].map(|value| shown(Some(value)));
        assert_eq!(all, ["1,234,567", "1,000", "331", "17.4", "0.83", "0", "-1,500"]);
        assert_eq!(shown(None), "–");
    }
}
