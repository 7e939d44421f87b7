//! Streamed answers: whole ones, and every way in which one can go wrong.

use keyward_client::{ChatCompletionRequest, ChatStream, Error, ErrorCode, ErrorSource, StreamExt};

use crate::loopback::{Loopback, Then, answer};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req-1\r\nconnection: close\r\n\r\n";

fn chunk(text: &str) -> String {
    let delta = format!(r#"{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}"#);
    format!(r#"data: {{"id":"c","object":"chat.completion.chunk","model":"echo","choices":[{delta}]}}"#)
}

async fn opened(server: &Loopback) -> Result<ChatStream, Error> {
    server.client().chat_completion_stream(&ChatCompletionRequest::default()).await
}

/// The texts that came, and the error that came last.
async fn outcome(pieces: &[&str]) -> (Vec<String>, Option<Error>) {
    let server = Loopback::start([HEAD].iter().chain(pieces), Then::Close).await;
    let mut stream = opened(&server).await.unwrap();
    let mut texts = Vec::new();
    while let Some(next) = stream.next().await {
        match next {
            Ok(chunk) => texts.extend(chunk.choices.into_iter().filter_map(|choice| choice.delta.content)),
            Err(error) => {
                assert!(stream.next().await.is_none(), "something after an error");
                return (texts, Some(error));
            }
        }
    }
    assert!(stream.next().await.is_none(), "something after the end");
    (texts, None)
}

async fn error_after_one_chunk(rest: &str) -> Error {
    let (texts, error) = outcome(&[&chunk("a"), "\n\n", rest]).await;
    assert_eq!(texts, ["a"]);
    error.unwrap()
}

#[tokio::test]
async fn a_whole_stream_ends_with_done() {
    let (one, two) = (chunk("Grüße, "), chunk("Welt"));
    let (two_head, two_tail) = two.split_at(20);
    let (texts, error) =
        outcome(&[": ping\r\n\r\n", &one, "\r\n\r\n", two_head, two_tail, "\n\ndata: [DONE]\n\n"]).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(texts, ["Grüße, ", "Welt"]);
}

#[tokio::test]
async fn what_follows_done_is_not_read() {
    let (texts, error) = outcome(&[&chunk("a"), "\n\ndata: [DONE]\n\ndata: nonsense\n\n"]).await;
    assert!(error.is_none() && texts == ["a"], "{error:?}");
}

#[tokio::test]
async fn a_missing_blank_line_after_done_is_forgiven() {
    for rest in ["data: [DONE]\n", "data: [DONE]"] {
        let (texts, error) = outcome(&[&chunk("a"), "\n\n", rest]).await;
        assert!(error.is_none() && texts == ["a"], "{error:?}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_without_done_broke_off() {
    for rest in ["", "data: {\"id\":\"c\",\"mod", &chunk("cut off")] {
        let error = error_after_one_chunk(rest).await;
        assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
        assert_eq!((error.request_id(), error.is_retryable()), (Some("req-1"), false));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_transport_error() {
    let body = format!("{}\n\n", chunk("a"));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let server = Loopback::start([format!("{head}{:x}\r\n{body}\r\n", body.len())], Then::Close).await;
    let mut stream = opened(&server).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn an_envelope_inside_the_stream_is_keywards_error() {
    let envelope = r#"data: {"event_id":"req-1","type":"upstream_timeout","is_bifrost_error":true,"status_code":504,"error":{"type":"upstream_error","code":"upstream_timeout","message":"Too slow","param":"","event_id":"req-1"},"extra_fields":{}}"#;
    for name in ["", "event: error\n"] {
        let error = error_after_one_chunk(&format!("{name}{envelope}\n\n")).await;
        let Error::Api(api) = &error else { panic!("{error:?}") };
        assert_eq!((api.code, api.status, api.source), (Some(ErrorCode::UpstreamTimeout), 504, ErrorSource::Keyward));
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_providers_error_inside_the_stream_keeps_its_message() {
    let bare = r#"data: {"error":{"message":"Overloaded","type":"overloaded_error"}}"#;
    let in_a_chunk = r#"data: {"id":"c","model":"m","choices":[],"error":{"message":"Overloaded"}}"#;
    let cut_off = format!("event: error\n{bare}");
    for event in [format!("{bare}\n\n"), format!("{in_a_chunk}\n\n"), cut_off] {
        let error = error_after_one_chunk(&event).await;
        let Error::Api(api) = &error else { panic!("{error:?}") };
        assert_eq!((api.message.as_str(), api.source), ("Overloaded", ErrorSource::Provider));
    }
}

#[tokio::test]
async fn an_event_named_error_is_one_whatever_it_says() {
    let error = error_after_one_chunk("event: error\ndata: out of order\n\n").await;
    assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
}

#[tokio::test]
async fn an_event_that_is_no_chunk_names_the_place() {
    let error = error_after_one_chunk("data: {\"id\":\"c\",\"model\":\"m\",\"choices\":7}\n\n").await;
    assert!(matches!(error, Error::Decode { status: 200, .. }), "{error:?}");
}

#[tokio::test]
async fn an_event_has_a_largest_size() {
    let error = error_after_one_chunk(&format!("data: {}", "x".repeat(64 * 1024 * 1024))).await;
    assert_eq!(error.to_string(), "an event is larger than 67108864 bytes");
}

#[tokio::test]
async fn an_error_answer_is_not_opened() {
    let body = r#"{"event_id":"r","error":{"code":"invalid_api_key","message":"Virtual key not found"}}"#;
    let server = Loopback::start([answer("401 Unauthorized", "", body)], Then::Close).await;
    let error = opened(&server).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(401), Some("invalid_api_key")));
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_not_opened() {
    let server = Loopback::answering("200 OK", "content-type: application/json\r\n", "{}").await;
    let error = opened(&server).await.unwrap_err();
    assert_eq!(error.to_string(), "the answer is no stream (application/json)");
}

#[tokio::test]
async fn the_request_id_is_at_hand() {
    let server = Loopback::start([HEAD, "data: [DONE]\n\n"], Then::Hang).await;
    let mut stream = opened(&server).await.unwrap();
    assert_eq!(stream.request_id(), Some("req-1"));
    assert!(stream.next().await.is_none(), "[DONE] ends it, not the connection");
}
