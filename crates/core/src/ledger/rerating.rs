//! Pricing entries anew: which ones, and what came of it.

use jiff::Timestamp;

use crate::ids::{ModelName, ProviderName};
use crate::money::NanoUsd;

/// Which entries are priced anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rerating {
    /// Those that were settled at this instant or later.
    pub since: Timestamp,
    /// Those that were settled before this one.
    pub until: Option<Timestamp>,
    /// Those of this provider.
    pub provider: Option<ProviderName>,
    /// Those of this model, as it was asked for or served.
    pub model: Option<ModelName>,
    /// True: nothing is written.
    pub dry_run: bool,
}

/// What came of pricing entries anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rerated {
    /// How many entries were looked at.
    pub entries: usize,
    /// How many of them cost something else now.
    pub changed: usize,
    /// How many have no price now, and keep what they cost.
    pub unpriced: usize,
    /// What all of them had cost.
    pub cost_before: NanoUsd,
    /// What all of them cost now.
    pub cost_after: NanoUsd,
    /// How many counters that are still counting have changed.
    pub counters: usize,
}
