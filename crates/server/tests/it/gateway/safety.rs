//! Safety: what is meant to confuse two readers of one request, or to fill one's memory, reaches no provider.

use keyward_client::VirtualKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway::with_budget;
use crate::harness::{App, Scripted, Step};

const BODY: &str = r#"{"model":"openai/gpt-4o-mini","max_tokens":5,"messages":[]}"#;
const ANSWER: &str =
    r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;

struct Stage {
    app: App,
    upstream: Scripted,
    key: VirtualKey,
}

async fn stage(upstream: Scripted) -> Stage {
    let app = App::start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    Stage { app, upstream, key }
}

impl Stage {
    /// Sends bytes as they are, and returns the answer's head.
    async fn sent(&self, headers: &str, body: &str) -> String {
        let address = self.app.url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        let key = self.key.value.expose();
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-bf-vk: {key}\r\n{headers}\r\n{body}"
        );
        // The server may hang up before it has read everything.
        let _ = connection.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_two_lengths_is_refused() {
    let stage = stage(Scripted::answering("200 OK", "application/json", ANSWER).await).await;
    let chunked = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    for (headers, body) in [
        (format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", BODY.len()), chunked.as_str()),
        (format!("content-length: {}\r\ncontent-length: 5\r\n", BODY.len()), BODY),
        (format!("content-length: +{}\r\n", BODY.len()), BODY),
        ("transfer-encoding: chunked, identity\r\n".to_owned(), chunked.as_str()),
    ] {
        let answer = stage.sent(&headers, body).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.is_empty(), "{headers}: {answer}");
    }
    assert!(stage.upstream.requests().is_empty());
}

/// What one hop says to the next is not said to the one after it.
#[tokio::test(flavor = "multi_thread")]
async fn headers_of_one_hop_stay_there() {
    let stage = stage(Scripted::answering("200 OK", "application/json", ANSWER).await).await;
    let headers = format!(
        "content-length: {}\r\nconnection: x-mine, keep-alive\r\nx-mine: a\r\nte: trailers\r\n\
         proxy-authorization: Basic a\r\nx-forwarded-for: 1.2.3.4\r\nx-forwarded-host: evil\r\nx-http-method-override: GET\r\n",
        BODY.len()
    );
    let answer = stage.sent(&headers, BODY).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let request = &stage.upstream.requests()[0];
    for name in ["x-mine", "te:", "proxy-authorization", "x-forwarded", "override"] {
        assert!(!request.to_lowercase().contains(name), "{name}: {request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end_are_cut_off() {
    let stage = stage(Scripted::answering("200 OK", "application/json", ANSWER).await).await;
    let long = format!("x-long: {}\r\ncontent-length: {}\r\n", "a".repeat(1024 * 1024), BODY.len());
    let many = (0..1_000).map(|index| format!("x-{index}: a\r\n")).collect::<String>();
    for headers in [long, format!("{many}content-length: {}\r\n", BODY.len())] {
        let answer = stage.sent(&headers, BODY).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(stage.upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_grow_are_not_read() {
    let stage = stage(Scripted::answering("200 OK", "application/json", ANSWER).await).await;
    let headers = format!("content-length: {}\r\ncontent-encoding: gzip\r\n", BODY.len());
    assert!(stage.sent(&headers, BODY).await.starts_with("HTTP/1.1 400"));
    assert!(stage.upstream.requests().is_empty());
}

/// An answer that is compressed though nobody asked for that could be of any size, and its usage cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_grow_are_not_passed_on() {
    let packed = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\nconnection: close\r\n\r\n\u{1f}abc";
    let stage = stage(Scripted::start(vec![Step::Send(packed.as_bytes().to_vec())]).await).await;
    let answer = stage.sent(&format!("content-length: {}\r\n", BODY.len()), BODY).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    // The provider may have billed it: the hold is charged.
    let usage = stage.app.caller(&stage.key).virtual_key_quota().await.unwrap().budgets[0].current_usage;
    assert!(usage.nanos() > 0);
}

/// A stranger with a small body costs no connection each; what is large is not read.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_outlasts_a_small_request_of_a_stranger_and_no_large_one() {
    let app = App::start().await;
    for (body, outlasts) in [(BODY.to_owned(), true), ("a".repeat(1024 * 1024), false)] {
        let address = app.url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: keyward\r\nauthorization: Bearer sk-bf-nobody\r\ncontent-length: {}\r\n",
            body.len()
        );
        let request = |more: &str| format!("{head}{more}\r\n{body}").into_bytes();
        let twice = [request(""), request("connection: close\r\n")].concat();
        // A server that does not read on may close the connection while it is written to.
        let _ = connection.write_all(&twice).await;
        let mut answers = Vec::new();
        let _ = connection.read_to_end(&mut answers).await;
        let answers = String::from_utf8(answers).unwrap();
        let count = answers.matches("HTTP/1.1 401").count();
        assert_eq!(count == 2, outlasts, "{answers}");
    }
}

/// Large bodies share a bound: whoever comes when it is taken is told so, and comes through once there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_wait_for_their_place_in_memory() {
    const ALL: usize = 1024 * 1024 * 1024;
    let answering = Scripted::answering("200 OK", "application/json", ANSWER).await;
    let app = App::builder().settings(|settings| settings.max_gateway_body_bytes = ALL).start().await;
    app.provider("openai", answering.base_url()).await;
    let stage = Stage { key: app.key(with_budget("1")).await, app, upstream: answering };
    let address = stage.app.url.strip_prefix("http://").unwrap();
    let mut first = TcpStream::connect(address).await.unwrap();
    let key = stage.key.value.expose();
    let head =
        format!("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx-bf-vk: {key}\r\ncontent-length: {ALL}\r\n\r\n");
    first.write_all(head.as_bytes()).await.unwrap();
    let large =
        format!(r#"{{"model":"openai/gpt-4o-mini","max_tokens":5,"messages":[],"user":"{}"}}"#, "x".repeat(2 << 20));
    let length = format!("content-length: {}\r\n", large.len());
    // The first one may still be on its way to its place.
    let mut refused = stage.sent(&length, &large).await;
    while refused.starts_with("HTTP/1.1 200") {
        refused = stage.sent(&length, &large).await;
    }
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("governance_unavailable"), "{refused}");
    let small = stage.sent(&format!("content-length: {}\r\n", BODY.len()), BODY).await;
    assert!(small.starts_with("HTTP/1.1 200"), "small ones need no place: {small}");
    drop(first);
    let admitted = stage.sent(&length, &large).await;
    assert!(admitted.starts_with("HTTP/1.1 200"), "{admitted}");
}
