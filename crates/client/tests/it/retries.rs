//! What is sent again and what is not, counted by the server; which failure counts as what is tested beside the code.

use std::time::Duration;

use keyward_client::{
    ChatCompletionRequest, Client, CreateTeam, Error, Retries, RotateVirtualKeys, TeamQuery, UpdateTeam, Version,
};

use crate::loopback::{Loopback, answer};

const MILLISECOND: Duration = Duration::from_millis(1);
const EMPTY_LIST: &str = r#"{"teams":[],"count":0,"total_count":0,"limit":0,"offset":0}"#;
const COMPLETION: &str = r#"{"id":"c","model":"m","choices":[]}"#;

fn unavailable() -> String {
    answer("502 Bad Gateway", "content-type: text/html\r\n", "")
}

fn refused(status: &str, code: &str, headers: &str) -> String {
    answer(status, headers, &format!(r#"{{"event_id":"r","error":{{"code":"{code}","message":"No"}}}}"#))
}

/// A client that tries a call up to three times, without waiting for long.
fn stubborn(server: &Loopback) -> Client {
    let retries = Retries::up_to(2).waiting(MILLISECOND, Duration::from_secs(1));
    server.builder().retries(retries).build().unwrap()
}

#[tokio::test]
async fn a_read_is_asked_again_until_it_is_answered() {
    let mut server =
        Loopback::answering_in_turn([String::new(), unavailable(), answer("200 OK", "", EMPTY_LIST)]).await;
    let list = stubborn(&server).team_list(&TeamQuery::default()).await.unwrap();
    assert_eq!(list.count, 0);
    for _ in 0..3 {
        assert_eq!(server.received().await.line(), "GET /api/governance/teams");
    }
}

#[tokio::test]
async fn at_last_the_failure_is_told() {
    let mut server = Loopback::answering("502 Bad Gateway", "", "").await;
    let error = stubborn(&server).team_list(&TeamQuery::default()).await.unwrap_err();
    assert_eq!(error.status(), Some(502));
    for _ in 0..3 {
        server.received().await;
    }
    assert!(server.has_no_more());
}

#[tokio::test]
async fn a_create_is_repeated_under_one_key() {
    let mut server = Loopback::answering_in_turn([unavailable(), answer("404 Not Found", "", "")]).await;
    let client = stubborn(&server);
    assert_eq!(client.team_create(&CreateTeam::default()).await.unwrap_err().status(), Some(404));
    let keys = [server.received().await, server.received().await]
        .map(|received| received.header("idempotency-key").map(str::to_owned));
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test]
async fn each_create_has_a_key_of_its_own_or_the_given_one() {
    let mut server = Loopback::answering("404 Not Found", "", "").await;
    let client = stubborn(&server);
    let mut keys = Vec::new();
    for client in [client.clone(), client.clone(), client.with_idempotency_key("mine").unwrap()] {
        assert!(client.team_create(&CreateTeam::default()).await.is_err());
        keys.push(server.received().await.header("idempotency-key").unwrap().to_owned());
    }
    assert!(keys[0] != keys[1] && keys[2] == "mine", "{keys:?}");
    assert!(client.with_retries(Retries::none()).team_create(&CreateTeam::default()).await.is_err());
    assert_eq!(server.received().await.header("idempotency-key"), None, "it would be of no use");
}

#[tokio::test]
async fn what_may_have_happened_is_not_sent_again() {
    let mut server = Loopback::answering("502 Bad Gateway", "", "").await;
    let client = stubborn(&server);
    let version: Version = serde_json::from_str::<keyward_client::Team>(TEAM).map(|team| version_of(&team)).unwrap();
    assert!(client.if_match(version).unwrap().team_update(&"t".into(), &UpdateTeam::default()).await.is_err());
    assert!(client.virtual_keys_rotate(&RotateVirtualKeys::default()).await.is_err());
    assert!(client.chat_completion_create(&ChatCompletionRequest::default()).await.is_err());
    assert!(client.chat_completion_stream(&ChatCompletionRequest::default()).await.is_err());
    let tag = server.received().await.header("if-match").map(str::to_owned);
    assert_eq!(tag, Some(version.etag()));
    for _ in 0..3 {
        server.received().await;
    }
    assert!(server.has_no_more());
}

#[tokio::test]
async fn a_completion_that_was_not_admitted_is_asked_for_again_when_the_server_says_so() {
    let limited = |headers: &str| refused("429 Too Many Requests", "request_limited", headers);
    let soon = limited("x-should-retry: true\r\nretry-after-ms: 1\r\n");
    let server = Loopback::answering_in_turn([soon, answer("200 OK", "", COMPLETION)]).await;
    assert!(stubborn(&server).chat_completion_create(&ChatCompletionRequest::default()).await.is_ok());

    let late = limited("x-should-retry: true\r\nretry-after: 2\r\n");
    let failed = limited("x-should-retry: true\r\nx-keyward-attempts: 1\r\n");
    let spent = refused("402 Payment Required", "budget_exceeded", "x-should-retry: false\r\n");
    for refusal in [late, failed, spent] {
        let server = Loopback::answering_in_turn([refusal, answer("200 OK", "", COMPLETION)]).await;
        let error = stubborn(&server).chat_completion_create(&ChatCompletionRequest::default()).await.unwrap_err();
        assert!(matches!(error, Error::Api(_)), "{error:?}");
    }
}

#[tokio::test]
async fn no_wait_is_longer_than_the_call_may_take() {
    let server = Loopback::answering("502 Bad Gateway", "", "").await;
    let retries = Retries::up_to(2).waiting(Duration::from_secs(3600), Duration::from_secs(3600));
    let client = server.builder().retries(retries).timeout(Duration::from_secs(60)).build().unwrap();
    let error = client.team_list(&TeamQuery::default()).await.unwrap_err();
    assert_eq!(error.status(), Some(502), "the failure itself, and at once");
}

const TEAM: &str = r#"{
    "id": "t", "name": "Research", "calendar_aligned": false, "virtual_key_count": 2, "config_hash": "", "budgets": [],
    "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z"
}"#;

fn version_of(team: &keyward_client::Team) -> Version {
    keyward_client::Versioned::version(team)
}
