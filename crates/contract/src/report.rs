//! What came of a run, operation by operation.

use std::fmt;
use std::time::Duration;

use crate::coverage::Reached;
use crate::document::{Document, Operation};
use crate::run::Run;
use crate::verify::Options;

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The server.
    pub url: String,
    /// Every operation of both documents, in their order.
    pub operations: Vec<OperationReport>,
    /// False: it was interrupted.
    pub is_whole: bool,
    /// How long it took.
    pub took: Duration,
}

/// What came of one operation.
#[derive(Debug, Clone)]
pub struct OperationReport {
    /// The document that has it.
    pub document: String,
    /// Its id.
    pub id: String,
    /// Its method and its path.
    pub route: String,
    /// How many statuses it documents by number.
    pub documented: usize,
    /// What was reached of it.
    pub reached: Reached,
}

impl Report {
    pub(crate) fn of(run: Run, options: &Options, is_whole: bool, took: Duration) -> Self {
        let documents = run.contract.documents();
        let mut coverage = run.coverage.0;
        let operations =
            documents.iter().flat_map(|document| document.operations().iter().map(move |it| (document, it)));
        let operations = operations.map(|(document, operation)| {
            OperationReport::of(document, operation, coverage.remove(&operation.id).unwrap_or_default())
        });
        Self { url: options.url.to_string(), operations: operations.collect(), is_whole, took }
    }

    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.is_whole && self.operations.iter().all(|operation| operation.reached.failures.is_empty())
    }

    /// Everything that was wrong, each with its operation.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.operations.iter().flat_map(|operation| {
            operation.reached.failures.iter().map(|failure| (operation.id.as_str(), failure.as_str()))
        })
    }
}

impl OperationReport {
    fn of(document: &Document, operation: &Operation, reached: Reached) -> Self {
        Self {
            document: document.name().to_owned(),
            id: operation.id.clone(),
            route: format!("{} {}", operation.method, operation.template),
            documented: operation.responses().filter(|(status, _)| status.parse::<u16>().is_ok()).count(),
            reached,
        }
    }

    /// Why it has no verdict, when it has none.
    #[must_use]
    pub fn skipped(&self) -> Option<&str> {
        match &self.reached.skipped {
            Some(reason) => Some(reason),
            None if self.reached.requests == 0 => Some("it would do more than what can be taken back"),
            None => None,
        }
    }

    const fn verdict(&self) -> &'static str {
        match (self.reached.failures.is_empty(), self.reached.requests) {
            (false, _) => "FAILED",
            (true, 0) => "skipped",
            (true, _) => "ok",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The contract of {}, held against {}\n", env!("CARGO_PKG_VERSION"), self.url)?;
        for operation in &self.operations {
            write!(f, "{operation}")?;
        }
        let count = |verdict: &str| self.operations.iter().filter(|operation| operation.verdict() == verdict).count();
        let requests: u64 = self.operations.iter().map(|operation| operation.reached.requests).sum();
        let (passed, failed, skipped) = (count("ok"), count("FAILED"), count("skipped"));
        let seconds = self.took.as_secs_f64();
        writeln!(
            f,
            "\n{passed} operations passed, {failed} failed, {skipped} were not tried; {requests} requests in {seconds:.1} s"
        )?;
        if !self.is_whole {
            writeln!(f, "interrupted: the rest was not tried")?;
        }
        Ok(())
    }
}

impl fmt::Display for OperationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statuses: Vec<_> = self.reached.statuses.keys().map(u16::to_string).collect();
        let of = format!("{}/{}", statuses.len(), self.documented);
        writeln!(f, "{:<8} {:<40} {of:>5}  {}", self.verdict(), self.id, statuses.join(" "))?;
        if let (Some(reason), true) = (&self.reached.skipped, self.reached.failures.is_empty()) {
            writeln!(f, "         not all of it: {reason}")?;
        }
        for failure in &self.reached.failures {
            writeln!(f, "         {failure}")?;
        }
        Ok(())
    }
}
