//! Windows: the intervals that meters count in. A pure function of policy, anchor and instant.
//!
//! Windows of one policy tile time: every instant lies in exactly one of them. There is no reset job: a counter carries
//! the window it counts, and another window means zero.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Unit, Zoned};

use crate::duration::{CalendarUnit, ResetDuration};
use crate::month::Month;
use crate::zone::Zone;

/// Where windows end that do not end: the last whole second of the calendar, which databases can keep.
pub const FOREVER: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// A half-open interval of time: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first instant of the window.
    pub start: Timestamp,
    /// The first instant after the window.
    pub end: Timestamp,
}

impl Window {
    /// True when `instant` lies in the window.
    #[must_use]
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }

    /// How long the window is.
    #[must_use]
    pub fn length(&self) -> SignedDuration {
        self.end.duration_since(self.start)
    }

    /// The part of the window before `instant`: where it has none, an empty window that ends there.
    #[must_use]
    pub fn until(self, instant: Timestamp) -> Self {
        Self { start: self.start.min(instant), end: self.end.min(instant) }
    }

    /// True when the two windows share an instant.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// How a limit's windows lie in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowPolicy {
    /// Windows of one length, one after the other from the limit's anchor.
    Rolling(SignedDuration),
    /// Windows of `count` calendar units in a time zone, counted from 1970.
    Calendar {
        /// How many units one window has.
        count: u16,
        /// The unit.
        unit: CalendarUnit,
        /// Whose midnight begins a day.
        zone: Zone,
        /// The month that a quarter begins with, and that quarters are counted from.
        quarter_start: Month,
    },
    /// One window, from the limit's anchor on.
    Never,
}

impl WindowPolicy {
    /// The policy of a limit. Durations that are no whole number of calendar units are never aligned.
    #[must_use]
    pub fn new(duration: &ResetDuration, calendar_aligned: bool, zone: &Zone, quarter_start: Month) -> Self {
        match duration.calendar() {
            Some((count, unit)) if calendar_aligned => {
                Self::Calendar { count: count.max(1), unit, zone: zone.clone(), quarter_start }
            }
            None if duration.is_never() => Self::Never,
            Some(_) | None => Self::Rolling(duration.length()),
        }
    }

    /// When a window of this policy ends; none: it does not.
    #[must_use]
    pub const fn end(&self, window: Window) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Rolling(_) | Self::Calendar { .. } => Some(window.end),
        }
    }

    /// The window that `instant` lies in.
    ///
    /// Only the calendar has windows before the anchor: else an earlier instant (a clock that stepped back) gets the first.
    /// Windows that would leave the supported range of time are cut there.
    #[must_use]
    pub fn window_at(&self, anchor: Timestamp, instant: Timestamp) -> Window {
        match self {
            Self::Rolling(length) => rolling(anchor, *length, instant),
            Self::Calendar { count, unit, zone, quarter_start } => {
                let local = instant.to_zoned(zone.time_zone().clone());
                calendar(&local, (*count).into(), *unit, quarter_start.number() - 1)
            }
            Self::Never => Window { start: anchor, end: FOREVER },
        }
    }
}

fn rolling(anchor: Timestamp, length: SignedDuration, instant: Timestamp) -> Window {
    let length = length.as_nanos().max(1);
    let elapsed = (instant.as_nanosecond() - anchor.as_nanosecond()).max(0);
    let start = anchor.as_nanosecond() + elapsed / length * length;
    Window { start: clamped(start), end: clamped(start + length) }
}

fn clamped(nanoseconds: i128) -> Timestamp {
    let bounded = nanoseconds.clamp(Timestamp::MIN.as_nanosecond(), FOREVER.as_nanosecond());
    Timestamp::from_nanosecond(bounded).unwrap_or(FOREVER)
}

/// The block of `count` units around a local instant. Quarters begin `shift` months after January.
fn calendar(local: &Zoned, count: i64, unit: CalendarUnit, shift: i64) -> Window {
    let index = unit_index(local.date(), unit, shift).div_euclid(count);
    let first = |index: i64| unit_start(index * count, unit, shift).map(|date| first_instant(date, local.time_zone()));
    let (start, end, after) = (first(index), first(index + 1), first(index + 2));
    match end {
        // The clocks were turned back over midnight: the date is that of a day that has ended already.
        Some(end) if local.timestamp() >= end => Window { start: end, end: after.unwrap_or(FOREVER) },
        Some(_) | None => Window { start: start.unwrap_or(Timestamp::MIN), end: end.unwrap_or(FOREVER) },
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);
/// The Monday before the epoch.
const EPOCH_MONDAY: Date = Date::constant(1969, 12, 29);

/// How many whole units lie between 1970 and the unit that `date` lies in.
fn unit_index(date: Date, unit: CalendarUnit, shift: i64) -> i64 {
    match unit {
        CalendarUnit::Day => days_between(EPOCH, date),
        CalendarUnit::Week => days_between(EPOCH_MONDAY, date).div_euclid(7),
        CalendarUnit::Month => months_since_epoch(date),
        CalendarUnit::Quarter => (months_since_epoch(date) - shift).div_euclid(3),
        CalendarUnit::Year => i64::from(date.year()) - 1970,
    }
}

fn months_since_epoch(date: Date) -> i64 {
    (i64::from(date.year()) - 1970) * 12 + i64::from(date.month()) - 1
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until((Unit::Day, to)).map_or(0, |span| span.get_days().into())
}

/// The first day of the unit with this index; none beyond the calendar's range.
fn unit_start(index: i64, unit: CalendarUnit, shift: i64) -> Option<Date> {
    let (origin, span) = match unit {
        CalendarUnit::Day => (EPOCH, 0.days().try_days(index)),
        CalendarUnit::Week => (EPOCH_MONDAY, 0.days().try_weeks(index)),
        CalendarUnit::Month => (EPOCH, 0.days().try_months(index)),
        CalendarUnit::Quarter => (EPOCH, 0.days().try_months(index * 3 + shift)),
        CalendarUnit::Year => (EPOCH, 0.days().try_years(index)),
    };
    origin.checked_add(span.ok()?).ok()
}

/// Midnight, the first of two, or the first instant after the gap when the zone skips it.
fn first_instant(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned(zone.clone()).map_or(FOREVER, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_before_the_anchor_gets_the_first_window() {
        let policy = WindowPolicy::new(&"1h".parse().unwrap(), false, &Zone::default(), Month::default());
        let anchor = at("2026-01-01T00:30:00Z");
        assert_eq!(
            policy.window_at(anchor, at("2025-12-31T00:00:00Z")),
            Window { start: anchor, end: at("2026-01-01T01:30:00Z") }
        );
    }

    fn any_policy() -> impl Strategy<Value = WindowPolicy> {
        let duration = prop_oneof!["[1-9][0-9]?[smhdwMQY]", "[1-9]h[1-5]m", "[1-9]Q", Just("never".to_owned())];
        let zone = prop_oneof![
            Just("UTC"),
            Just("America/New_York"),
            Just("Australia/Lord_Howe"),
            Just("Africa/Cairo"),
            Just("Pacific/Apia"),
            Just("America/St_Johns"),
        ];
        (duration, any::<bool>(), zone, 1i64..=12).prop_map(|(duration, aligned, zone, month)| {
            let month = Month::try_from(month).unwrap();
            WindowPolicy::new(&duration.parse().unwrap(), aligned, &zone.parse().unwrap(), month)
        })
    }

    proptest! {
        /// I5: windows tile time, no gap and no overlap.
        #[test]
        fn i5_windows_tile_time(policy in any_policy(), anchor in -2_000_000_000i64..2_000_000_000, after in 0i64..4_000_000_000) {
            let anchor = Timestamp::from_second(anchor).unwrap();
            let instant = Timestamp::from_second(anchor.as_second() + after).unwrap();
            let window = policy.window_at(anchor, instant);
            prop_assert!(window.contains(instant));
            prop_assert_eq!(policy.window_at(anchor, window.start), window);
            let last = Timestamp::from_nanosecond(window.end.as_nanosecond() - 1).unwrap();
            prop_assert_eq!(policy.window_at(anchor, last), window);
            match policy.end(window) {
                Some(end) => prop_assert_eq!(policy.window_at(anchor, end).start, end),
                None => prop_assert_eq!(window, Window { start: anchor, end: FOREVER }),
            }
        }
    }
}
