//! What was reached of a document, and what was found wrong, by operation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The most failures that are kept for an operation: after those, another one says nothing new.
const MOST: usize = 20;

/// What became of one operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reached {
    /// The statuses that came, each with the content types that it came with.
    pub statuses: BTreeMap<u16, BTreeSet<String>>,
    /// What was wrong.
    pub failures: Vec<String>,
    /// What was not tried, and why.
    pub skipped: Option<String>,
    /// How many requests it got.
    pub requests: u64,
    /// How long they took.
    pub took: Duration,
}

/// All operations that were asked for, by id.
#[derive(Debug, Default)]
pub(crate) struct Coverage(pub(crate) BTreeMap<String, Reached>);

impl Coverage {
    pub(crate) fn of(&mut self, operation: &str) -> &mut Reached {
        self.0.entry(operation.to_owned()).or_default()
    }

    pub(crate) fn fail(&mut self, operation: &str, what: String) {
        let failures = &mut self.of(operation).failures;
        if failures.len() < MOST && !failures.contains(&what) {
            failures.push(what);
        }
    }

    /// Whether an operation has answered with a status.
    pub(crate) fn has(&self, operation: &str, status: u16) -> bool {
        self.0.get(operation).is_some_and(|reached| reached.statuses.contains_key(&status))
    }
}
