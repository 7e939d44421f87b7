//! Retries: which failed calls are made again, and when. Nothing is charged or made twice.

use std::time::Duration;

use keyward_core::error_code::ErrorCode;

use crate::call::Repeat;
use crate::error::{ApiError, Error, ErrorSource};

/// How often, and after how long, a failed call is made again.
///
/// A call that may be carried out twice is retried whenever another attempt may succeed: reads, edits and deletions without
/// [`Client::if_match`](crate::Client::if_match), and creates, which carry an idempotency key. A deletion whose first answer was
/// lost then answers `not_found`. Every other call, inference above all, is retried only when nothing of it has happened: no
/// connection came up, or the server refused it before it was admitted and says that a retry may help.
///
/// The wait doubles with every failure and is cut by chance to between half of it and all of it. It is never shorter than the
/// server asks for (`retry-after`); a server that asks for more than the longest wait gets no retry. All attempts of a call share
/// its timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    most: u32,
    first: Duration,
    longest: Duration,
}

impl Retries {
    /// No retry at all.
    #[must_use]
    pub const fn none() -> Self {
        Self::up_to(0)
    }

    /// Up to this many retries of a call, with waits that begin at a quarter of a second and end at ten seconds.
    #[must_use]
    pub const fn up_to(most: u32) -> Self {
        Self { most, first: Duration::from_millis(250), longest: Duration::from_secs(10) }
    }

    /// The same with other waits: the first, and the longest.
    #[must_use]
    pub const fn waiting(self, first: Duration, longest: Duration) -> Self {
        Self { first, longest, ..self }
    }

    pub(crate) const fn are_on(&self) -> bool {
        self.most > 0
    }

    /// How long to wait before the next attempt, after so many that failed before this one; none: there is none. The bytes
    /// are chance.
    pub(crate) fn wait(&self, failures: u32, repeat: Repeat, error: &Error, chance: &[u8]) -> Option<Duration> {
        if failures >= self.most || !may_help(repeat, error) {
            return None;
        }
        let share = u32::from(chance.first().copied().unwrap_or(u8::MAX));
        let doubled = self.first.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
        let half = doubled.min(self.longest) / 2;
        // At most half: a share is at most 255.
        let jitter = half / 255 * share;
        match error.retry_after() {
            Some(told) if told > self.longest => None,
            Some(told) => Some(told.saturating_add(jitter)),
            None => Some(half.saturating_add(jitter)),
        }
    }
}

impl Default for Retries {
    /// Up to two retries.
    fn default() -> Self {
        Self::up_to(2)
    }
}

fn may_help(repeat: Repeat, error: &Error) -> bool {
    match (repeat, error) {
        (Repeat::Harmless, Error::Transport(error)) => !error.is_builder(),
        (Repeat::Harmful, Error::Transport(error)) => error.is_connect(),
        (Repeat::Harmless, Error::Api(_) | Error::Unexpected { .. }) => error.is_retryable(),
        (Repeat::Harmful, Error::Api(error)) => was_not_admitted(error),
        (_, Error::Timeout { .. } | Error::Decode { .. }) | (Repeat::Harmful, Error::Unexpected { .. }) => false,
    }
}

/// Whether Keyward refused the request before anything came of it, and knows that it may be admitted later.
fn was_not_admitted(error: &ApiError) -> bool {
    let is_refusal = matches!(
        error.code,
        Some(
            ErrorCode::ConcurrencyLimited
                | ErrorCode::RequestLimited
                | ErrorCode::TokenLimited
                | ErrorCode::GovernanceUnavailable
                | ErrorCode::ShuttingDown
        )
    );
    let is_first = error.attempts.is_none_or(|attempts| attempts == 0);
    is_refusal && is_first && error.should_retry == Some(true) && error.source == ErrorSource::Keyward
}

#[cfg(test)]
mod tests;
