//! The changes that break clients and are meant to: `openapi/BREAKING.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::{Break, rules};

/// What the file names.
#[derive(Debug, Default)]
pub(super) struct Admitted(Vec<(String, String)>);

impl Admitted {
    /// Reads the lines that begin with `- `; each has a rule and a place in backquotes, and then the reason.
    pub(super) fn read(path: &Path) -> Result<Self> {
        Self::parse(&fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)
    }

    fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().filter(|line| line.starts_with("- "));
        let named = lines.map(|line| {
            let parts: Vec<&str> = line.split('`').collect();
            match parts.as_slice() {
                ["- ", rule, " ", place, reason] if reason.trim_start_matches(':').trim().len() > 2 => {
                    ensure!(rules().any(|known| known == *rule), "there is no rule {rule:?}: {line}");
                    Ok(((*rule).to_owned(), (*place).to_owned()))
                }
                _ => bail!("not \"- `rule` `place`: reason\": {line}"),
            }
        });
        named.collect::<Result<_>>().map(Self)
    }

    /// Whether a change is among them.
    pub(super) fn names(&self, change: &Break) -> bool {
        self.0.iter().any(|(rule, place)| rule == change.rule && matches(place, &change.place))
    }
}

/// Whether a text is what a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((begin, rest)) => text.strip_prefix(begin).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.filter_map(|at| text.get(at..)).any(|text| matches(rest, text))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_rule_a_place_and_a_reason() {
        let text = "# Breaking changes\n\n- `request-closed` `doc: GET /x query *`: it was never read\n";
        let admitted = Admitted::parse(text).unwrap();
        let change = |rule, place: &str| Break { rule, place: place.to_owned() };
        assert!(admitted.names(&change("request-closed", "doc: GET /x query limit")));
        assert!(!admitted.names(&change("request-closed", "doc: GET /y query limit")));
        assert!(!admitted.names(&change("status-removed", "doc: GET /x query limit")));
        for bad in
            ["- `request-closed`: reason", "- `request-closed` `place`: ", "- `no-rule` `place`: reason", "- nothing"]
        {
            Admitted::parse(bad).unwrap_err();
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in
            [("a*c", "abbc", true), ("*", "", true), ("a*", "b", false), ("*b*", "abc", true), ("a", "ab", false)]
        {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
