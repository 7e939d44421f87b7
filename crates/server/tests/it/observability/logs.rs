//! The log: JSON, one line for each request that was refused or failed, and none for one that was served.

use keyward_client::NetworkConfigInput;
use serde_json::{Value, json};

use super::node::{Node, lines};
use crate::harness::{Absent, Scripted};

const ANSWER: &str =
    r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;

fn asking(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "words of a client" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_or_fails_has_one_line_and_one_that_is_served_none() {
    let (good, bad) = (
        Scripted::answering("200 OK", "application/json", ANSWER).await,
        Scripted::answering("400 No", "application/json", r#"{"error":{"message":"words of a provider"}}"#).await,
    );
    let absent = Absent::reserve();
    let node = Node::start(json!({}), &[("KEYWARD_LOG", "info,keyward::refusals=debug")]).await;
    for (name, base_url) in [("openai", good.base_url()), ("groq", bad.base_url()), ("xai", absent.base_url())] {
        node.provider(name, base_url, "fake-secret-of-a-provider", NetworkConfigInput::default()).await;
    }
    let key = node.key(None).await;
    let secret = key.value.expose();
    let (_, served, _) = node.send(secret, &asking("openai/gpt-4o-mini"), &[]).await;
    let (_, refused, _) = node.send(secret, &asking("words-of-a-client"), &[]).await;
    let (_, unknown, _) = node.send("sk-bf-words-of-a-client", &asking("openai/gpt-4o-mini"), &[]).await;
    let (_, of_provider, _) = node.send(secret, &asking("groq/llama"), &[]).await;
    let (_, unreachable, _) = node.send(secret, &asking("xai/grok"), &[]).await;
    let log = node.finished();
    assert!(log.iter().all(|line| !line.contains("words")), "{log:#?}");
    let lines = lines(&log);
    let of = |id: &str| {
        let own: Vec<&Value> = lines.iter().filter(|line| line["fields"]["request_id"] == id).collect();
        assert!(own.len() < 2, "{own:#?}");
        own.first().map(|line| {
            let fields = &line["fields"];
            let text = |name: &str| fields[name].as_str().map(str::to_owned);
            let level = line["level"].as_str().unwrap().to_owned();
            (level, fields["status"].as_u64().unwrap(), text("code"), text("virtual_key_id"), text("provider"))
        })
    };
    let (own, text) = (Some(key.id.to_string()), |text: &str| Some(text.to_owned()));
    assert_eq!(of(&served), None);
    assert_eq!(of(&refused), Some(("DEBUG".into(), 400, text("invalid_request"), own.clone(), None)));
    assert_eq!(of(&unknown), Some(("DEBUG".into(), 401, text("invalid_api_key"), None, None)));
    assert_eq!(of(&of_provider), Some(("INFO".into(), 400, None, own.clone(), text("groq"))));
    assert_eq!(of(&unreachable), Some(("WARN".into(), 502, text("upstream_unreachable"), own, text("xai"))));
}
