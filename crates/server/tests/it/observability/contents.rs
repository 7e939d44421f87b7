//! Contents in the log: off by default, on where a key wants it, cut and redacted.

use keyward_client::NetworkConfigInput;
use serde_json::{Value, json};

use super::node::{Node, lines};
use crate::harness::{Scripted, Step};

const ANSWER: &str = r#"{"id":"a","model":"m","choices":[{"message":{"content":"the answer"}}],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;
const EVENTS: &str = "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"content\":\"streamed\"}}]}\n\n\
                      data: {\"id\":\"a\",\"choices\":[],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":1,\"total_tokens\":3}}\n\n\
                      data: [DONE]\n\n";

fn asking(provider: &str, content: &str, stream: bool) -> Value {
    json!({
        "model": format!("{provider}/gpt-4o-mini"), "stream": stream,
        "messages": [{ "role": "user", "content": content }],
    })
}

/// What was logged of contents: part, virtual key, body.
fn contents(log: &[String]) -> Vec<(String, String, String)> {
    let lines = lines(log);
    let own = lines.iter().filter(|line| line["target"] == "keyward::content");
    own.map(|line| {
        let text = |name: &str| line["fields"][name].as_str().unwrap().to_owned();
        (text("part"), text("virtual_key_id"), text("body"))
    })
    .collect()
}

async fn node(server: Value) -> (Node, [Scripted; 2]) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let whole = Scripted::answering("200 OK", "application/json", ANSWER).await;
    let stream = Scripted::start(vec![Step::Send(format!("{head}{EVENTS}").into_bytes())]).await;
    let node = Node::start(server, &[]).await;
    node.provider("openai", whole.base_url(), "plain-words-that-are-a-key", NetworkConfigInput::default()).await;
    node.provider("groq", stream.base_url(), "fake-secret-of-groq", NetworkConfigInput::default()).await;
    (node, [whole, stream])
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_are_not_logged_unless_the_server_and_the_key_want_it() {
    for (server, wish) in [
        (json!({}), Some(false)),
        (json!({ "content_logging": { "mode": "off" } }), Some(false)),
        (json!({ "content_logging": { "mode": "per_key" } }), None),
        (json!({ "content_logging": { "mode": "per_key" } }), Some(true)),
    ] {
        let (node, _upstreams) = node(server.clone()).await;
        let key = node.key(wish).await;
        let (status, ..) = node.send(key.value.expose(), &asking("openai", "a question", false), &[]).await;
        assert_eq!(status, 200);
        let log = node.finished();
        assert!(contents(&log).is_empty() && log.iter().all(|line| !line.contains("a question")), "{server}: {log:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_sends_and_gets_is_logged_redacted_and_cut() {
    let (node, _upstreams) = node(json!({ "content_logging": { "mode": "per_key", "max_body_bytes": 400 } })).await;
    let (key, other) = (node.key(Some(false)).await, node.key(None).await);
    let secret = key.value.expose();
    let image = format!("data:image/png;base64,{}", "iVBORw0KGgo".repeat(2_000));
    let question = format!("use {secret} and plain-words-that-are-a-key, see {image}");
    node.send(secret, &asking("openai", &question, false), &[("authorization", "Bearer fake-header-token")]).await;
    node.send(secret, &asking("groq", &"long ".repeat(200), true), &[]).await;
    node.send(other.value.expose(), &asking("openai", "of another key", false), &[]).await;
    let log = node.finished();
    let contents = contents(&log);
    let [asked, answered, asked_long, streamed] = contents.as_slice() else { panic!("{contents:#?}") };
    let own = key.id.to_string();
    assert!(contents.iter().all(|(_, id, _)| *id == own));
    assert_eq!(
        [asked, answered, asked_long, streamed].map(|(part, ..)| part.as_str()),
        ["request", "answer", "request", "answer"]
    );
    let (.., body) = asked;
    assert!(
        body.contains("use [redacted] and [redacted], see data:image/png;base64,[22000 characters of base64]"),
        "{body}"
    );
    assert_eq!(answered.2, ANSWER);
    assert!(asked_long.2.contains("long long") && asked_long.2.contains("… [cut: the whole has "), "{}", asked_long.2);
    assert!(asked_long.2.len() < 460, "{}", asked_long.2);
    assert!(streamed.2.starts_with("data: {\"id\":\"a\"") && streamed.2.contains("streamed"), "{}", streamed.2);
    let text = log.concat();
    assert!(!text.contains(secret) && !text.contains("fake-header-token") && !text.contains("plain-words-that"));
}
