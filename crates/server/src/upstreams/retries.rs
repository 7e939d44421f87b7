//! Retries: whether and when a provider is asked again for the same request.

use std::time::Duration;

use jiff::Timestamp;
use keyward_core::duration::Milliseconds;
use keyward_core::provider::NetworkConfig;

use super::health::Out;
use super::picking::Outlook;

/// The wait before the first retry unless it is configured.
const INITIAL: Milliseconds = Milliseconds::new(500);
/// The longest wait between two tries unless it is configured.
const LONGEST: Milliseconds = Milliseconds::new(5_000);
/// After the end of a limit, since clocks are not exact.
const MARGIN: Duration = Duration::from_millis(1);

/// How often and how soon a provider is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retries {
    pub(crate) most: u8,
    initial: Duration,
    longest: Duration,
}

/// What failed in a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The key: it is limited or not accepted. Another one may do.
    Key,
    /// The provider, or the way to it.
    Provider,
    /// It does not have what it was asked for: asking again does not help.
    Place,
}

impl Retries {
    pub(super) fn of(network: &NetworkConfig) -> Self {
        let wait = |given: Option<Milliseconds>, otherwise: Milliseconds| {
            Duration::from_millis(given.unwrap_or(otherwise).count().into())
        };
        Self {
            // The compatible product's default: a try costs what a request costs.
            most: network.max_retries.unwrap_or(0),
            initial: wait(network.retry_backoff_initial, INITIAL),
            longest: wait(network.retry_backoff_max, LONGEST),
        }
    }

    /// How long to wait before another try after so many retries; none: it is not tried again. `lot` is a number from 0 to 1, by
    /// which the tries of many requests spread. No try begins when there is no time `left`.
    pub(crate) fn wait(
        &self,
        done: u8,
        failure: Failure,
        outlook: Outlook,
        lot: f64,
        (now, left): (Timestamp, Duration),
    ) -> Option<Duration> {
        if done >= self.most {
            return None;
        }
        let spread = self.backoff(done).mul_f64(lot.clamp(0.0, 1.0));
        let wait = match (outlook, failure) {
            (Outlook::Fresh, Failure::Key) => Duration::ZERO,
            (Outlook::Fresh | Outlook::Tried, Failure::Key | Failure::Provider) => spread,
            (Outlook::Out(Out { until, .. }), Failure::Key | Failure::Provider) => {
                let end = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                Some(end + MARGIN).filter(|_| end <= self.longest)? + spread
            }
            (Outlook::Nothing, _) | (_, Failure::Place) => return None,
        };
        (wait < left).then_some(wait)
    }

    /// The longest wait before this retry: it doubles each time.
    fn backoff(&self, done: u8) -> Duration {
        let doubled = 1_u32.checked_shl(done.into()).and_then(|times| self.initial.checked_mul(times));
        doubled.unwrap_or(self.longest).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use keyward_core::provider::NetworkConfig;
    use proptest::prelude::*;

    use super::*;
    use crate::upstreams::health::Why;

    const LEFT: (Timestamp, Duration) = (Timestamp::UNIX_EPOCH, Duration::from_secs(60));

    fn retries(most: u8) -> Retries {
        Retries::of(&NetworkConfig { max_retries: Some(most), ..NetworkConfig::default() })
    }

    fn out(milliseconds: i64) -> Outlook {
        let until = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds);
        Outlook::Out(Out { why: Why::Limited, until })
    }

    #[test]
    fn a_provider_is_asked_once_unless_its_settings_say_more() {
        let default = Retries::of(&NetworkConfig::default());
        assert_eq!(default.wait(0, Failure::Key, Outlook::Fresh, 0.0, LEFT), None);
        assert_eq!(retries(1).wait(0, Failure::Provider, Outlook::Tried, 1.0, LEFT), Some(INITIAL_WAIT));
        assert_eq!(retries(1).wait(1, Failure::Provider, Outlook::Tried, 1.0, LEFT), None);
    }

    const INITIAL_WAIT: Duration = Duration::from_millis(500);

    #[test]
    fn waits_double_up_to_the_longest() {
        let longest: Vec<u128> = (0..6)
            .map(|done| retries(10).wait(done, Failure::Provider, Outlook::Fresh, 1.0, LEFT).unwrap().as_millis())
            .collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[test]
    fn another_key_takes_over_at_once_from_one_that_is_limited() {
        assert_eq!(retries(1).wait(0, Failure::Key, Outlook::Fresh, 1.0, LEFT), Some(Duration::ZERO));
    }

    /// A wait that the provider asked for is kept when it is no longer than a wait of ours would be.
    #[test]
    fn a_short_limit_is_waited_for_and_a_long_one_is_not() {
        let wait = |limit| retries(1).wait(0, Failure::Key, out(limit), 0.0, LEFT);
        assert_eq!(wait(4_000), Some(Duration::from_millis(4_001)));
        assert_eq!(wait(5_001), None);
        assert_eq!(retries(1).wait(0, Failure::Key, Outlook::Nothing, 0.0, LEFT), None);
        assert_eq!(retries(1).wait(0, Failure::Place, Outlook::Fresh, 0.0, LEFT), None);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_what_is_left(done in 0_u8..12, lot in 0.0..=1.0, limit in 0_i64..20_000, left in 0_u64..10_000) {
            let left = Duration::from_millis(left);
            for outlook in [Outlook::Fresh, Outlook::Tried, out(limit)] {
                let wait = retries(10).wait(done, Failure::Provider, outlook, lot, (Timestamp::UNIX_EPOCH, left));
                prop_assert!(wait.is_none_or(|wait| wait < left && done < 10));
            }
        }
    }
}
