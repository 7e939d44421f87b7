//! What a page complains about in the browser's console.

use std::fmt;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Complaint {
    level: String,
    /// Who complains, such as `security` or `network`.
    pub source: String,
    /// What it says, with where.
    pub message: String,
}

impl Complaint {
    /// Those in a log; what only tells something is none.
    pub(super) fn of(log: Value) -> Result<Vec<Self>> {
        let mut entries: Vec<Self> = serde_json::from_value(log)?;
        entries.retain(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"));
        Ok(entries)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.level, self.source, self.message)
    }
}
