//! What must be as it was, or as it must be.

use std::time::Duration;

use anyhow::{Context, Result};
use keyward_client::CustomerId;
use serde::Serialize;
use serde_json::Value;

use super::mix::chat;
use super::samples::{self, Open, Sample};
use crate::load::{self, Calls, Expected, Outcome};
use crate::rig::{Keyward, LONE, Started, entries_checked, secret};

/// How many percent the memory may grow.
const MEMORY: f64 = 2.0;
/// How long it may take to end.
const ENDING: Duration = Duration::from_secs(10);
/// What an answer and a stream cost, in nano-dollars: 12 tokens at $0.0001, and 64 or 99 at $0.0004.
const WHOLE: i64 = 12 * 100_000 + 64 * 400_000;
const STREAM: i64 = 12 * 100_000 + 99 * 400_000;

/// Something that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    check: &'static str,
    expected: String,
    measured: String,
    passed: bool,
}

#[derive(Default)]
pub(super) struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, check: &'static str, expected: impl ToString, measured: impl ToString, passed: bool) {
        let (expected, measured) = (expected.to_string(), measured.to_string());
        self.0.push(Check { check, expected, measured, passed });
    }

    fn same<T: ToString + PartialEq>(&mut self, check: &'static str, expected: T, measured: T) {
        let passed = expected == measured;
        self.add(check, expected, measured, passed);
    }

    pub(super) fn answers(&mut self, load: &Result<Outcome>, beside: &Result<Vec<Sample>>) {
        let measured = match (load, beside) {
            (Ok(outcome), Ok(_)) => Ok(format!("{} were", outcome.completed)),
            (Err(error), _) | (_, Err(error)) => Err(format!("{error:#}")),
        };
        let passed = measured.is_ok();
        self.add("every answer is as it should be", "all of them", measured.unwrap_or_else(|error| error), passed);
    }

    pub(super) fn memory(&mut self, samples: &[Sample]) {
        let growth = samples::growth(samples);
        let measured = growth.map_or_else(|| "too few samples".to_owned(), |percent| format!("{percent:.2} %"));
        let passed = growth.is_some_and(|percent| percent < MEMORY);
        self.add("growth of the memory after its warming up", format!("less than {MEMORY} %"), measured, passed);
    }

    pub(super) fn nothing_left(&mut self, before: Open, after: Open) {
        for (check, before, after) in [
            ("sockets at rest", before.sockets, after.sockets),
            ("other descriptors at rest", before.others, after.others),
            ("threads at rest", before.threads, after.threads),
        ] {
            self.add(check, format!("at most {before}, as before"), after, after <= before);
        }
    }

    /// Attempts that still run or hold something, and slots that are not free again.
    pub(super) async fn holds(&mut self, started: &Started) -> Result<()> {
        let metrics = started.manager()?.metrics().await?;
        for (check, metric) in [
            ("attempts that run", "keyward_attempts_in_flight"),
            ("attempts that hold something", "keyward_open_attempts"),
        ] {
            self.same(check, "0".to_owned(), gauge(&metrics, metric)?);
        }
        let lone: Calls = [chat(started, &secret(LONE), false, Expected::Status(200))].into();
        let admitted = load::once(started.address, &lone).await;
        let measured = admitted.as_ref().map_or_else(|error| format!("{error:#}"), |()| "admitted".to_owned());
        self.add("the slot of the virtual key that has one", "free: admitted", measured, admitted.is_ok());
        Ok(())
    }

    /// What was charged, what is in the ledger, and what the upstream has answered.
    pub(super) async fn books(&mut self, keyward: &Keyward<'_>, started: Started, counts: &str) -> Result<()> {
        let counts: Value = serde_json::from_str(counts)?;
        let count = |name: &str| counts.get(name).and_then(Value::as_i64).with_context(|| format!("no count {name}"));
        let (whole, streams) = (count("whole")?, count("streams")?);
        let customer = started.manager()?.customer_get(&CustomerId::from("customer")).await?;
        let charged = customer.budgets.first().context("the customer has no budget")?.current_usage.nanos();
        self.same("charged to the customer, nano-dollars", whole * WHOLE + streams * STREAM, charged);
        match started.program.end().await {
            Ok(taken) => self.add(
                "time to end",
                format!("at most {} s", ENDING.as_secs()),
                format!("{:.1} s", taken.as_secs_f64()),
                taken <= ENDING,
            ),
            Err(error) => self.add("time to end", "a success", format!("{error:#}"), false),
        }
        match keyward.command(&["ledger", "reconcile"]) {
            Ok(said) => {
                self.same("entries of the ledger", whole + streams, i64::try_from(entries_checked(&said)?)?);
                self.add("`keyward ledger reconcile`", "adds up", "adds up", true);
            }
            Err(error) => self.add("`keyward ledger reconcile`", "adds up", format!("{error:#}"), false),
        }
        Ok(())
    }

    pub(super) fn all(self) -> Vec<Check> {
        self.0
    }
}

/// A gauge without labels, as the server says it.
fn gauge(metrics: &str, name: &str) -> Result<String> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("no metric {name}"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_read_by_its_whole_name() {
        let metrics = "# TYPE a gauge\na_b 3\na 0\n# EOF\n";
        assert_eq!(gauge(metrics, "a").unwrap(), "0");
        assert!(gauge(metrics, "b").is_err());
    }

    #[test]
    fn what_is_left_over_fails() {
        let before = Open { sockets: 2, others: 9, threads: 5 };
        for (after, passed) in [(before, 3), (Open { sockets: 3, ..before }, 2), (Open { threads: 4, ..before }, 3)] {
            let mut checks = Checks::default();
            checks.nothing_left(before, after);
            assert_eq!(checks.all().iter().filter(|check| check.passed).count(), passed);
        }
    }
}
