//! Which failures are retried, and after how long.

use reqwest::header::{HeaderMap, HeaderValue};

use super::*;
use crate::answer::Head;

const MILLISECOND: Duration = Duration::from_millis(1);

/// An error answer of Keyward's.
fn answered(status: u16, code: &str, headers: &[(&'static str, &str)]) -> Error {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let body = format!(r#"{{"event_id":"r","error":{{"code":"{code}","message":"m"}}}}"#);
    Error::Api(Box::new(ApiError::from_answer(&Head::new(status, &map), body.as_bytes()).unwrap()))
}

fn unavailable() -> Error {
    answered(503, "shutting_down", &[])
}

fn wait(retries: Retries, failures: u32, error: &Error, chance: u8) -> Option<Duration> {
    retries.wait(failures, Repeat::Harmless, error, &[chance])
}

#[test]
fn waits_double_between_half_and_whole_up_to_the_longest() {
    let retries = Retries::up_to(4).waiting(100 * MILLISECOND, 300 * MILLISECOND);
    for (failures, half) in [(0, 50), (1, 100), (2, 150), (3, 150)] {
        let half = half * MILLISECOND;
        assert_eq!(wait(retries, failures, &unavailable(), 0), Some(half));
        let most = wait(retries, failures, &unavailable(), u8::MAX).unwrap();
        assert!(most > half * 2 - MILLISECOND && most <= half * 2, "{most:?}");
    }
    assert_eq!(wait(retries, 4, &unavailable(), 0), None);
    assert_eq!(wait(Retries::none(), 0, &unavailable(), 0), None);
}

#[test]
fn no_number_overflows() {
    let retries = Retries::up_to(u32::MAX).waiting(Duration::MAX, Duration::MAX);
    for failures in [0, 1, 31, 32, u32::MAX - 1] {
        assert!(wait(retries, failures, &unavailable(), u8::MAX).is_some());
    }
}

#[test]
fn the_server_is_not_asked_before_it_wants_to_be() {
    let told = |seconds: &str| answered(429, "request_limited", &[("retry-after", seconds)]);
    let retries = Retries::default();
    let waited = wait(retries, 0, &told("7"), u8::MAX).unwrap();
    assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(8), "{waited:?}");
    assert_eq!(wait(retries, 0, &told("11"), 0), None, "longer than anybody is willing to wait");
}

#[test]
fn what_cannot_help_is_not_tried() {
    let timeout = Error::Timeout { after: MILLISECOND };
    let bad_request = answered(400, "invalid_request", &[]);
    let no_retry = answered(429, "request_limited", &[("x-should-retry", "false")]);
    for error in [timeout, bad_request, no_retry, answered(402, "budget_exceeded", &[])] {
        assert_eq!(wait(Retries::default(), 0, &error, 0), None, "{error:?}");
    }
}

#[test]
fn what_may_have_happened_is_not_repeated_when_that_is_harmful() {
    let harmful = |error: &Error| Retries::default().wait(0, Repeat::Harmful, error, &[0]).is_some();
    let yes = ("x-should-retry", "true");
    for code in ["concurrency_limited", "request_limited", "token_limited", "governance_unavailable", "shutting_down"] {
        assert!(harmful(&answered(429, code, &[yes])), "{code}");
        assert!(harmful(&answered(429, code, &[yes, ("x-keyward-attempts", "0")])), "{code}");
        assert!(
            !harmful(&answered(429, code, &[yes, ("x-keyward-attempts", "1")])),
            "{code}: a fallback of one that ran"
        );
        assert!(!harmful(&answered(429, code, &[yes, ("x-keyward-error-source", "provider")])), "{code}");
        assert!(!harmful(&answered(429, code, &[])), "{code}: the server does not say so");
    }
    for code in ["upstream_unreachable", "upstream_timeout", "provider_key_unavailable"] {
        assert!(!harmful(&answered(503, code, &[yes])), "{code}");
    }
    let gateway = Error::Unexpected { message: String::new(), status: Some(502), request_id: None };
    assert!(!harmful(&gateway));
    assert!(wait(Retries::default(), 0, &gateway, 0).is_some());
}
