//! Servers that fall silent: before the head, inside a body, between two pieces of a stream.

use std::time::Duration;

use keyward_client::{ChatCompletionRequest, Error, StreamExt};

use crate::loopback::{Loopback, Then};

const BRIEF: Duration = Duration::from_millis(50);
/// Enough for what is there already to arrive on a busy machine.
const AMPLE: Duration = Duration::from_secs(2);

fn is_timeout(error: &Error) -> bool {
    matches!(error, Error::Timeout { .. }) && error.is_retryable() && error.status().is_none()
}

#[tokio::test]
async fn a_head_that_does_not_come() {
    let server = Loopback::start([""], Then::Hang).await;
    let client = server.builder().timeout(BRIEF).build().unwrap();
    let error = client.provider_list().await.unwrap_err();
    assert!(is_timeout(&error), "{error:?}");
    let error = client.chat_completion_stream(&ChatCompletionRequest::default()).await.unwrap_err();
    assert!(is_timeout(&error), "{error:?}");
}

#[tokio::test]
async fn a_body_that_does_not_end() {
    for status in ["200 OK", "503 Service Unavailable"] {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 100\r\n\r\n{{");
        let server = Loopback::start([head], Then::Hang).await;
        let client = server.builder().timeout(BRIEF).build().unwrap();
        let error = client.provider_list().await.unwrap_err();
        assert!(is_timeout(&error), "{error:?}");
    }
}

#[tokio::test]
async fn a_piece_that_does_not_come() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let piece = "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[]}\n\ndata: ";
    let server = Loopback::start([head, piece], Then::Hang).await;
    let client = server.builder().timeout(AMPLE).build().unwrap();
    let mut stream = client.chat_completion_stream(&ChatCompletionRequest::default()).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(is_timeout(&error), "{error:?}");
    assert!(stream.next().await.is_none());
}
