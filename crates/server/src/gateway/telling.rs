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
    let (mut policies, mut standings) = (Vec::new(), Vec::new());
    let mut names: Vec<String> = Vec::new();
    for level in levels {
        let base = format!("{}.{}", level.scope.kind.as_str(), level.metric.as_str());
        let before = levels.iter().take(names.len()).filter(|other| is_alike(other, level)).count();
        let name = if before == 0 { base } else { format!("{base}.{}", before + 1) };
        policies.push(policy(&name, level));
        standings.push(standing(&name, level, now));
        names.push(name);
    }
    (policies.join(", "), standings.join(", "))
}

fn is_alike(one: &MeterLevel, other: &MeterLevel) -> bool {
    (one.scope.kind, one.metric) == (other.scope.kind, other.metric)
}

/// A cap: `"virtual_key.requests";q=100;qu="requests";w=60`.
fn policy(name: &str, level: &MeterLevel) -> String {
    let unit = match level.metric {
        Metric::ParallelRequests => "concurrent-requests",
        Metric::Requests => "requests",
        Metric::Tokens => "tokens",
        Metric::Cost => "micro-usd",
    };
    let window = level.resets_at.map(|end| end.duration_since(level.window.start).as_secs());
    let window = window.map(|seconds| format!(";w={}", seconds.clamp(1, LARGEST))).unwrap_or_default();
    format!("\"{name}\";q={};qu=\"{unit}\"{window}", whole(level.metric, level.cap))
}

/// What is left of it: `"virtual_key.requests";r=50;t=30`.
fn standing(name: &str, level: &MeterLevel, now: Timestamp) -> String {
    let reset = wait(level, now).map(|milliseconds| format!(";t={}", milliseconds.div_ceil(1_000)));
    format!("\"{name}\";r={}{}", whole(level.metric, level.remaining()), reset.unwrap_or_default())
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
