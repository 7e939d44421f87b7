//! How provider keys are judged by what came back from their providers.

use std::num::NonZeroU32;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// When a provider key is passed over, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyHealthSettings {
    /// After this many failures in a row the key is passed over.
    pub failures: NonZeroU32,
    /// For how long at first, in seconds. Each probe that fails doubles it.
    pub open_seconds: u32,
    /// For how long at most, in seconds.
    pub max_open_seconds: u32,
    /// How many requests may try the key at once when that time is over.
    pub probes: NonZeroU32,
    /// How long a key is passed over that the provider does not accept, in seconds.
    pub rejected_seconds: u32,
    /// How long a key is passed over that the provider has limited without saying for how long, in seconds.
    pub limited_seconds: u32,
    /// The longest that a provider is believed, in seconds.
    pub max_limited_seconds: u32,
}

/// Five in a row are no accident.
const FAILURES: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

impl Default for KeyHealthSettings {
    fn default() -> Self {
        Self {
            failures: FAILURES,
            open_seconds: 10,
            max_open_seconds: 5 * 60,
            probes: NonZeroU32::MIN,
            rejected_seconds: 5 * 60,
            limited_seconds: 5,
            max_limited_seconds: 60 * 60,
        }
    }
}

impl KeyHealthSettings {
    /// How long the breaker stays open after this many probes in a row that failed.
    pub(crate) fn open_for(&self, turns: u32) -> SignedDuration {
        let doubled = u64::from(self.open_seconds).saturating_mul(1_u64.checked_shl(turns).unwrap_or(u64::MAX));
        seconds(u32::try_from(doubled).unwrap_or(u32::MAX).min(self.max_open_seconds.max(self.open_seconds)))
    }

    /// How long a key is limited for which the provider gave this time, or none.
    pub(crate) fn limited_for(&self, wait: Option<SignedDuration>) -> SignedDuration {
        let wait = wait.unwrap_or_else(|| seconds(self.limited_seconds));
        wait.clamp(SignedDuration::ZERO, seconds(self.max_limited_seconds))
    }

    /// How long a key is passed over that was not accepted.
    pub(crate) fn rejected_for(&self) -> SignedDuration {
        seconds(self.rejected_seconds)
    }

    /// Longer than this nothing keeps a key away: what says so is from before the clock was set back.
    pub(crate) fn longest(&self) -> SignedDuration {
        let all = [self.open_seconds, self.max_open_seconds, self.rejected_seconds, self.max_limited_seconds];
        seconds(all.into_iter().max().unwrap_or_default())
    }
}

fn seconds(count: u32) -> SignedDuration {
    SignedDuration::from_secs(count.into())
}
