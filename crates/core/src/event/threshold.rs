//! Thresholds: the shares of a cap that are told when usage reaches them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A share of a cap, in whole percent from 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schema(value_type = i32, minimum = 1, maximum = 100)]
pub struct Threshold(u8);

/// A number is no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid value: a threshold is a whole percentage from 1 to 100")]
pub struct InvalidThreshold;

impl Threshold {
    /// The share in percent.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// Whether so much of a cap is this share of it, or more. Of a cap of zero there are no shares.
    #[must_use]
    pub fn is_reached(self, used: i64, cap: i64) -> bool {
        cap > 0 && i128::from(used) * 100 >= i128::from(cap) * i128::from(self.0)
    }
}

impl TryFrom<u8> for Threshold {
    type Error = InvalidThreshold;

    fn try_from(percent: u8) -> Result<Self, InvalidThreshold> {
        match percent {
            1..=100 => Ok(Self(percent)),
            0 | 101.. => Err(InvalidThreshold),
        }
    }
}

impl From<Threshold> for u8 {
    fn from(threshold: Threshold) -> Self {
        threshold.0
    }
}

/// The thresholds of every limit, each once, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Threshold>", into = "Vec<Threshold>")]
pub struct Thresholds(Vec<Threshold>);

impl Thresholds {
    /// No threshold at all: nothing is told.
    pub const NONE: Self = Self(Vec::new());

    /// Those that so much of a cap has reached.
    pub fn reached(&self, used: i64, cap: i64) -> impl Iterator<Item = Threshold> {
        self.0.iter().copied().take_while(move |threshold| threshold.is_reached(used, cap))
    }
}

impl Default for Thresholds {
    /// Half, four fifths, and the whole.
    fn default() -> Self {
        Self(vec![Threshold(50), Threshold(80), Threshold(100)])
    }
}

impl From<Vec<Threshold>> for Thresholds {
    fn from(mut thresholds: Vec<Threshold>) -> Self {
        thresholds.sort();
        thresholds.dedup();
        Self(thresholds)
    }
}

impl From<Thresholds> for Vec<Threshold> {
    fn from(thresholds: Thresholds) -> Self {
        thresholds.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(used: i64, cap: i64) -> Vec<u8> {
        Thresholds::default().reached(used, cap).map(Threshold::percent).collect()
    }

    #[test]
    fn a_threshold_is_reached_exactly_there_and_nowhere_before() {
        assert_eq!(reached(49, 100), [0; 0]);
        assert_eq!(reached(50, 100), [50]);
        assert_eq!(reached(799, 1_000), [50]);
        assert_eq!(reached(800, 1_000), [50, 80]);
        assert_eq!(reached(2, 3), [50]);
        assert_eq!(reached(3, 3), [50, 80, 100]);
        assert_eq!(reached(i64::MAX, i64::MAX), [50, 80, 100]);
        assert_eq!(reached(-1, 1), [0; 0]);
        assert_eq!(reached(0, 0), [0; 0]);
    }

    #[test]
    fn thresholds_are_read_in_any_order_and_refused_beyond_their_range() {
        let read =
            |text: &str| serde_json::from_str::<Thresholds>(text).map(|read| serde_json::to_string(&read).unwrap());
        assert_eq!(read("[90,1,90]").unwrap(), "[1,90]");
        for text in ["[0]", "[101]", "[50.5]", "[-1]", "50"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
