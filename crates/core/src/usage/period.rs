//! Hours, and the periods that reports are cut into.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Seconds of an hour.
const SECONDS: i64 = 3_600;
/// Hours of a day.
const DAY: i64 = 24;

/// An hour of UTC, by how many there were since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hour(i64);

impl Hour {
    /// The hour with this number.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The hour that an instant is in.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_microsecond().div_euclid(SECONDS * 1_000_000))
    }

    /// The first hour that begins at an instant or later.
    #[must_use]
    pub fn from(at: Timestamp) -> Self {
        let hour = Self::of(at);
        if hour.begins() < at { hour.after(1) } else { hour }
    }

    /// The hour's number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// When it begins.
    #[must_use]
    pub fn begins(self) -> Timestamp {
        let end = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_second(self.0.saturating_mul(SECONDS)).unwrap_or(end)
    }

    /// So many hours later.
    #[must_use]
    pub const fn after(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours))
    }

    /// The first hour of its day.
    #[must_use]
    pub const fn day(self) -> Self {
        Self(self.0.div_euclid(DAY) * DAY)
    }

    /// The first hour of the day that begins with it or later.
    #[must_use]
    pub const fn next_day(self) -> Self {
        self.after(DAY - 1).day()
    }
}

/// How long the periods of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day, from midnight.
    Day,
    /// A week, from Monday.
    Week,
    /// A month, from the first.
    Month,
}

impl Interval {
    /// Every interval.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The interval's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Where the periods between two hours begin, of which the first begins with `from`. None: those are more than `most`.
    ///
    /// Where a zone is not whole hours away from UTC, a period begins with the hour that its beginning is in.
    #[must_use]
    pub fn starts(self, from: Hour, to: Hour, zone: &TimeZone, most: usize) -> Option<Vec<Hour>> {
        let mut starts = Vec::new();
        let mut start = from;
        while start < to {
            if starts.len() == most {
                return None;
            }
            starts.push(start);
            start = self.next(start, zone).unwrap_or(to).max(start.after(1));
        }
        Some(starts)
    }

    /// Where the next period begins; none: time ends before.
    fn next(self, start: Hour, zone: &TimeZone) -> Option<Hour> {
        let last = SignedDuration::from_secs(SECONDS - 1);
        let date = start.begins().checked_add(last).ok()?.to_zoned(zone.clone()).date();
        let midnight = |date: Date| Some(Hour::of(date.to_zoned(zone.clone()).ok()?.timestamp()));
        match self {
            Self::Hour => Some(start.after(1)),
            Self::Day => midnight(date.tomorrow().ok()?),
            Self::Week => {
                let monday = i64::from(date.weekday().to_monday_zero_offset());
                midnight(date.checked_add((7 - monday).days()).ok()?)
            }
            Self::Month => midnight(date.first_of_month().checked_add(1.month()).ok()?),
        }
    }
}
