//! Faithfulness: what reaches the provider is the client's request with three things changed, and the answer is the provider's.

use crate::gateway::with_budget;
use crate::harness::{App, Scripted, Step};

const ANSWER: &str = "{ \"id\":\"a\", \"model\":\"gpt-4o-mini\",\"choices\":[] ,\n\"x\":1.0e0, \"usage\":{\"prompt_tokens\":2,\"completion_tokens\":1,\"total_tokens\":3}}";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_every_byte_but_the_models_name() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", ANSWER).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let body = |model: &str| {
        format!(
            "{{ \"messages\" : [ {{\"role\":\"user\", \"content\":\"\\u00e9\\ud83d\\ude00\"}} ],\n \"model\":  \"{model}\", \"temperature\":1.0e0,\"max_tokens\":5, \"zzz\":[ ]}}"
        )
    };
    let reply = app
        .raw("POST", "/v1/chat/completions")
        .header("x-api-key", key.value.expose())
        .header("user-agent", "test-agent")
        .header("x-secret-of-mine", "stays")
        .header("cookie", "stays=too")
        .body(body("openai/gpt-4o-mini"))
        .send()
        .await;
    assert_eq!(reply.body, ANSWER.as_bytes());
    let requests = upstream.requests();
    let (head, sent) = requests[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(sent, body("gpt-4o-mini"));
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    assert!(head.contains("authorization: Bearer fake-provider-secret"));
    assert!(head.contains("user-agent: test-agent"));
    assert!(!head.contains("sk-bf-") && !head.contains("stays"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_account_is_not_mistaken_for_ours() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", ANSWER).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let body = r#"{"model":"openai/gpt-4o-mini","messages":[]}"#;
    let reply = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose()).body(body).send().await;
    assert_ne!(reply.header("x-request-id"), "provider-side");
    assert_eq!(reply.header("x-upstream-request-id"), "provider-side");
    assert_eq!(reply.header("x-upstream-ratelimit-remaining-requests"), "7");
    assert_eq!((reply.header("x-ratelimit-remaining-requests"), reply.header("set-cookie")), ("", ""));
}

/// Usage is asked for on the client's behalf, and the event that tells it is not the client's.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_relayed_as_it_came_without_the_usage_nobody_asked_for() {
    let pieces = [
        ": keep-alive\n\n",
        "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\\u0069\"}}],\"usage\":null}\r\n\r\n",
        "event: odd\ndata: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    ];
    let usage = "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":1000,\"total_tokens\":2000}}\n\n";
    let done = "data: [DONE]\n\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let script = [head, &pieces.concat(), usage, done].map(|text| Step::Send(text.as_bytes().to_vec())).to_vec();
    let upstream = Scripted::start(script).await;
    let app = App::start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    for (asks, expected) in [(false, pieces.concat() + done), (true, pieces.concat() + usage + done)] {
        let options = if asks { r#","stream_options":{"include_usage":true}"# } else { "" };
        let body = format!(r#"{{"model":"openai/gpt-4o-mini","stream":true,"messages":[]{options}}}"#);
        let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
        let reply = raw.body(body).send().await;
        assert_eq!(String::from_utf8(reply.body).unwrap(), expected);
    }
    assert!(upstream.requests().iter().all(|request| request.contains("\"include_usage\":true")));
    // Twice 1,000 tokens in at $0.15 and 1,000 out at $0.60 for a million.
    let usage = app.caller(&key).virtual_key_quota().await.unwrap().budgets[0].current_usage;
    assert_eq!(usage.to_string(), "0.0015");
}
