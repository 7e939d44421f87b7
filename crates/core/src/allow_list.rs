//! Allow-lists: `["*"]` is everything, `[]` is nothing, `regex:` begins a pattern.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The entry that stands for everything.
const WILDCARD: &str = "*";

/// What an entry begins with that is a pattern.
const PATTERN: &str = "regex:";
/// The most entries of one list.
const MAX_ENTRIES: usize = 1_000;
/// How much memory one pattern may take when it is compiled, in bytes.
const MAX_PATTERN: usize = 64 * 1024;

/// A list of permitted names and patterns, or everything. A pattern has to match a whole name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schema(value_type = Vec<String>, max_items = 1000, example = json!(["gpt-4o-mini", "regex:claude-.*"]))]
pub struct AllowList(Entries);

/// The entries as they are written, and the patterns among them, compiled.
#[derive(Debug, Clone)]
struct Entries {
    written: Vec<String>,
    patterns: Vec<Regex>,
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Entries {}

/// Why a list is no allow-list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAllowList {
    /// `*` must stand alone.
    #[error("wildcard '*' cannot be used with other values in the whitelist")]
    WildcardNotAlone,
    /// Entries differ, ignoring case.
    #[error("duplicate value '{0}' in whitelist")]
    Duplicate(String),
    /// Entries have at least one character.
    #[error("empty value in whitelist")]
    Empty,
    /// The pattern is no regular expression, or one that takes too much memory.
    #[error("'{0}' in whitelist is no regular expression that can be used: {1}")]
    Pattern(String, String),
    /// There are more entries than a list may have.
    #[error("whitelist has more than 1000 entries")]
    TooMany,
}

impl AllowList {
    /// Everything is permitted.
    #[must_use]
    pub fn everything() -> Self {
        Self(Entries { written: vec![WILDCARD.to_owned()], patterns: Vec::new() })
    }

    /// Nothing is permitted.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(Entries { written: Vec::new(), patterns: Vec::new() })
    }

    /// True when everything is permitted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.written.first().is_some_and(|entry| entry == WILDCARD)
    }

    /// The names that stand in it word for word.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let is_name = |entry: &&str| *entry != WILDCARD && !entry.starts_with(PATTERN);
        self.0.written.iter().map(String::as_str).filter(is_name)
    }

    /// True when `name` is permitted.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.is_everything()
            || self.0.written.iter().any(|entry| entry == name)
            || self.0.patterns.iter().any(|pattern| pattern.is_match(name))
    }

    /// The entries as they are written.
    #[must_use]
    pub fn entries(&self) -> &[String] {
        &self.0.written
    }
}

impl TryFrom<Vec<String>> for AllowList {
    type Error = InvalidAllowList;

    fn try_from(entries: Vec<String>) -> Result<Self, InvalidAllowList> {
        if entries.len() > MAX_ENTRIES {
            return Err(InvalidAllowList::TooMany);
        }
        if entries.len() > 1 && entries.iter().any(|entry| entry == WILDCARD) {
            return Err(InvalidAllowList::WildcardNotAlone);
        }
        for (index, entry) in entries.iter().enumerate() {
            if entry.is_empty() {
                return Err(InvalidAllowList::Empty);
            }
            let earlier = entries.iter().take(index);
            if earlier.into_iter().any(|other| other.eq_ignore_ascii_case(entry)) {
                return Err(InvalidAllowList::Duplicate(entry.clone()));
            }
        }
        let patterns = entries.iter().filter_map(|entry| Some((entry, entry.strip_prefix(PATTERN)?)));
        let patterns = patterns.map(|(entry, text)| {
            // Compiled on its own first: only what is whole by itself stays inside the anchors.
            let compile = |text: &str| RegexBuilder::new(text).size_limit(MAX_PATTERN).build();
            let whole = compile(text).and_then(|_| compile(&format!("^(?:{text})$")));
            whole.map_err(|error| InvalidAllowList::Pattern(entry.clone(), reason(&error)))
        });
        Ok(Self(Entries { patterns: patterns.collect::<Result<_, _>>()?, written: entries }))
    }
}

/// The last line of the error: those before it draw the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

impl From<AllowList> for Vec<String> {
    fn from(list: AllowList) -> Self {
        list.0.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Result<AllowList, InvalidAllowList> {
        AllowList::try_from(entries.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_wildcard_permits_everything_and_the_empty_list_nothing() {
        assert!(list(&["*"]).unwrap().allows("gpt-4o"));
        assert!(!list(&[]).unwrap().allows("gpt-4o"));
        assert!(!list(&["gpt-4o"]).unwrap().allows("gpt-4o-mini"));
    }

    #[test]
    fn ambiguous_lists_are_refused() {
        assert_eq!(list(&["*", "a"]), Err(InvalidAllowList::WildcardNotAlone));
        assert_eq!(list(&["a", "A"]), Err(InvalidAllowList::Duplicate("A".to_owned())));
        assert_eq!(list(&[""]), Err(InvalidAllowList::Empty));
        assert_eq!(list(&["a"; 1_001].map(|_| "a")), Err(InvalidAllowList::TooMany));
        for pattern in ["regex:(", "regex:a{1000}{1000}", "regex:a)|(?:b"] {
            assert!(matches!(list(&[pattern]), Err(InvalidAllowList::Pattern(..))), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_matches_whole_names() {
        let list = list(&["regex:gpt-4|gpt-5.*", "o3"]).unwrap();
        for (name, allowed) in
            [("gpt-4", true), ("gpt-5-mini", true), ("gpt-4o", false), ("my-gpt-4", false), ("o3", true)]
        {
            assert_eq!(list.allows(name), allowed, "{name}");
        }
        assert!(!list.allows("regex:gpt-4|gpt-5.*\n"));
    }
}
