//! Meters: the enforced counters behind caps, and the one order in which they are checked.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::LimitId;
use crate::scope::Scope;
use crate::window::{Window, WindowPolicy};

/// What a meter counts. The order is the order of checking: rates before money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Attempts that run at the same time. It counts what is held; nothing of it is ever used.
    ParallelRequests,
    /// Attempts that reached a provider.
    Requests,
    /// Tokens used, all classes together.
    Tokens,
    /// Nano-dollars spent.
    Cost,
}

impl Metric {
    /// The metric's name on the wire, in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParallelRequests => "parallel_requests",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
        }
    }

    /// Every metric.
    pub const ALL: [Self; 4] = [Self::ParallelRequests, Self::Requests, Self::Tokens, Self::Cost];
}

/// Identifies a meter: a budget has one, a rate limit up to two.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeterId {
    /// The budget or rate limit that owns the meter.
    pub limit: LimitId,
    /// What it counts.
    pub metric: Metric,
}

impl fmt::Debug for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.limit, self.metric.as_str())
    }
}

/// How strictly a meter's cap is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Used and held together never exceed the cap. Default of budgets and request limits.
    Hard,
    /// Admits while used is below the cap, and charges afterwards. Default of token limits.
    Soft,
    /// Never refuses, and counts what `hard` would have refused.
    Shadow,
}

impl Enforcement {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Shadow => "shadow",
        }
    }

    /// Every strictness.
    pub const ALL: [Self; 3] = [Self::Hard, Self::Soft, Self::Shadow];

    /// What a limit on this metric does unless the limit or the server is told otherwise.
    const fn default_of(metric: Metric) -> Self {
        match metric {
            Metric::ParallelRequests | Metric::Requests | Metric::Cost => Self::Hard,
            Metric::Tokens => Self::Soft,
        }
    }
}

/// How strictly limits are held that do not say it themselves, by what they count. What is absent is as it is without this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnforcementDefaults {
    /// Budgets: `hard` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Enforcement>,
    /// Caps on tokens: `soft` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Enforcement>,
    /// Caps on requests: `hard` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Enforcement>,
}

impl EnforcementDefaults {
    /// What a limit on this metric does unless told otherwise. Caps on what runs at the same time are always hard.
    #[must_use]
    pub fn of(&self, metric: Metric) -> Enforcement {
        let configured = match metric {
            Metric::ParallelRequests => None,
            Metric::Requests => self.requests,
            Metric::Tokens => self.tokens,
            Metric::Cost => self.budgets,
        };
        configured.unwrap_or_else(|| Enforcement::default_of(metric))
    }
}

/// Whether a request's output may be capped so that it fits what is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputClamp {
    /// When the client has set no cap of its own.
    #[default]
    WhenAbsent,
    /// Also below a cap that the client has set.
    Always,
    /// A request that does not fit is refused.
    Never,
}

impl OutputClamp {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WhenAbsent => "when_absent",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Every rule.
    pub const ALL: [Self; 3] = [Self::WhenAbsent, Self::Always, Self::Never];
}

/// A cap on one metric over one window policy, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// Identifies the counter, which outlives edits of everything else here.
    pub id: MeterId,
    /// What the cap covers.
    pub scope: Scope,
    /// The cap: nano-dollars, tokens or requests.
    pub cap: i64,
    /// What is added to the cap for a time.
    pub raise: Option<Raise>,
    /// How its windows lie in time.
    pub windows: WindowPolicy,
    /// Where rolling windows begin.
    pub anchor: Timestamp,
    /// How strictly it is held.
    pub enforcement: Enforcement,
    /// Whether output may be capped to fit.
    pub clamp: OutputClamp,
}

/// What is added to a cap for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// How much: nano-dollars, tokens or requests.
    pub amount: i64,
    /// The first instant without it; none: it stays.
    pub until: Option<Timestamp>,
}

impl Raise {
    /// True while it holds.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Meter {
    /// The cap in force at `now`.
    #[must_use]
    pub fn cap_at(&self, now: Timestamp) -> i64 {
        let raise = self.raise.filter(|raise| raise.holds_at(now));
        self.cap.saturating_add(raise.map_or(0, |raise| raise.amount))
    }

    /// The window that `now` lies in.
    #[must_use]
    pub fn window_at(&self, now: Timestamp) -> Window {
        self.windows.window_at(self.anchor, now)
    }
}

/// A counter's reading: how much was used in which window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The window that is counted.
    pub window: Window,
    /// What was used in it: nano-dollars, tokens or requests.
    pub used: i64,
}

impl Count {
    /// Nothing used yet.
    #[must_use]
    pub const fn empty(window: Window) -> Self {
        Self { window, used: 0 }
    }

    /// The reading at `now`, when `window` is the current one.
    ///
    /// A later window starts from zero, and so does any after the counted one is over, whatever an edit has laid over that. A window that overlaps the counted one replaces its bounds and keeps the usage:
    /// the policy was edited, and edits never refill. An earlier one (a clock that stepped back) changes nothing.
    #[must_use]
    pub fn rolled(self, window: Window, now: Timestamp) -> Self {
        if window.start.max(now) >= self.window.end {
            Self::empty(window)
        } else if window.overlaps(&self.window) {
            Self { window, used: self.used }
        } else {
            self
        }
    }

    /// The reading after `amount` was used in `window`. A later window begins; usage of one that is over is history and not
    /// counted. A window that overlaps the counted one adds to it and leaves its bounds alone: the posting may be older than
    /// the edit that set them.
    #[must_use]
    pub fn posted(self, window: Window, amount: i64) -> Self {
        if window.start >= self.window.end {
            Self { window, used: amount }
        } else if window.overlaps(&self.window) {
            Self { used: self.used.saturating_add(amount), ..self }
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::FOREVER;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn window(start: i64, end: i64) -> Window {
        Window { start: Timestamp::from_second(start).unwrap(), end: Timestamp::from_second(end).unwrap() }
    }

    #[test]
    fn a_default_is_the_servers_for_what_is_counted() {
        let told =
            EnforcementDefaults { budgets: Some(Enforcement::Soft), tokens: Some(Enforcement::Hard), requests: None };
        let all = |defaults: EnforcementDefaults| Metric::ALL.map(|metric| defaults.of(metric));
        assert_eq!(
            all(EnforcementDefaults::default()),
            [Enforcement::Hard, Enforcement::Hard, Enforcement::Soft, Enforcement::Hard]
        );
        assert_eq!(all(told), [Enforcement::Hard, Enforcement::Hard, Enforcement::Hard, Enforcement::Soft]);
    }

    /// I8: a prepaid balance is what was used in the window before, and later ones start from zero again.
    #[test]
    fn i8_an_edit_to_never_and_back_keeps_usage() {
        let open = Window { start: Timestamp::UNIX_EPOCH, end: FOREVER };
        let prepaid = Count { window: window(10, 20), used: 7 }.rolled(open, second(15));
        assert_eq!(prepaid, Count { window: open, used: 7 });
        assert_eq!(prepaid.posted(open, 5).used, 12);
        let day = prepaid.rolled(window(30, 40), second(30));
        assert_eq!(day, Count { window: window(30, 40), used: 7 });
        assert_eq!(day.rolled(window(40, 50), second(40)).used, 0);
    }

    #[test]
    fn a_later_window_starts_from_zero_and_an_earlier_one_is_history() {
        let count = Count { window: window(10, 20), used: 7 };
        assert_eq!(count.posted(window(20, 30), 5), Count { window: window(20, 30), used: 5 });
        assert_eq!(count.posted(window(10, 20), 5), Count { window: window(10, 20), used: 12 });
        assert_eq!(count.posted(window(0, 10), 5), count);
        assert_eq!(count.posted(window(0, 70), 5), Count { window: window(10, 20), used: 12 });
    }

    /// I8: changing the length of a window never refills it, and the next window is the new policy's.
    #[test]
    fn i8_an_edited_window_keeps_its_usage() {
        let day = Count { window: window(10, 20), used: 7 };
        let week = day.rolled(window(0, 70), second(15));
        assert_eq!(week, Count { window: window(0, 70), used: 7 });
        assert_eq!(week.rolled(window(20, 30), second(25)), Count { window: window(20, 30), used: 7 });
        assert_eq!(week.rolled(window(70, 80), second(70)).used, 0);
        // What is over is over, also when an edit lays a wider window over it before anybody asks.
        assert_eq!(day.rolled(window(0, 70), second(20)).used, 0);
    }
}
