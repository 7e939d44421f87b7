//! Providers that fail: the client gets a clear answer, and the books stay right.

use futures_util::StreamExt;
use keyward_client::{ErrorSource, NanoUsd};
use keyward_core::base_url::BaseUrl;

use crate::gateway::{chat, with_budget};
use crate::harness::{Absent, App, Scripted, Step};

const MODEL: &str = "openai/gpt-4o-mini";

/// An app whose provider follows the script, and a key that may spend a dollar there.
async fn with_upstream(script: Vec<Step>) -> (App, Scripted, keyward_client::VirtualKey) {
    let upstream = Scripted::start(script).await;
    let (app, key) = with_provider_at(upstream.base_url()).await;
    (app, upstream, key)
}

/// An app whose provider has this address, and a key that may spend a dollar there.
async fn with_provider_at(base_url: BaseUrl) -> (App, keyward_client::VirtualKey) {
    let app = App::start().await;
    app.provider("openai", base_url).await;
    let key = app.key(with_budget("1")).await;
    (app, key)
}

fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

async fn spent(app: &App, key: &keyward_client::VirtualKey) -> NanoUsd {
    app.caller(key).virtual_key_quota().await.unwrap().budgets[0].current_usage
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_provider_costs_nothing() {
    let absent = Absent::reserve();
    let (app, key) = with_provider_at(absent.base_url()).await;
    let error = app.caller(&key).chat_completion_create(&chat(MODEL, "hi")).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(502), Some("upstream_unreachable")));
    assert!(error.is_retryable());
    assert_eq!(spent(&app, &key).await, NanoUsd::ZERO);
}

/// Something left and nothing sensible came back: what was held is charged, since it may have been used.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_breaks_off_or_talks_rubbish_is_charged_at_the_hold() {
    let cases = [
        (vec![], 502, "upstream_unreachable"),
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":")], 502, "upstream_unreachable"),
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>")], 502, "upstream_invalid"),
        (vec![send("SSH-2.0-OpenSSH_9.2\r\n")], 502, "upstream_unreachable"),
        (vec![Step::Silence], 504, "upstream_timeout"),
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"), Step::Silence], 504, "upstream_timeout"),
    ];
    for (script, status, code) in cases {
        let (app, _upstream, key) = with_upstream(script).await;
        let error = app.caller(&key).chat_completion_create(&chat(MODEL, "hi")).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)));
        let spent = spent(&app, &key).await;
        // 16,384 tokens of output at $0.60 for a million, and a few of input.
        assert!(spent > "0.0098".parse().unwrap() && spent < "0.0099".parse().unwrap(), "{code}: {spent:?}");
        let (store, _database) = app.stopped().await;
        assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 1);
    }
}

/// A connection that never comes about has carried nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_finishes_the_handshake_costs_nothing() {
    let upstream = Scripted::start(vec![Step::Silence]).await;
    let (app, key) = with_provider_at(upstream.tls_url()).await;
    let error = app.caller(&key).chat_completion_create(&chat(MODEL, "hi")).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(504), Some("upstream_timeout")));
    assert_eq!(spent(&app, &key).await, NanoUsd::ZERO);
}

/// An answer that does not say what it used is the client's all the same, and is charged at the hold.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_readable_usage_is_relayed_and_counted() {
    for usage in ["", r#","usage":null"#] {
        let body = format!(r#"{{"id":"a","model":"m","choices":[]{usage}}}"#);
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (app, _upstream, key) = with_upstream(vec![send(&answer)]).await;
        let request = r#"{"model":"openai/gpt-4o-mini","messages":[]}"#;
        let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
        let reply = raw.body(request).send().await;
        assert_eq!((reply.status, reply.body.as_slice()), (200, body.as_bytes()));
        let spent = spent(&app, &key).await;
        assert!(spent > "0".parse().unwrap() && spent < "0.0001".parse().unwrap(), "{usage}: {spent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_own_error_passes_through_marked_and_free() {
    let body = r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#;
    for status in ["400 Bad Request", "401 Unauthorized", "429 Too Many Requests", "500 Internal Server Error"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (app, _upstream, key) = with_upstream(vec![send(&answer)]).await;
        let error = app.caller(&key).chat_completion_create(&chat(MODEL, "hi")).await.unwrap_err();
        let keyward_client::Error::Api(error) = error else { panic!("{error:?}") };
        assert_eq!((error.source, error.message.as_str()), (ErrorSource::Provider, "slow down"));
        assert!(status.starts_with(&error.status.to_string()));
        assert_eq!(spent(&app, &key).await, NanoUsd::ZERO);
    }
}

const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const PIECE: &str =
    "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
const USAGE: &str = "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":100,\"total_tokens\":200}}\n\n";

/// A cut never looks like an end: the stream ends with an error event of its own dialect.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_ends_with_an_error_event() {
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let broken = format!("{chunked}{:x}\r\n{PIECE}\r\n", PIECE.len());
    let partial = format!(
        "{EVENTS}{}",
        PIECE.replace(
            "\"choices\"",
            "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2},\"choices\""
        )
    );
    for (script, code) in [
        (vec![send(&broken)], "upstream_unreachable"),
        (vec![send(&broken), Step::Silence], "upstream_timeout"),
        (vec![send(EVENTS), send(PIECE)], "upstream_invalid"),
        (vec![send(&partial)], "upstream_invalid"),
    ] {
        let (app, _upstream, key) = with_upstream(script).await;
        let mut stream = app.caller(&key).chat_completion_stream(&chat(MODEL, "hi")).await.unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        assert_eq!(stream.next().await.unwrap().unwrap_err().code(), Some(code));
        assert!(stream.next().await.is_none());
        // What came was counted: a few tokens, and not the hold.
        let spent = spent(&app, &key).await;
        assert!(spent > "0".parse().unwrap() && spent < "0.0001".parse().unwrap(), "{spent}");
    }
}

/// The last event may lack its empty line; its usage may come with the last piece.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_a_last_line_end_is_whole() {
    let last = PIECE.replace(
        "\"choices\"",
        "\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":100,\"total_tokens\":200},\"choices\"",
    );
    let (app, _upstream, key) = with_upstream(vec![send(EVENTS), send(PIECE), send(&last), send("data: [DONE]")]).await;
    let stream = app.caller(&key).chat_completion_stream(&chat(MODEL, "hi")).await.unwrap();
    assert_eq!(stream.collect::<Vec<_>>().await.into_iter().filter(Result::is_ok).count(), 2);
    assert_eq!(spent(&app, &key).await.to_string(), "0.000075");
}

/// Some answer a request for a stream with one JSON object: it is the client's, and its usage is what is charged.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_to_a_request_for_a_stream_is_relayed_and_charged() {
    let body = r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":100,"total_tokens":200}}"#;
    let (app, _upstream, key) = with_upstream(vec![Step::answer("200 OK", "application/json", body)]).await;
    let request = r#"{"model":"openai/gpt-4o-mini","stream":true,"messages":[]}"#;
    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    let reply = raw.body(request).send().await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    assert_eq!(reply.body, body.as_bytes());
    assert_eq!(spent(&app, &key).await.to_string(), "0.000075");
}

/// The client leaves in the middle; the rest is drained, and what the provider says in the end is what is charged.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_its_client_leaves_is_charged_by_its_real_usage() {
    let script = vec![send(EVENTS), send(PIECE), Step::Wait, send(PIECE), send(USAGE), send("data: [DONE]\n\n")];
    let (app, upstream, key) = with_upstream(script).await;
    let mut stream = app.caller(&key).chat_completion_stream(&chat(MODEL, "hi")).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    drop(stream);
    upstream.go_on();
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    // 100 tokens in at $0.15 and 100 out at $0.60 for a million.
    assert_eq!((totals.entries, totals.cost.to_string().as_str()), (1, "0.000075"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_unharmed_by_all_of_it() {
    let (app, _upstream, key) = with_upstream(vec![send("garbage")]).await;
    for _ in 0..20 {
        app.caller(&key).chat_completion_create(&chat(MODEL, "hi")).await.unwrap_err();
    }
    assert!(app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.is_ok());
}
