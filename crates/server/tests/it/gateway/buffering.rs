//! Buffering: nothing is. A provider that says nothing more until its last piece has reached the client is not stuck.

use futures_util::StreamExt;
use keyward_core::base_url::BaseUrl;

use crate::gateway::with_budget;
use crate::harness::{App, Scripted, Step};

const PIECES: usize = 100;

/// A provider that waits before each piece, and ends its stream with `end`.
async fn hesitating(content_type: &str, pieces: impl Fn(usize) -> String, end: &str) -> Scripted {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n");
    let mut script = vec![Step::Send(head.into_bytes())];
    for index in 0..PIECES {
        script.extend([Step::Wait, Step::Send(pieces(index).into_bytes())]);
    }
    script.extend([Step::Wait, Step::Send(end.as_bytes().to_vec())]);
    Scripted::start(script).await
}

/// Asks for a stream, and lets the provider send a piece only when the one before has arrived.
async fn arrives_piece_by_piece(
    provider: &str,
    upstream: &Scripted,
    path: &str,
    body: &str,
    expected: impl Fn(usize) -> String,
) {
    let app = App::start().await;
    let base_url: BaseUrl = upstream.base_url();
    app.provider(provider, base_url).await;
    let key = app.key(with_budget("1")).await;
    let request = app.raw("POST", path).header("x-bf-vk", key.value.expose()).body(body.to_owned());
    let mut answer = std::pin::pin!(request.streamed().await);
    let mut arrived = Vec::new();
    for index in 0..PIECES {
        upstream.go_on();
        let piece = expected(index);
        while arrived.len() < piece.len() {
            arrived.extend_from_slice(&answer.next().await.unwrap());
        }
        assert_eq!(String::from_utf8(std::mem::take(&mut arrived)).unwrap(), piece);
    }
    upstream.go_on();
    while answer.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_before_the_next_one_is_sent() {
    let chunk = |index: usize| {
        format!("data: {{\"id\":\"a\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{index}\"}}}}]}}\n\n")
    };
    let upstream = hesitating("text/event-stream", chunk, "data: [DONE]\n\n").await;
    let body = r#"{"model":"openai/gpt-4o-mini","stream":true,"messages":[]}"#;
    arrives_piece_by_piece("openai", &upstream, "/v1/chat/completions", body, chunk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_element_of_an_array_arrives_before_the_next_one_is_sent() {
    let element = |index: usize| {
        let before = if index == 0 { "[" } else { "\n,\r\n" };
        format!("{before}{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"}}{index}\"}}]}}}}]}}")
    };
    let upstream = hesitating("application/json; charset=UTF-8", element, "\n]").await;
    let path = "/genai/v1beta/models/gemini-2.5-flash:streamGenerateContent";
    arrives_piece_by_piece("gemini", &upstream, path, r#"{"contents":[]}"#, element).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_arrives_as_it_comes() {
    let app_sound = |index: usize| format!("\u{1}sound{index}");
    let upstream = hesitating("audio/mpeg", app_sound, "end").await;
    let body = r#"{"model":"openai/tts-1","input":"a","voice":"alloy"}"#;
    let app = App::start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(Default::default()).await;
    let request = app.raw("POST", "/v1/audio/speech").header("x-bf-vk", key.value.expose()).body(body);
    let mut answer = std::pin::pin!(request.streamed().await);
    for index in 0..PIECES {
        upstream.go_on();
        assert_eq!(answer.next().await.unwrap(), app_sound(index).as_bytes());
    }
    upstream.go_on();
    assert_eq!(answer.next().await.unwrap(), &b"end"[..]);
    assert!(answer.next().await.is_none());
}
