//! Reset durations: the grammar in which limits say how long their windows are.
//!
//! A Go duration (`90s`, `1h30m`, `1.5h`), one number with a calendar suffix (`d`, `w`, `M`, `Q`, `Y`), or `never`.
//! Case matters: `m` is a minute, `M` a month. `daily`, `weekly`, `monthly` and `yearly`, in any case, are read as `1d`, `1w`, `1M` and
//! `1Y`. Source: the governance API's `reset_duration`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The shortest window that can be asked for.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// The longest window that can be asked for: a hundred years.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 365 * 100);
/// How a window that does not end is written.
const NEVER: &str = "never";
/// Words for one calendar unit, whatever their case.
const WORDS: [(&str, &str); 4] = [("daily", "1d"), ("weekly", "1w"), ("monthly", "1M"), ("yearly", "1Y")];

/// A calendar unit that an aligned window can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the 1st to the 1st.
    Month,
    /// Three months, from January, April, July or October.
    Quarter,
    /// From January 1st to January 1st.
    Year,
}

impl CalendarUnit {
    const fn suffix(self) -> char {
        match self {
            Self::Day => 'd',
            Self::Week => 'w',
            Self::Month => 'M',
            Self::Quarter => 'Q',
            Self::Year => 'Y',
        }
    }

    /// Length of the unit in a rolling window: months have 30 days, quarters 90, years 365.
    const fn hours(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Week => 24 * 7,
            Self::Month => 24 * 30,
            Self::Quarter => 24 * 90,
            Self::Year => 24 * 365,
        }
    }

    const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];
}

/// A positive window length, or no end at all, kept with the text it was written as.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResetDuration {
    text: String,
    length: SignedDuration,
    calendar: Option<(u16, CalendarUnit)>,
}

/// Why a text is not a reset duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// The text does not follow the grammar.
    #[error("Invalid reset duration format: {0}")]
    Format(String),
    /// The duration is zero.
    #[error("Invalid reset duration (must be a positive duration): {0}")]
    Zero(String),
    /// The duration is under a second, finer than a millisecond, or over a hundred years.
    #[error("Invalid reset duration (must be between 1s and 100Y, in whole milliseconds): {0}")]
    Range(String),
}

impl ResetDuration {
    /// Whole days; none is taken as one.
    #[must_use]
    pub fn days(count: u16) -> Self {
        let count = count.max(1);
        Self {
            text: format!("{count}d"),
            length: SignedDuration::from_hours(24 * i64::from(count)).min(LONGEST),
            calendar: Some((count, CalendarUnit::Day)),
        }
    }

    /// The one window that does not end.
    #[must_use]
    pub fn never() -> Self {
        Self { text: NEVER.to_owned(), length: SignedDuration::MAX, calendar: None }
    }

    /// True when there is one window, which does not end.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.length == SignedDuration::MAX
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The length of a rolling window of this duration. The one that does not end is longer than any other.
    #[must_use]
    pub const fn length(&self) -> SignedDuration {
        self.length
    }

    /// The whole number of calendar units, when it is written as one: only such windows can be aligned.
    #[must_use]
    pub const fn calendar(&self) -> Option<(u16, CalendarUnit)> {
        self.calendar
    }
}

impl FromStr for ResetDuration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        if text == NEVER {
            return Ok(Self::never());
        }
        let word = WORDS.into_iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        let text = word.map_or(text, |(_, meaning)| meaning);
        let format = || InvalidDuration::Format(text.to_owned());
        let unit = CalendarUnit::ALL.into_iter().find(|unit| text.ends_with(unit.suffix()));
        let (millis, calendar) = match unit {
            Some(unit) => {
                let count = number(text.strip_suffix(unit.suffix()).unwrap_or(text)).ok_or_else(format)?;
                let hours = count.checked_mul(unit.hours().into()).ok_or_else(format)?;
                let whole = count.is_integer().then(|| count.to_u16()).flatten();
                (millis(hours, 3_600_000), whole.map(|count| (count, unit)))
            }
            None => (go_millis(text).ok_or_else(format)?, None),
        };
        let length = millis.map(SignedDuration::from_millis).unwrap_or(SignedDuration::MAX);
        if length.is_zero() {
            return Err(InvalidDuration::Zero(text.to_owned()));
        }
        if !(SHORTEST..=LONGEST).contains(&length) {
            return Err(InvalidDuration::Range(text.to_owned()));
        }
        Ok(Self { text: text.to_owned(), length, calendar })
    }
}

/// A Go duration, zero included; nothing finer than a millisecond.
#[must_use]
pub fn go_duration(text: &str) -> Option<SignedDuration> {
    go_millis(text).flatten().map(SignedDuration::from_millis)
}

/// An unsigned decimal number without exponent.
fn number(text: &str) -> Option<Decimal> {
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (digits && plain).then(|| text.parse().ok()).flatten()
}

/// Whole milliseconds, or none when the value is finer or too large.
fn millis(value: Decimal, per_unit: i64) -> Option<i64> {
    let millis = value.checked_mul(per_unit.into())?;
    millis.is_integer().then(|| millis.to_i64()).flatten()
}

/// Sums a Go duration. The outer option is the grammar, the inner one the resolution and range.
fn go_millis(text: &str) -> Option<Option<i64>> {
    const NANOS: [(&str, i64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut nanos = Decimal::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, tail) = rest.split_at_checked(digits)?;
        let value = number(value)?;
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let (_, per_unit) = NANOS.into_iter().find(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(value.checked_mul(per_unit.into())?)?;
        rest = tail;
    }
    let millis = nanos.checked_div(1_000_000.into())?;
    Some(millis.is_integer().then(|| millis.to_i64()).flatten())
}

impl PartialSchema for ResetDuration {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "A window length, from one second to a hundred years: a Go duration (`90s`, `1h30m`), a number with `d`, `w`, `M`, `Q` or `Y`, or, for budgets, `never`. `daily`, `weekly`, `monthly` and `yearly` are read as `1d`, `1w`, `1M` and `1Y`.",
            ))
            .examples(["1d"])
            .into()
    }
}

impl ToSchema for ResetDuration {}

impl TryFrom<String> for ResetDuration {
    type Error = InvalidDuration;

    fn try_from(text: String) -> Result<Self, InvalidDuration> {
        text.parse()
    }
}

impl From<ResetDuration> for String {
    fn from(duration: ResetDuration) -> Self {
        duration.text
    }
}

impl fmt::Display for ResetDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ResetDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A wait, in whole milliseconds. Requests may write it as a Go duration (`500ms`) too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Milliseconds(u32);

impl Milliseconds {
    /// This many milliseconds.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        Self(count)
    }

    /// How many they are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Milliseconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Forms {
            Count(i64),
            Text(String),
        }
        let refuse = || D::Error::custom("expected milliseconds from 0 to 3600000, or a Go duration such as '500ms'");
        let millis = match Forms::deserialize(deserializer).map_err(|_| refuse())? {
            Forms::Count(count) => Some(count),
            Forms::Text(text) => go_millis(&text).flatten(),
        };
        let within = millis.and_then(|millis| u32::try_from(millis).ok()).filter(|millis| *millis <= 3_600_000);
        within.map(Self).ok_or_else(refuse)
    }
}

impl PartialSchema for Milliseconds {
    fn schema() -> RefOr<Schema> {
        let count = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(3_600_000));
        let text = ObjectBuilder::new().schema_type(Type::String).examples(["500ms"]);
        let forms = OneOfBuilder::new().item(count).item(text);
        forms.description(Some("Milliseconds. Requests may give a Go duration; answers give the number.")).into()
    }
}

impl ToSchema for Milliseconds {}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis_of(text: &str) -> Option<i128> {
        text.parse::<ResetDuration>().ok().map(|d| d.length().as_millis())
    }

    #[test]
    fn both_grammars_are_read() {
        for (text, millis) in [
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("1m", 60_000),
            ("1M", 2_592_000_000),
            ("1d", 86_400_000),
            ("0.5d", 43_200_000),
            ("2w", 1_209_600_000),
            ("1Q", 7_776_000_000),
            ("1Y", 31_536_000_000),
            ("1500ms", 1_500),
        ] {
            assert_eq!(millis_of(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "1",
            "d",
            "1q",
            "1y",
            "1D",
            "-1h",
            "0s",
            "0d",
            "1ns",
            "999ms",
            "1.2.3h",
            ".h",
            "1h 30m",
            "1e3s",
            "101Y",
            "99999999999999999999999999999999d",
            "1dd",
            "1d1h",
            "Never",
            "1never",
            "quarterly",
            "1daily",
            "1000000001ns",
            "١h",
        ] {
            assert_eq!(millis_of(text), None, "{text}");
        }
    }

    #[test]
    fn words_are_read_as_the_units_that_they_mean() {
        for (word, meaning) in [("daily", "1d"), ("Weekly", "1w"), ("MONTHLY", "1M"), ("yearly", "1Y")] {
            assert_eq!(word.parse::<ResetDuration>(), meaning.parse(), "{word}");
        }
    }

    #[test]
    fn never_is_longer_than_any_other() {
        let never: ResetDuration = "never".parse().unwrap();
        assert!(never.is_never() && never.length() > LONGEST && never.calendar().is_none());
        assert_eq!(never, ResetDuration::never());
        assert!(!"100Y".parse::<ResetDuration>().unwrap().is_never());
    }

    #[test]
    fn only_whole_calendar_units_can_be_aligned() {
        let calendar = |text: &str| text.parse::<ResetDuration>().unwrap().calendar();
        assert_eq!(calendar("3M"), Some((3, CalendarUnit::Month)));
        assert_eq!(calendar("1.5d"), None);
        assert_eq!(calendar("24h"), None);
    }
}
