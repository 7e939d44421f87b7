//! Secrets: whatever happens to requests, none is in the log, in metrics, in what a collector gets, or in an error.

use serde_json::{Value, json};

use super::node::{Node, lines};
use crate::harness::{Absent, Collector, Scripted, Step};

const ANSWER: &str =
    r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;
const PROVIDER_KEY: &str = "fakeproviderkey0000";
const PROVIDER_HEADER: &str = "fakeproviderheader0000";
const COLLECTOR_HEADER: &str = "fakecollectortoken0000";
const IN_BODY: &str = "sk-fakebodykey00000000000000";
const IN_HEADER: &str = "fakeheadertoken0000";
const ADMIN_PASSWORD: &str = "fakeadminpassword0000";

fn asking(model: &str, stream: bool) -> Value {
    let content = format!("my key is {IN_BODY}, and {PROVIDER_KEY} is yours");
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": content }] })
}

async fn provider(node: &Node, name: &str, base_url: keyward_core::base_url::BaseUrl) {
    let network = serde_json::from_value(json!({ "extra_headers": { "x-extra": PROVIDER_HEADER } })).unwrap();
    node.provider(name, base_url, PROVIDER_KEY, network).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told_to_anybody() {
    let collector = Collector::start().await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let cut = format!("{head}data: {{\"choices\":[{{\"delta\":{{\"content\":\"{IN_BODY}\"}}}}]}}\n\n");
    let (good, bad, broken) = (
        Scripted::answering("200 OK", "application/json", ANSWER).await,
        Scripted::answering(
            "401 No",
            "application/json",
            &format!(r#"{{"error":{{"message":"bad {PROVIDER_KEY}"}}}}"#),
        )
        .await,
        Scripted::start(vec![Step::Send(cut.into_bytes())]).await,
    );
    let absent = Absent::reserve();
    let endpoint = collector.base_url();
    let node = Node::start(
        json!({ "content_logging": { "mode": "per_key" } }),
        &[
            ("KEYWARD_LOG", "debug"),
            ("KEYWARD_ADMIN_USERNAME", "admin"),
            ("KEYWARD_ADMIN_PASSWORD", ADMIN_PASSWORD),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_HEADERS", &format!("authorization=Bearer%20{COLLECTOR_HEADER}")),
        ],
    )
    .await
    .with_admin("admin", ADMIN_PASSWORD);
    for (name, base_url) in [
        ("openai", good.base_url()),
        ("groq", bad.base_url()),
        ("xai", absent.base_url()),
        ("mistral", broken.base_url()),
    ] {
        provider(&node, name, base_url).await;
    }
    let key = node.key(Some(false)).await;
    let secret = key.value.expose();
    let header = format!("Bearer {IN_HEADER}");
    let headers = [("cookie", IN_HEADER), ("x-other", IN_HEADER), ("proxy-authorization", header.as_str())];
    let mut told = Vec::new();
    for (model, stream) in [
        ("openai/gpt-4o-mini", false),
        ("xai/grok", false),
        ("mistral/m", true),
        (IN_BODY, false),
        (&format!("openai/{IN_BODY}"), false),
    ] {
        let (_, _, text) = node.send(secret, &asking(model, stream), &headers).await;
        // A client that sends a key as its model is told what it has sent, and gets what its provider streams.
        told.push(if model.contains(IN_BODY) || stream { String::new() } else { text });
    }
    // What a provider says of its key is the provider's own error, and passes through as it came; nothing else of it does.
    node.send(secret, &asking("groq/llama", false), &headers).await;
    node.send("sk-bf-fakestranger00000000000000", &asking("openai/gpt-4o-mini", false), &headers).await;
    told.push(node.metrics().await);
    let log = node.finished();
    assert!(lines(&log).iter().filter(|line| line["target"] == "keyward::content").count() >= 8, "{log:#?}");
    let exported = collector.told();
    assert!(exported.iter().all(|told| told.head.contains(COLLECTOR_HEADER)), "the collector is asked with it");
    told.extend(exported.iter().map(|told| String::from_utf8_lossy(&told.body).into_owned()));
    assert!(collector.spans().len() >= 10);
    told.extend(log);
    let secrets =
        [secret, PROVIDER_KEY, PROVIDER_HEADER, COLLECTOR_HEADER, IN_BODY, IN_HEADER, ADMIN_PASSWORD, "fakestranger"];
    for text in &told {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in\n{text}");
        }
    }
}
