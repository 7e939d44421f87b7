//! What comes back as an error, and what a caller can ask it.

use std::time::Duration;

use keyward_client::{Client, Error, ErrorCode, ErrorSource, NanoUsd, Retries, TeamQuery};

use crate::loopback::Loopback;

async fn error_of(status: &str, headers: &str, body: &str) -> Error {
    let server = Loopback::answering(status, headers, body).await;
    server.client().team_list(&TeamQuery::default()).await.unwrap_err()
}

const BUDGET_EXCEEDED: &str = r#"{
    "event_id": "req-1", "type": "budget_exceeded", "is_bifrost_error": true, "status_code": 402,
    "error": {
        "type": "insufficient_quota", "code": "budget_exceeded", "message": "Budget of team 't' exceeded",
        "param": "", "event_id": "req-1",
        "details": {
            "scope": {"kind": "team", "id": "t"}, "limit": "b", "metric": "cost", "limit_value": 0.01,
            "used": 0.009999999, "held": 0, "requested": 0.000000002, "resets_at": "2026-11-24T00:00:00Z"
        }
    },
    "extra_fields": {"provider": "", "model_requested": "", "request_type": ""}
}"#;

#[tokio::test]
async fn a_refusal_tells_the_limit() {
    let error =
        error_of("402 Payment Required", "x-should-retry: false\r\nx-request-id: req-1\r\n", BUDGET_EXCEEDED).await;
    assert_eq!((error.status(), error.code()), (Some(402), Some("budget_exceeded")));
    assert_eq!((error.is_retryable(), error.retry_after()), (false, None));
    assert_eq!(error.request_id(), Some("req-1"));
    let refusal = error.refusal().unwrap();
    assert_eq!((&*refusal.scope.id, refusal.limit.as_str()), ("t", "b"));
    assert_eq!(refusal.used.usd(), Some(NanoUsd::from_nanos(9_999_999)));
    let Error::Api(api) = error else { panic!("{error:?}") };
    assert_eq!((api.code, api.source), (Some(ErrorCode::BudgetExceeded), ErrorSource::Keyward));
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let body = BUDGET_EXCEEDED.replace("budget_exceeded", "request_limited");
    let error = error_of("429 Too Many Requests", "retry-after: 30\r\n", &body).await;
    assert_eq!((error.is_retryable(), error.retry_after()), (true, Some(Duration::from_secs(30))));
}

#[tokio::test]
async fn a_providers_error_is_the_providers() {
    let headers = "x-keyward-error-source: provider\r\nx-request-id: req-2\r\n";
    let error =
        error_of("401 Unauthorized", headers, r#"{"error":{"message":"Bad key","code":"invalid_api_key"}}"#).await;
    let Error::Api(api) = &error else { panic!("{error:?}") };
    assert_eq!((api.source, api.code, api.message.as_str()), (ErrorSource::Provider, None, "Bad key"));
    assert_eq!((error.code(), error.request_id()), (Some("invalid_api_key"), Some("req-2")));
}

#[tokio::test]
async fn an_error_page_of_something_in_between_is_unexpected() {
    let error = error_of("502 Bad Gateway", "content-type: text/html\r\n", "<h1>hunter2</h1>").await;
    assert!(matches!(error, Error::Unexpected { status: Some(502), .. }), "{error:?}");
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), "the server answered 502 without an error body (text/html)");
    let error = error_of("404 Not Found", "", "").await;
    assert_eq!((error.status(), error.is_retryable(), error.code()), (Some(404), false, None));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Loopback::answering("200 OK", "", "{}").await;
    let mut server = Loopback::answering("307 Temporary Redirect", &format!("location: {}\r\n", target.url), "").await;
    let error = server.builder().virtual_key("sk-bf-1").build().unwrap().virtual_key_quota().await.unwrap_err();
    assert_eq!(error.status(), Some(307));
    server.received().await;
    let mut target = target;
    assert!(target.has_no_more());
}

#[tokio::test]
async fn a_success_that_breaks_its_promise_names_the_place() {
    let body = r#"{"teams":[{"id":"t","name":["hunter2"]}],"count":1,"total_count":1,"limit":1,"offset":0}"#;
    let error = error_of("200 OK", "", body).await;
    let Error::Decode { status: 200, path, .. } = &error else { panic!("{error:?}") };
    assert_eq!(path, "teams[0].name");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_body_has_a_largest_size() {
    let error = error_of("200 OK", "", &" ".repeat(32 * 1024 * 1024 + 1)).await;
    assert!(matches!(error, Error::Unexpected { status: Some(200), .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_is_cut_short_did_not_come_back() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"teams\":";
    let server = Loopback::start([half], crate::loopback::Then::Close).await;
    let error = server.client().team_list(&TeamQuery::default()).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_server_that_is_not_there_may_be_there_later() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error =
        Client::builder().base_url(&url).retries(Retries::none()).build().unwrap().provider_list().await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn tls_needs_nothing_from_the_host_program() {
    let server = Loopback::answering("200 OK", "", "").await;
    let url = server.url.replace("http://", "https://");
    let error = server.builder().base_url(&url).build().unwrap().provider_list().await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
}
