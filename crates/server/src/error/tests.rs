//! What each error says of a retry: a row for every code.

use actix_web::http::header::HeaderMap;
use keyward_core::meter::Metric;
use keyward_core::refusal::Quantity;
use keyward_core::scope::{Scope, ScopeKind};

use super::*;

/// The page that lists the codes.
const PAGE: &str = include_str!("../../../../docs/errors.md");

/// Each code with its status, `x-should-retry`, and `Retry-After`, when nothing more is known.
const TABLE: [(&str, u16, bool, Option<&str>); 41] = [
    ("invalid_json", 400, false, None),
    ("invalid_request", 400, false, None),
    ("unknown_field", 400, false, None),
    ("conflicting_credentials", 400, false, None),
    ("unauthorized", 401, false, None),
    ("virtual_key_required", 401, false, None),
    ("invalid_api_key", 401, false, None),
    ("budget_exceeded", 402, false, None),
    ("forbidden_origin", 403, false, None),
    ("secret_hidden", 403, false, None),
    ("permission_denied", 403, false, None),
    ("authentication_disabled", 403, false, None),
    ("management_key_refused", 403, false, None),
    ("virtual_key_blocked", 403, false, None),
    ("virtual_key_expired", 403, false, None),
    ("provider_blocked", 403, false, None),
    ("model_blocked", 403, false, None),
    ("mcp_tool_blocked", 403, false, None),
    ("model_price_unknown", 403, false, None),
    ("batch_not_bounded", 403, false, None),
    ("not_found", 404, false, None),
    ("provider_not_found", 404, false, None),
    ("method_not_allowed", 405, false, None),
    ("already_exists", 409, false, None),
    ("batch_not_charged", 409, true, None),
    ("precondition_failed", 412, false, None),
    ("payload_too_large", 413, false, None),
    ("concurrency_limited", 429, true, None),
    ("request_limited", 429, true, None),
    ("provider_key_limited", 429, true, None),
    ("login_throttled", 429, true, None),
    ("token_limited", 429, true, None),
    ("internal_error", 500, false, None),
    ("routing_loop", 500, false, None),
    ("provider_not_supported", 501, false, None),
    ("upstream_unreachable", 502, true, None),
    ("upstream_invalid", 502, true, None),
    ("provider_key_unavailable", 503, true, Some("1")),
    ("governance_unavailable", 503, true, Some("1")),
    ("shutting_down", 503, true, Some("1")),
    ("upstream_timeout", 504, true, None),
];

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn every_code_says_whether_to_try_again() {
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(TABLE.map(|(code, ..)| code).to_vec(), codes);
    for (code, (_, status, retry, wait)) in ErrorCode::ALL.iter().zip(TABLE) {
        let answer = ApiError::new(*code, "no").in_gateway(ErrorExtra::default()).answer("id", Voice::Own);
        assert_eq!(answer.status(), status, "{code}");
        assert_eq!(header(answer.headers(), "x-should-retry"), Some(if retry { "true" } else { "false" }), "{code}");
        assert_eq!(header(answer.headers(), "retry-after"), wait, "{code}");
        assert_eq!(header(answer.headers(), "retry-after-ms"), wait.map(|_| "1000"), "{code}");
    }
}

#[test]
fn the_page_of_errors_has_a_row_for_every_code() {
    for code in ErrorCode::ALL {
        let retry = if code.is_retryable() { "yes" } else { "no" };
        let row = format!("| `{code}` | {} | `{}` | {retry} |", code.status(), code.kind());
        assert!(PAGE.contains(&row), "docs/errors.md lacks: {row}");
    }
}

/// Refused by a limit of 10: what was used, what was asked for, whether the window ends, and how many seconds to wait.
#[test]
fn a_limit_is_worth_waiting_for_when_its_window_ends_and_the_request_fits_into_it() {
    let now = clock::now();
    let later = now.checked_add(SignedDuration::from_millis(1_500)).unwrap();
    for (metric, used, requested, resets_at, code, wait) in [
        (Metric::Cost, 9, 2, Some(later), "budget_exceeded", None),
        (Metric::Cost, 9, 2, None, "budget_exceeded", None),
        (Metric::Requests, 10, 1, Some(later), "request_limited", Some(1_500)),
        (Metric::Requests, 10, 1, None, "request_limited", None),
        (Metric::Requests, 10, 1, Some(now), "request_limited", Some(0)),
        (Metric::Tokens, 9, 2, Some(later), "token_limited", Some(1_500)),
        (Metric::Tokens, 10, 11, Some(later), "token_limited", Some(1_500)),
        (Metric::Tokens, 9, 11, Some(later), "token_limited", None),
        (Metric::ParallelRequests, 0, 1, None, "concurrency_limited", Some(1_000)),
    ] {
        let quantity = |amount| Quantity::of(metric, amount);
        let limit = LimitRefusal {
            scope: Scope { kind: ScopeKind::Team, id: "t".into() },
            limit: "l".into(),
            metric,
            limit_value: quantity(10),
            used: quantity(used),
            held: quantity(0),
            requested: quantity(requested),
            resets_at,
        };
        let error = ApiError::from(Refusal::Limit(Box::new(limit.clone())));
        assert_eq!((error.code().as_str(), error.body("id").error.details), (code, Some(limit)));
        let wait = wait.map(SignedDuration::from_millis);
        assert_eq!(error.retry(now), (wait.is_some(), wait), "{metric:?} {used} {requested}");
        let answer = error.answer("id", Voice::Own);
        assert_eq!(header(answer.headers(), "x-should-retry"), Some(if wait.is_some() { "true" } else { "false" }));
        for name in ["retry-after", "retry-after-ms"] {
            assert_eq!(header(answer.headers(), name).is_some(), wait.is_some(), "{name}");
        }
    }
}

#[test]
fn waits_are_rounded_up_and_never_nothing() {
    let waits = [0, 1, 1_000_000, 1_000_001, 1_500_000_000].map(SignedDuration::from_nanos);
    assert_eq!(waits.map(milliseconds), [1, 1, 1, 2, 1_500]);
    let answer = ApiError::new(ErrorCode::LoginThrottled, "no")
        .retry_after(SignedDuration::from_millis(1_500))
        .answer("", Voice::Own);
    assert_eq!(["retry-after", "retry-after-ms"].map(|name| header(answer.headers(), name)), [Some("2"), Some("1500")]);
}
