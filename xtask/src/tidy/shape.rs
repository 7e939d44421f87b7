//! How a Rust file is named, how it begins, and how long it may get.

use super::Failure;
use super::source::Source;

const LONGEST: usize = 400;
const VAGUE: [&str; 4] = ["utils.rs", "helpers.rs", "common.rs", "types.rs"];

pub(super) fn check(source: &Source<'_>) -> Vec<Failure> {
    let mut reasons = Vec::new();
    let in_tests = source.path.contains("/tests/");
    if source.file_name() == "mod.rs" && !in_tests {
        reasons.push("write foo.rs beside foo/ instead of foo/mod.rs, so that a tab has the module's name".to_owned());
    }
    if VAGUE.contains(&source.file_name()) {
        reasons.push("name the concept: a file for everything has no place where it ends".to_owned());
    }
    let lines = source.text.lines().count();
    if source.in_src() && lines > LONGEST {
        reasons.push(format!("{lines} lines, more than {LONGEST}: which concept wants its own file?"));
    }
    let mut failures: Vec<_> = reasons.into_iter().map(|reason| Failure::new(source.path, None, reason)).collect();
    if !source.text.starts_with("//!") {
        let reason = "a file starts with a `//!` caption: what it is, its invariant";
        failures.push(Failure::new(source.path, 1, reason));
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::super::Text;
    use super::*;

    fn failures(path: &str, text: &str) -> usize {
        check(&Source::new(&Text::sample(path, text))).len()
    }

    #[test]
    fn a_good_file_has_no_failure() {
        assert_eq!(failures("crates/core/src/money.rs", "//! Money.\n"), 0);
        assert_eq!(failures("crates/core/tests/it/api/mod.rs", "//! Tests.\n"), 0);
    }

    #[test]
    fn a_caption_is_wanted_everywhere() {
        assert_eq!(failures("crates/core/src/money.rs", "use std::fmt;\n"), 1);
        assert_eq!(failures("crates/store/build.rs", "fn main() {}\n"), 1);
    }

    #[test]
    fn names_say_the_concept() {
        assert_eq!(failures("crates/core/src/money/mod.rs", "//! Money.\n"), 1);
        assert_eq!(failures("crates/core/src/utils.rs", "//! Things.\n"), 1);
        assert_eq!(failures("crates/core/tests/it/common.rs", "//! Things.\n"), 1);
    }

    #[test]
    fn a_file_may_have_400_lines_and_no_more() {
        assert_eq!(failures("crates/core/src/money.rs", &"//! Money.\n".repeat(400)), 0);
        assert_eq!(failures("crates/core/src/money.rs", &"//! Money.\n".repeat(401)), 1);
        assert_eq!(failures("crates/core/tests/it/money.rs", &"//! Money.\n".repeat(401)), 0);
    }
}
