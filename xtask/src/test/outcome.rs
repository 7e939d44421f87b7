//! What came of a suite, read from the closing lines of the runner that ran it.

use std::fmt;

/// One line of the summary.
pub(crate) struct Suite {
    name: &'static str,
    pub(crate) outcome: Outcome,
}

pub(crate) enum Outcome {
    /// The runner came to its end and said how many.
    Ran(Counts),
    /// Nothing ran; why, and how to make it run.
    Skipped(String),
    /// It ended before its count: it did not compile, or could not be started.
    Broken(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    failed: u64,
    skipped: u64,
}

/// The sum over the suites that ran, and the names of those that did not.
pub(crate) struct Total<'a> {
    pub(crate) counts: Counts,
    absent: Vec<&'a str>,
}

impl Suite {
    pub(crate) fn new(name: &'static str, outcome: Outcome) -> Self {
        Self { name, outcome }
    }
}

impl Outcome {
    /// Reads the output of nextest or of cargo test. Success without a count, or a count that contradicts the
    /// status, is not believed.
    pub(crate) fn read(success: bool, text: &str) -> Self {
        match Counts::read(&plain(text)) {
            Some(counts) if success == (counts.failed == 0) => Self::Ran(counts),
            Some(_) | None => Self::Broken("ended before all its tests had run; see above".to_owned()),
        }
    }

    pub(crate) fn failed(&self) -> bool {
        match self {
            Self::Ran(counts) => counts.failed > 0,
            Self::Skipped(_) => false,
            Self::Broken(_) => true,
        }
    }

    pub(crate) fn skipped(&self) -> bool {
        matches!(self, Self::Skipped(_))
    }
}

impl Counts {
    /// Adds up all closing lines; none at all is `None`.
    fn read(text: &str) -> Option<Self> {
        let closing = text.lines().filter_map(|line| {
            let nextest = line.trim_start().starts_with("Summary [").then(|| line.split_once(" run: ")).flatten();
            nextest.or_else(|| line.strip_prefix("test result: ").and_then(|line| line.split_once(". ")))
        });
        closing.map(|(_, list)| Self::line(list)).reduce(Self::plus)
    }

    /// One closing line: `3 passed (1 slow), 2 failed, 1 timed out` or `3 passed; 2 failed; 1 ignored`.
    fn line(list: &str) -> Self {
        let mut counts = Self::default();
        for part in list.split([',', ';']) {
            let mut words = part.split_whitespace();
            let (number, what) = (words.next().and_then(|word| word.parse().ok()).unwrap_or(0), words.next());
            match what {
                Some("passed") => counts.passed += number,
                Some("failed" | "timed" | "exec") => counts.failed += number,
                Some("skipped" | "ignored") => counts.skipped += number,
                Some(_) | None => {}
            }
        }
        counts
    }

    fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

/// Sums the suites.
pub(crate) fn total(suites: &[Suite]) -> Total<'_> {
    let mut counts = Counts::default();
    let mut absent = Vec::new();
    for suite in suites {
        match suite.outcome {
            Outcome::Ran(ran) => counts = counts.plus(ran),
            Outcome::Skipped(_) | Outcome::Broken(_) => absent.push(suite.name),
        }
    }
    Total { counts, absent }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14}", self.name)?;
        match &self.outcome {
            Outcome::Ran(counts) => write!(f, "{counts}"),
            Outcome::Skipped(why) => write!(f, "SKIPPED: {why}"),
            Outcome::Broken(why) => write!(f, "FAILED: {why}"),
        }
    }
}

impl fmt::Display for Total<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.counts)?;
        match self.absent.as_slice() {
            [] => Ok(()),
            absent => write!(f, " (without {})", absent.join(", ")),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The text without its colours.
fn plain(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    plain.extend(parts.filter_map(|part| part.split_once('m')).map(|(_, rest)| rest));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(success: bool, text: &str) -> Option<(u64, u64, u64)> {
        match Outcome::read(success, text) {
            Outcome::Ran(counts) => Some((counts.passed, counts.failed, counts.skipped)),
            Outcome::Skipped(_) | Outcome::Broken(_) => None,
        }
    }

    #[test]
    fn nextest_is_read_with_and_without_colours() {
        let line = "     Summary [   0.031s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 4 skipped\n";
        assert_eq!(counts(false, line), Some((9, 3, 4)));
        let colours = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.031s] \u{1b}[1m3\u{1b}[0m tests run: \u{1b}[1m3\u{1b}[0m \
                       \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m\n";
        assert_eq!(counts(true, colours), Some((3, 0, 0)));
    }

    #[test]
    fn the_results_of_all_binaries_are_added() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.00s\n\
                    test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(counts(true, text), Some((5, 0, 1)));
    }

    #[test]
    fn a_run_without_a_credible_count_is_broken() {
        assert_eq!(counts(true, "Finished\n"), None);
        assert_eq!(counts(false, "test result: ok. 3 passed; 0 failed; 0 ignored\n"), None);
        assert_eq!(counts(true, "test result: FAILED. 3 passed; 1 failed; 0 ignored\n"), None);
    }

    #[test]
    fn a_total_names_what_it_lacks() {
        let ran = Outcome::Ran(Counts { passed: 2, failed: 1, skipped: 0 });
        let suites = [Suite::new("sqlite", ran), Suite::new("postgresql", Outcome::Skipped("none".to_owned()))];
        assert_eq!(total(&suites).to_string(), "2 passed, 1 failed, 0 skipped (without postgresql)");
    }
}
