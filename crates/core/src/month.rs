//! Months of the year by their number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A month of the year, from 1 to 12. The default is January.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Month(i64);

/// The number is no month's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a month is a number from 1 to 12, not {0}")]
pub struct UnknownMonth(i64);

impl Month {
    /// The month's number, from 1 to 12.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl Default for Month {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<i64> for Month {
    type Error = UnknownMonth;

    fn try_from(number: i64) -> Result<Self, UnknownMonth> {
        match number {
            1..=12 => Ok(Self(number)),
            other => Err(UnknownMonth(other)),
        }
    }
}

impl From<Month> for i64 {
    fn from(month: Month) -> Self {
        month.0
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
