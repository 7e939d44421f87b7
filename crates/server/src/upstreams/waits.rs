//! Waits: how long a provider says that a key is limited, in the ways that providers say it.

use http::header::{HeaderMap, RETRY_AFTER};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use super::verdict::Said;

/// Headers that tell what is left of a limit and when it is whole again.
const LIMITS: [[&str; 2]; 6] = [
    ["x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
    ["x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
    ["anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"],
    ["anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"],
    ["anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"],
    ["x-ratelimit-remaining", "x-ratelimit-reset"],
];

/// How long the answer says to wait; none when it does not say. The most direct word counts.
pub(super) fn told(headers: &HeaderMap, said: &Said, now: Timestamp) -> Option<SignedDuration> {
    let milliseconds = || text(headers, "retry-after-ms").and_then(|text| number(text, 0.001));
    let retry_after = || text(headers, RETRY_AFTER.as_str()).and_then(|text| seconds_or_date(text, now));
    milliseconds().or_else(retry_after).or_else(|| of_google(said)).or_else(|| of_limits(headers, now))
}

/// `google.rpc.RetryInfo` among the details of an error.
fn of_google(said: &Said) -> Option<SignedDuration> {
    let info = said.details.iter().find(|detail| detail.kind.ends_with("google.rpc.RetryInfo"))?;
    info.retry_delay.parse().ok()
}

/// When the limits that are used up are whole again, all of them; when none says that it is, the first that says anything.
fn of_limits(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let told = LIMITS.iter().filter_map(|[remaining, reset]| {
        let is_used_up = text(headers, remaining) == Some("0");
        Some((is_used_up, reset_in(text(headers, reset)?, now)?))
    });
    let told: Vec<(bool, SignedDuration)> = told.collect();
    let used_up = told.iter().filter(|(is_used_up, _)| *is_used_up).map(|(_, wait)| *wait).max();
    used_up.or_else(|| told.iter().map(|(_, wait)| *wait).min())
}

/// A reset is a duration (`6m0s`), an instant (RFC 3339), seconds from now, or seconds or milliseconds of Unix time.
fn reset_in(text: &str, now: Timestamp) -> Option<SignedDuration> {
    /// Numbers from here on are no seconds from now.
    const INSTANTS: i64 = 1_000_000_000;
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.duration_since(now));
    }
    match text.parse::<i64>() {
        Ok(count) if count >= INSTANTS * 1_000 => Some(Timestamp::from_millisecond(count).ok()?.duration_since(now)),
        Ok(count) if count >= INSTANTS => Some(Timestamp::from_second(count).ok()?.duration_since(now)),
        Ok(_) | Err(_) => number(text, 1.0).or_else(|| text.parse().ok()),
    }
}

fn seconds_or_date(text: &str, now: Timestamp) -> Option<SignedDuration> {
    number(text, 1.0).or_else(|| Some(rfc2822::parse(text).ok()?.timestamp().duration_since(now)))
}

/// A plain number of this many seconds each.
fn number(text: &str, seconds: f64) -> Option<SignedDuration> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let count: f64 = text.parse().ok().filter(|_| is_plain)?;
    SignedDuration::try_from_secs_f64(count * seconds).ok()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}
