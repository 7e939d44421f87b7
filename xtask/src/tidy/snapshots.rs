//! A golden file belongs to a test that exists.

use super::{Failure, Text};

/// Checks the `source:` line in the head of a snapshot.
pub(super) fn check(file: &Text, exists: impl Fn(&str) -> bool) -> Option<Failure> {
    if !file.path.ends_with(".snap") {
        return None;
    }
    let head = file.text.strip_prefix("---\n").and_then(|text| text.split("\n---").next()).unwrap_or_default();
    let source = head.lines().find_map(|line| line.strip_prefix("source: ")).map(|source| source.trim_matches('"'));
    match source {
        Some(source) if exists(source) => None,
        Some(source) => {
            let reason = format!("its test is gone ({source} does not exist): delete the snapshot");
            Some(Failure::new(&file.path, None, reason))
        }
        None => Some(Failure::new(&file.path, None, "no `source:` in its head: let the test write it again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_of_a_snapshot_exists() {
        let check = |text: &str| check(&Text::sample("crates/a/tests/it/b.snap", text), |path| path == "crates/a/b.rs");
        assert_eq!(check("---\nsource: crates/a/b.rs\nexpression: x\n---\n{}"), None);
        assert!(check("---\nsource: crates/a/gone.rs\nexpression: x\n---\n{}").is_some());
        assert!(check("---\nexpression: x\n---\nsource: crates/a/b.rs").is_some());
        assert!(check("{}").is_some());
    }
}
