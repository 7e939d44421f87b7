//! Instants that a form without a script asks for: to the minute, in UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// A field for an instant of a filter.
pub(in crate::dashboard) fn minute(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div.field.minute {
            label for=(name) { (label) " (UTC)" }
            input id=(name) name=(name) type="datetime-local" value=(value);
        }
    }
}

/// What such a field says, as the API is asked: RFC 3339. A text that is no minute stays as it is, and is refused there.
pub(in crate::dashboard) fn from_minute(text: &str) -> String {
    let at = text.parse::<DateTime>().ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    at.map_or_else(|| text.to_owned(), |at| at.timestamp().to_string())
}

/// The minute that an instant is in, as such a field says it.
pub(in crate::dashboard) fn to_minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::{from_minute, to_minute};

    #[test]
    fn a_minute_is_one_of_utc() {
        assert_eq!(from_minute("2026-11-26T10:30"), "2026-11-26T10:30:00Z");
        assert_eq!(to_minute("2026-11-26T10:30:59Z".parse().unwrap()), "2026-11-26T10:30");
        assert_eq!([from_minute(""), from_minute("soon")], ["", "soon"]);
    }
}
