//! Allow-lists: `["*"]` is everything, `[]` is nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The entry that stands for everything.
const WILDCARD: &str = "*";

/// A list of permitted names, or everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schema(value_type = Vec<String>, example = json!(["gpt-4o-mini"]))]
pub struct AllowList(Vec<String>);

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
    /// Patterns would be compared as plain names and so match nothing.
    #[error("patterns are not supported in the whitelist: '{0}'")]
    Pattern(String),
}

impl AllowList {
    /// Everything is permitted.
    #[must_use]
    pub fn everything() -> Self {
        Self(vec![WILDCARD.to_owned()])
    }

    /// Nothing is permitted.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(Vec::new())
    }

    /// True when everything is permitted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.first().is_some_and(|entry| entry == WILDCARD)
    }

    /// True when `name` is permitted.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.is_everything() || self.0.iter().any(|entry| entry == name)
    }

    /// The entries as they are written.
    #[must_use]
    pub fn entries(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for AllowList {
    type Error = InvalidAllowList;

    fn try_from(entries: Vec<String>) -> Result<Self, InvalidAllowList> {
        if entries.len() > 1 && entries.iter().any(|entry| entry == WILDCARD) {
            return Err(InvalidAllowList::WildcardNotAlone);
        }
        for (index, entry) in entries.iter().enumerate() {
            if entry.is_empty() {
                return Err(InvalidAllowList::Empty);
            }
            if entry.starts_with("regex:") {
                return Err(InvalidAllowList::Pattern(entry.clone()));
            }
            let earlier = entries.iter().take(index);
            if earlier.into_iter().any(|other| other.eq_ignore_ascii_case(entry)) {
                return Err(InvalidAllowList::Duplicate(entry.clone()));
            }
        }
        Ok(Self(entries))
    }
}

impl From<AllowList> for Vec<String> {
    fn from(list: AllowList) -> Self {
        list.0
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
        assert!(matches!(list(&["regex:^gpt"]), Err(InvalidAllowList::Pattern(_))));
    }
}
