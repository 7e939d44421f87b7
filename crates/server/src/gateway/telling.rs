//! What an answer says of limits: headers made from what each meter reads when they leave.
//!
//! Two forms of the same figures: OpenAI's `x-ratelimit-…`, and `RateLimit-Policy` and `RateLimit` as
//! draft-ietf-httpapi-ratelimit-headers-10 has them. Limits that only watch are not told: they stop nobody.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use keyward_core::meter::{Enforcement, Metric};
use keyward_core::money::NanoUsd;
use keyward_engine::{Coverage, MeterLevel};

/// The largest integer that a structured field has (RFC 9651).
const LARGEST: i64 = 999_999_999_999_999;

/// What is told of the tightest limit on requests, and on tokens: the cap, what is left of it, and when it is whole again.
const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];
const BUDGET_REMAINING: HeaderName = HeaderName::from_static("x-keyward-budget-remaining");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");
const COST: HeaderName = HeaderName::from_static("x-keyward-cost");

/// The most headers that limits make: those of requests, those of tokens, and three more.
const MOST: usize = 9;

/// Headers in the making.
pub(super) type Told = Vec<(HeaderName, HeaderValue)>;

/// What the meters that cover an attempt read.
pub(super) fn limits(coverage: &Coverage, now: Timestamp) -> Told {
    let holds = |level: &MeterLevel| match level.enforcement {
        Enforcement::Hard | Enforcement::Soft => true,
        Enforcement::Shadow => false,
    };
    let levels: Vec<MeterLevel> = coverage.levels(now).filter(holds).collect();
    let mut told = Told::with_capacity(MOST);
    for (metric, [limit, remaining, reset]) in [(Metric::Requests, REQUESTS), (Metric::Tokens, TOKENS)] {
        let Some(level) = tightest(&levels, metric) else { continue };
        told.push((limit, HeaderValue::from(level.cap)));
        told.push((remaining, HeaderValue::from(level.remaining())));
        told.extend(wait(level, now).and_then(|wait| text(reset, in_words(wait))));
    }
    if let Some(budget) = tightest(&levels, Metric::Cost) {
        told.extend(text(BUDGET_REMAINING, NanoUsd::from_nanos(budget.remaining()).to_string()));
    }
    if !levels.is_empty() {
        let (policies, standings) = listed(&levels, now);
        told.extend(text(POLICY, policies));
        told.extend(text(STANDING, standings));
    }
    told
}

/// What an attempt cost that was settled.
pub(crate) fn cost(cost: NanoUsd) -> (HeaderName, HeaderValue) {
    let text = HeaderValue::from_str(&cost.to_string());
    (COST, text.unwrap_or_else(|_| HeaderValue::from_static("")))
}

/// Puts headers onto an answer, in place of any that it has by their names.
pub(crate) fn put(headers: &mut HeaderMap, told: impl IntoIterator<Item = (HeaderName, HeaderValue)>) {
    for (name, value) in told {
        headers.insert(name, value);
    }
}

/// Figures and names of our own: there is nothing in them that a header cannot carry.
fn text(name: HeaderName, text: String) -> Option<(HeaderName, HeaderValue)> {
    Some((name, HeaderValue::try_from(text).ok()?))
}

/// The meter with the least left; of several, the first in checking order.
fn tightest(levels: &[MeterLevel], metric: Metric) -> Option<&MeterLevel> {
    levels.iter().filter(|level| level.metric == metric).min_by_key(|level| level.remaining())
}

/// The lists of `RateLimit-Policy` and `RateLimit`, an item of each for each meter.
fn listed(levels: &[MeterLevel], now: Timestamp) -> (String, String) {
    let most = |each: usize| List(String::with_capacity(each * levels.len()));
    let (mut policies, mut standings) = (most(80), most(48));
    for (place, level) in levels.iter().enumerate() {
        let before = levels.iter().take(place).filter(|other| is_alike(other, level)).count();
        policies.item(level, before);
        policies.policy(level);
        standings.item(level, before);
        standings.standing(level, now);
    }
    (policies.0, standings.0)
}

fn is_alike(one: &MeterLevel, other: &MeterLevel) -> bool {
    (one.scope.kind, one.metric) == (other.scope.kind, other.metric)
}

/// A list of items with parameters, as RFC 9651 writes it. Every answer has two of them.
struct List(String);

impl List {
    /// Begins an item: what a meter is called, with a number where `before` others of its kind come before it.
    fn item(&mut self, level: &MeterLevel, before: usize) {
        let comma = if self.0.is_empty() { "\"" } else { ", \"" };
        for part in [comma, level.scope.kind.as_str(), ".", level.metric.as_str()] {
            self.0.push_str(part);
        }
        if before > 0 {
            self.number(".", before + 1);
        }
        self.0.push('"');
    }

    fn number(&mut self, before: &str, number: impl itoa::Integer) {
        self.0.push_str(before);
        self.0.push_str(itoa::Buffer::new().format(number));
    }

    /// A cap: `"virtual_key.requests";q=100;qu="requests";w=60`.
    fn policy(&mut self, level: &MeterLevel) {
        self.number(";q=", whole(level.metric, level.cap));
        self.0.push_str(match level.metric {
            Metric::ParallelRequests => ";qu=\"concurrent-requests\"",
            Metric::Requests => ";qu=\"requests\"",
            Metric::Tokens => ";qu=\"tokens\"",
            Metric::Cost => ";qu=\"micro-usd\"",
        });
        if let Some(end) = level.resets_at {
            self.number(";w=", end.duration_since(level.window.start).as_secs().clamp(1, LARGEST));
        }
    }

    /// What is left of it: `"virtual_key.requests";r=50;t=30`.
    fn standing(&mut self, level: &MeterLevel, now: Timestamp) {
        self.number(";r=", whole(level.metric, level.remaining()));
        if let Some(milliseconds) = wait(level, now) {
            self.number(";t=", milliseconds.div_ceil(1_000));
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
