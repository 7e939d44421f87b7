//! Tests of how error answers are read.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn head(status: u16, headers: &[(&'static str, &'static str)]) -> Head {
    let pair =
        |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    Head::new(status, &headers.iter().map(pair).collect::<HeaderMap>())
}

fn envelope(code: &str, details: &str) -> Vec<u8> {
    let error = format!(r#""type":"x","code":"{code}","message":"No.","param":"","event_id":"req-body""#);
    format!(r#"{{"event_id":"req-body","type":"{code}","status_code":503,"error":{{{error}{details}}}}}"#).into_bytes()
}

fn provider_message(body: &str) -> ApiError {
    let head = head(400, &[("x-keyward-error-source", "provider")]);
    ApiError::from_answer(&head, body.as_bytes()).unwrap()
}

#[test]
fn every_code_is_known_and_its_row_decides_about_a_retry() {
    for code in ErrorCode::ALL {
        let error = ApiError::from_answer(&head(code.status(), &[]), &envelope(code.as_str(), "")).unwrap();
        assert_eq!((error.code, error.is_retryable()), (Some(*code), code.is_retryable()), "{code}");
    }
}

#[test]
fn a_newer_server_is_understood_as_far_as_possible() {
    let details = r#","details":{"scope":{"kind":"galaxy"}}"#;
    let error = ApiError::from_answer(&head(503, &[]), &envelope("brand_new", details)).unwrap();
    assert_eq!((error.code, error.raw_code.as_str(), error.refusal.as_ref()), (None, "brand_new", None));
    assert!(error.is_retryable(), "by its status");
    assert_eq!(error.request_id.as_deref(), Some("req-body"));
}

#[test]
fn the_server_has_the_last_word_on_a_retry() {
    for (word, code) in [("false", "request_limited"), ("true", "internal_error")] {
        let error = ApiError::from_answer(&head(429, &[("x-should-retry", word)]), &envelope(code, "")).unwrap();
        assert_eq!(error.is_retryable().to_string(), word);
    }
}

#[test]
fn waiting_times_are_milliseconds_or_whole_seconds() {
    let wait = |headers: &[_]| head(429, headers).retry_after;
    assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
    assert_eq!(wait(&[("retry-after-ms", "250"), ("retry-after", "1")]), Some(Duration::from_millis(250)));
    assert_eq!(wait(&[("retry-after", "Mon, 23 Nov 2026 10:00:00 GMT")]), None);
    assert_eq!(wait(&[("retry-after", "-1")]), None);
}

#[test]
fn a_providers_words_are_kept_in_the_shapes_that_providers_use() {
    let error = provider_message(r#"{"error":{"message":"Bad model","type":"invalid","param":"model","code":null}}"#);
    assert_eq!((error.message.as_str(), error.raw_code.as_str()), ("Bad model", "invalid"));
    assert_eq!((error.param.as_deref(), error.code, error.source), (Some("model"), None, ErrorSource::Provider));
    assert_eq!(provider_message(r#"{"error":"Bad model"}"#).message, "Bad model");
    let listed = provider_message(r#"[{"error":{"code":400,"message":"Bad model"}}]"#);
    assert_eq!((listed.message.as_str(), listed.raw_code.as_str()), ("Bad model", "400"));
    for nothing in ["", "<html>", "{}", r#"{"error":null}"#, "[]"] {
        assert_eq!(provider_message(nothing).message, "the provider answered with status 400");
    }
}

#[test]
fn a_providers_code_is_not_taken_for_one_of_ours() {
    let head = head(401, &[("x-keyward-error-source", "provider")]);
    let error = ApiError::from_answer(&head, &envelope("invalid_api_key", "")).unwrap();
    assert_eq!((error.code, error.raw_code.as_str()), (None, "invalid_api_key"));
}

#[test]
fn an_error_inside_a_stream_has_the_status_it_names() {
    let head = head(200, &[("x-request-id", "req-head")]);
    let error = ApiError::from_event(&head, &envelope("governance_unavailable", "")).unwrap();
    assert_eq!((error.status, error.request_id.as_deref()), (503, Some("req-head")));
    let foreign = ApiError::from_event(&head, br#"{"error":{"message":"Overloaded"}}"#).unwrap();
    assert_eq!((foreign.status, foreign.source), (200, ErrorSource::Provider));
    assert_eq!(ApiError::from_event(&head, br#"{"error":null}"#), None);
}

#[test]
fn it_reads_well() {
    let head = head(401, &[("x-keyward-error-source", "provider"), ("x-request-id", "r1")]);
    let error = ApiError::from_answer(&head, br#"{"error":{"message":"Wrong key","code":"bad_key"}}"#).unwrap();
    assert_eq!(error.to_string(), "Wrong key (provider error, 401, bad_key) [request r1]");
}

#[test]
fn an_error_event_of_a_response_is_read_whoever_reports_it() {
    let head = head(200, &[]);
    let ours = br#"{"type":"error","code":"upstream_timeout","message":"Too slow","param":null,"error":
        {"event_id":"r","status_code":504,"error":{"code":"upstream_timeout","message":"Too slow"}}}"#;
    let error = ApiError::from_event(&head, ours).unwrap();
    assert_eq!((error.code, error.status, error.source), (Some(ErrorCode::UpstreamTimeout), 504, ErrorSource::Keyward));
    let theirs = br#"{"type":"error","code":"server_error","message":"Sorry","param":null,"sequence_number":3}"#;
    let error = ApiError::from_event(&head, theirs).unwrap();
    assert_eq!((error.raw_code.as_str(), error.message.as_str()), ("server_error", "Sorry"));
    assert_eq!(error.source, ErrorSource::Provider);
    assert!(ApiError::from_event(&head, br#"{"type":"response.completed"}"#).is_none());
}
