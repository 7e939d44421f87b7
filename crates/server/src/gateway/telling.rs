//! What an answer says of limits: headers made from what each meter reads when they leave.
//!
//! Two forms of the same figures: OpenAI's `x-ratelimit-…`, and `RateLimit-Policy` and `RateLimit` as
//! draft-ietf-httpapi-ratelimit-headers-10 has them. Limits that only watch are not told: they stop nobody.

use std::fmt::{self, Write as _};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use keyward_core::meter::{Enforcement, Metric};
use keyward_core::money::NanoUsd;
use keyward_engine::{Coverage, MeterLevel};

/// The largest integer that a structured field has (RFC 9651).
const LARGEST: i64 = 999_999_999_999_999;

/// Headers in the making.
pub(super) type Told = Vec<(HeaderName, HeaderValue)>;

/// What the meters that cover an attempt read.
pub(super) fn limits(coverage: &Coverage, now: Timestamp) -> Told {
    let holds = |level: &MeterLevel| match level.enforcement {
        Enforcement::Hard | Enforcement::Soft => true,
        Enforcement::Shadow => false,
    };
    let levels: Vec<MeterLevel> = coverage.levels(now).filter(holds).collect();
    let requests = ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"];
    let tokens = ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"];
    let mut told = Told::new();
    for (metric, [limit, remaining, reset]) in [(Metric::Requests, requests), (Metric::Tokens, tokens)] {
        let Some(level) = tightest(&levels, metric) else { continue };
        tell(&mut told, limit, &level.cap.to_string());
        tell(&mut told, remaining, &level.remaining().to_string());
        if let Some(wait) = wait(level, now) {
            tell(&mut told, reset, &in_words(wait));
        }
    }
    if let Some(budget) = tightest(&levels, Metric::Cost) {
        tell(&mut told, "x-keyward-budget-remaining", &NanoUsd::from_nanos(budget.remaining()).to_string());
    }
    if !levels.is_empty() {
        let (policies, standings) = listed(&levels, now);
        tell(&mut told, "ratelimit-policy", &policies);
        tell(&mut told, "ratelimit", &standings);
    }
    told
}

/// What an attempt cost that was settled.
pub(crate) fn cost(cost: NanoUsd) -> (HeaderName, HeaderValue) {
    let text = HeaderValue::from_str(&cost.to_string());
    (HeaderName::from_static("x-keyward-cost"), text.unwrap_or_else(|_| HeaderValue::from_static("")))
}

/// Puts headers onto an answer, in place of any that it has by their names.
pub(crate) fn put(headers: &mut HeaderMap, told: impl IntoIterator<Item = (HeaderName, HeaderValue)>) {
    for (name, value) in told {
        headers.insert(name, value);
    }
}

fn tell(told: &mut Told, name: &'static str, text: &str) {
    // Figures and names of our own: there is nothing in them that a header cannot carry.
    if let Ok(value) = HeaderValue::from_str(text) {
        told.push((HeaderName::from_static(name), value));
    }
}

/// The meter with the least left; of several, the first in checking order.
fn tightest(levels: &[MeterLevel], metric: Metric) -> Option<&MeterLevel> {
    levels.iter().filter(|level| level.metric == metric).min_by_key(|level| level.remaining())
}

/// The lists of `RateLimit-Policy` and `RateLimit`, an item of each for each meter.
fn listed(levels: &[MeterLevel], now: Timestamp) -> (String, String) {
    let (mut policies, mut standings) =
        (String::with_capacity(80 * levels.len()), String::with_capacity(48 * levels.len()));
    for (place, level) in levels.iter().enumerate() {
        let before = levels.iter().take(place).filter(|other| is_alike(other, level)).count();
        let name = Name { level, before };
        let comma = if place == 0 { "" } else { ", " };
        // Nothing keeps a text from taking more.
        let _ = write!(policies, "{comma}{}", Policy(name));
        let _ = write!(standings, "{comma}{}", Standing(name, now));
    }
    (policies, standings)
}

fn is_alike(one: &MeterLevel, other: &MeterLevel) -> bool {
    (one.scope.kind, one.metric) == (other.scope.kind, other.metric)
}

/// What a meter is called: its kind, and a number where there are several of it.
#[derive(Clone, Copy)]
struct Name<'a> {
    level: &'a MeterLevel,
    /// How many of its kind come before it.
    before: usize,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MeterLevel { scope, metric, .. } = self.level;
        let (kind, metric) = (scope.kind.as_str(), metric.as_str());
        match self.before {
            0 => write!(f, "\"{kind}.{metric}\""),
            before => write!(f, "\"{kind}.{metric}.{}\"", before + 1),
        }
    }
}

/// A cap: `"virtual_key.requests";q=100;qu="requests";w=60`.
struct Policy<'a>(Name<'a>);

impl fmt::Display for Policy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.0.level;
        let unit = match level.metric {
            Metric::ParallelRequests => "concurrent-requests",
            Metric::Requests => "requests",
            Metric::Tokens => "tokens",
            Metric::Cost => "micro-usd",
        };
        write!(f, "{};q={};qu=\"{unit}\"", self.0, whole(level.metric, level.cap))?;
        match level.resets_at.map(|end| end.duration_since(level.window.start).as_secs()) {
            Some(seconds) => write!(f, ";w={}", seconds.clamp(1, LARGEST)),
            None => Ok(()),
        }
    }
}

/// What is left of it: `"virtual_key.requests";r=50;t=30`.
struct Standing<'a>(Name<'a>, Timestamp);

impl fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name, now) = self;
        write!(f, "{name};r={}", whole(name.level.metric, name.level.remaining()))?;
        match wait(name.level, *now) {
            Some(milliseconds) => write!(f, ";t={}", milliseconds.div_ceil(1_000)),
            None => Ok(()),
        }
    }
}

/// An amount as a structured field has it: money in millionths of a dollar, never more than there is.
fn whole(metric: Metric, amount: i64) -> i64 {
    let amount = match metric {
        Metric::Cost => amount / 1_000,
        Metric::ParallelRequests | Metric::Requests | Metric::Tokens => amount,
    };
    amount.clamp(0, LARGEST)
}

/// How many milliseconds the window still has, rounded up; none: it does not end, or nothing is counted over time.
fn wait(level: &MeterLevel, now: Timestamp) -> Option<u64> {
    let left = level.resets_at?.duration_since(now).as_nanos().max(0);
    u64::try_from(left).ok().map(|nanoseconds| nanoseconds.div_ceil(1_000_000))
}

/// A duration as OpenAI writes it: `120ms`, `1.5s`, `6m0s`, `24h0m0s`.
fn in_words(milliseconds: u64) -> String {
    let (seconds, fraction) = (milliseconds / 1_000, milliseconds % 1_000);
    if seconds == 0 && fraction > 0 {
        return format!("{fraction}ms");
    }
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:03}") };
    let fraction = fraction.trim_end_matches('0');
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}{fraction}s"),
        (0, _) => format!("{minutes}m{rest}{fraction}s"),
        _ => format!("{hours}h{minutes}m{rest}{fraction}s"),
    }
}

#[cfg(test)]
mod tests;
