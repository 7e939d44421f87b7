//! The one place where the time of day is read.

use jiff::Timestamp;

/// The current instant, in whole microseconds: what every database keeps.
#[allow(clippy::disallowed_methods, reason = "this is the one place that may")]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
