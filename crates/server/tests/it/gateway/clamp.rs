//! What does not fit as it is: the input is counted, and then the output is capped to what the budget can pay.

use serde_json::{Value, json};

use crate::gateway::with_budget;
use crate::harness::{App, Reply, Scripted};

const ANSWER: &str =
    r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#;

/// Calls `model` of the provider with so much to spend: the answer, and the body that the provider got, if it got one.
async fn call(provider: &str, model: &str, dollars: &str, members: &Value) -> (Reply, Option<Value>) {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", ANSWER).await;
    app.provider(provider, upstream.base_url()).await;
    let key = app.key(with_budget(dollars)).await;
    let mut body = json!({"model": format!("{provider}/{model}")});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    let reply = raw.body(body.to_string()).send().await;
    let sent = upstream.requests().first().map(|request| request.split_once("\r\n\r\n").unwrap().1.to_owned());
    (reply, sent.map(|sent| serde_json::from_str(&sent).unwrap()))
}

fn words(count: usize) -> Value {
    json!([{"role": "user", "content": "governance ".repeat(count)}])
}

/// $0.15 and $0.60 for a million tokens in and out: $0.001 pays for 1,666 tokens of output at most, of the model's 16,384.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_cap_gets_the_largest_that_the_budget_can_pay() {
    let (reply, sent) = call("openai", "gpt-4o-mini", "0.001", &json!({"messages": words(1)})).await;
    assert_eq!(reply.status, 200);
    let cap = sent.unwrap()["max_completion_tokens"].as_u64().unwrap();
    assert!((1_600..1_666).contains(&cap), "{cap}");
    assert_eq!(reply.header("x-keyward-output-cap"), cap.to_string());

    let (reply, sent) = call("openai", "gpt-4o-mini", "1", &json!({"messages": words(1)})).await;
    let sent = sent.unwrap();
    assert!(sent.get("max_completion_tokens").is_none(), "what fits is left as it is");
    assert_eq!((reply.status, reply.header("x-keyward-output-cap")), (200, ""));

    // Less than 16 tokens of output.
    let (reply, sent) = call("openai", "gpt-4o-mini", "0.00001", &json!({"messages": words(1)})).await;
    assert_eq!((reply.status, sent), (402, None));
}

/// 11,000 bytes are some 1,000 tokens: $0.0016 by the bytes, and less than $0.0002 when they are counted.
#[tokio::test(flavor = "multi_thread")]
async fn input_is_counted_when_its_bytes_do_not_fit() {
    let request = json!({"messages": words(1_000), "max_completion_tokens": 100});
    let (reply, sent) = call("openai", "gpt-4o-mini", "0.001", &request).await;
    assert_eq!((reply.status, reply.header("x-keyward-output-cap")), (200, ""));
    assert_eq!(sent.unwrap()["max_completion_tokens"], 100);
    // The tokenizer of others is not known.
    let (reply, sent) = call("mistral", "mistral-nemo", "0.001", &request).await;
    assert_eq!((reply.status, sent), (402, None));
}
