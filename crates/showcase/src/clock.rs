//! The time of day.

use jiff::Timestamp;

/// The instant at which this is asked.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
