//! What answers of real shapes say of a key.

use http::header::{HeaderName, HeaderValue};
use jiff::SignedDuration;

use super::*;

fn verdict(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap()));
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    Verdict::of(StatusCode::from_u16(status).unwrap(), &headers.collect(), body.as_bytes(), now)
}

/// How long a 429 with these headers and this body limits a key, in milliseconds.
fn limited(headers: &[(&str, &str)], body: &str) -> Option<i128> {
    match verdict(429, headers, body) {
        Verdict::Limited(wait) => wait.map(|wait| wait.as_millis()),
        other @ (Verdict::Served | Verdict::Failed | Verdict::KeyRejected | Verdict::ModelRejected) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn each_provider_says_in_its_way_how_long_a_limit_lasts() {
    for (headers, milliseconds) in [
        (vec![("retry-after", "20")], Some(20_000)),
        (vec![("retry-after", "0")], Some(0)),
        (vec![("retry-after", "1.5")], Some(1_500)),
        (vec![("retry-after", "Thu, 01 Jan 2026 00:00:30 GMT")], Some(30_000)),
        (vec![("retry-after", "20"), ("retry-after-ms", "1234")], Some(1_234)),
        (vec![("retry-after", "soon")], None),
        (vec![("retry-after", "-5")], None),
        (vec![("retry-after", "inf")], None),
        (vec![("retry-after", "99999999999999999999999999")], None),
        // OpenAI and Groq: Go durations.
        (vec![("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s")], Some(360_000)),
        (vec![("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "2m59.56s")], Some(179_560)),
        (vec![("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "20ms")], Some(20)),
        // Of two that are used up, the later; of two that are not, the sooner: the request was too large for what is left.
        (
            vec![
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "8s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "9s"),
            ],
            Some(9_000),
        ),
        (vec![("x-ratelimit-reset-requests", "8s"), ("x-ratelimit-reset-tokens", "9s")], Some(8_000)),
        (
            vec![
                ("x-ratelimit-remaining-requests", "7"),
                ("x-ratelimit-reset-requests", "8s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "9s"),
            ],
            Some(9_000),
        ),
        // Anthropic: instants.
        (
            vec![
                ("anthropic-ratelimit-output-tokens-remaining", "0"),
                ("anthropic-ratelimit-output-tokens-reset", "2026-01-01T00:00:42Z"),
            ],
            Some(42_000),
        ),
        // OpenRouter: milliseconds of Unix time. Others: seconds of it, or seconds from now.
        (vec![("x-ratelimit-reset", "1767225605000")], Some(5_000)),
        (vec![("x-ratelimit-reset", "1767225605")], Some(5_000)),
        (vec![("x-ratelimit-reset", "5")], Some(5_000)),
        (vec![], None),
    ] {
        assert_eq!(limited(&headers, "{}"), milliseconds, "{headers:?}");
    }
}

#[test]
fn google_says_it_in_the_body() {
    let error = |delay: &str| {
        format!(
            r#"{{"error":{{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
            {{"@type":"type.googleapis.com/google.rpc.QuotaFailure"}},
            {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}]}}}}"#
        )
    };
    assert_eq!(limited(&[], &error("36s")), Some(36_000));
    assert_eq!(limited(&[], &error("36.456789123s")), Some(36_456));
    assert_eq!(limited(&[], &format!("[{}]", error("7s"))), Some(7_000), "its OpenAI dialect wraps it");
    for nonsense in ["", "[]", "<html>", r#"{"error":"no"}"#, r#"{"error":{"details":"x"}}"#, &error("later")] {
        assert_eq!(limited(&[], nonsense), None, "{nonsense}");
    }
}

#[test]
fn the_status_says_whose_fault_it_is() {
    for (status, expected) in [
        (200, Verdict::Served),
        (301, Verdict::Served),
        (400, Verdict::Served),
        (404, Verdict::Served),
        (413, Verdict::Served),
        (422, Verdict::Served),
        (401, Verdict::KeyRejected),
        (402, Verdict::KeyRejected),
        (403, Verdict::ModelRejected),
        (408, Verdict::Failed),
        (429, Verdict::Limited(None)),
        (500, Verdict::Failed),
        (501, Verdict::Served),
        (502, Verdict::Failed),
        (503, Verdict::Failed),
        (505, Verdict::Served),
        (529, Verdict::Failed),
    ] {
        assert_eq!(verdict(status, &[], "{}"), expected, "{status}");
    }
    assert_eq!(verdict(503, &[("retry-after", "3")], ""), Verdict::Limited(Some(SignedDuration::from_secs(3))));
}

#[test]
fn an_account_without_money_and_a_wrong_key_are_told_by_the_body() {
    let broke = r#"{"error":{"message":"…","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
    assert_eq!(verdict(429, &[("retry-after", "1")], broke), Verdict::KeyRejected);
    let wrong = r#"[{"error":{"code":400,"details":[{"@type":"x","reason":"API_KEY_INVALID"}]}}]"#;
    assert_eq!(verdict(400, &[], wrong), Verdict::KeyRejected);
}
