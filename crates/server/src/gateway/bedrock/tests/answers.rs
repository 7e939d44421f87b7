//! Answers of Converse as chat completions, and failures in OpenAI's words.

use super::*;

fn translated(answer: Value) -> String {
    let completion = completion(answer.to_string().as_bytes(), &about()).unwrap();
    format!("{}\n\n{}", serde_json::to_string_pretty(&answer).unwrap(), pretty(&completion))
}

macro_rules! golden {
    ($($name:ident: $content:tt, $stop:literal, $usage:tt;)+) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(translated(json!({
                    "output": {"message": {"role": "assistant", "content": $content}},
                    "stopReason": $stop,
                    "usage": $usage,
                    "metrics": {"latencyMs": 7},
                })));
            }
        )+
    };
}

golden! {
    a_text: [{"text": "Hello"}, {"text": " there"}], "end_turn", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12};
    calls: [{"text": "One moment."}, {"toolUse": {"toolUseId": "call-1", "name": "now", "input": {"zone": "UTC"}}},
        {"toolUse": {"toolUseId": "call-2", "name": "now", "input": {}}}], "tool_use", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12};
    calls_alone: [{"toolUse": {"toolUseId": "call-1", "name": "now", "input": {}}}], "tool_use", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12};
    thoughts: [{"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "fake-signature"}}},
        {"reasoningContent": {"redactedContent": "ZmFrZQ=="}}, {"text": "Hello"}], "end_turn", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12};
    cached_input: [{"text": "Hello"}], "end_turn", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 142,
        "cacheReadInputTokens": 100, "cacheWriteInputTokens": 30};
    cached_input_by_how_long: [{"text": "Hello"}], "end_turn", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 42,
        "cacheReadInputTokens": 0, "cacheWriteInputTokens": 30, "cacheDetails": [{"ttl": "1h", "inputTokens": 20}, {"ttl": "5m", "inputTokens": 10}]};
    a_cap: [{"text": "Hel"}], "max_tokens", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12};
    a_guardrail: [{"text": "Sorry"}], "guardrail_intervened", {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12};
    a_reason_of_tomorrow: [], "malformed_tool_use", {"inputTokens": 10, "outputTokens": 0, "totalTokens": 10};
    citations: [{"citationsContent": {"content": [{"text": "It is so."}], "citations": [{"title": "a"}]}}], "end_turn",
        {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12};
}

#[test]
fn arguments_are_the_very_text_of_the_input() {
    let answer = r#"{"output":{"message":{"content":[{"toolUse":{"toolUseId":"1","name":"f","input":{"z":1.0,"a":12345678901234567890123}}}]}},"stopReason":"tool_use"}"#;
    let completion = String::from_utf8(completion(answer.as_bytes(), &about()).unwrap()).unwrap();
    assert!(completion.contains(r#""arguments":"{\"z\":1.0,\"a\":12345678901234567890123}""#), "{completion}");
    assert!(!completion.contains("usage"), "what is not told is counted");
}

#[test]
fn the_tier_that_served_is_told() {
    let answer =
        r#"{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"end_turn","serviceTier":{"type":"flex"}}"#;
    let completion: Value = serde_json::from_slice(&completion(answer.as_bytes(), &about()).unwrap()).unwrap();
    assert_eq!(completion["service_tier"], "flex");
}

#[test]
fn what_is_no_answer_is_not_taken_for_one() {
    for body in ["", "{}", "[]", r#"{"output":{},"stopReason":"end_turn"}"#] {
        assert!(completion(body.as_bytes(), &about()).is_err(), "{body}");
    }
}

#[test]
fn failures() {
    let cases = [
        (400, Some("ValidationException:http://internal.amazon.com/coral/"), r#"{"message":"The model is wrong."}"#),
        (403, Some("AccessDeniedException"), r#"{"Message":"You have no access to the model."}"#),
        (
            403,
            Some("InvalidSignatureException"),
            r#"{"message":"The Canonical String was x-amz-security-token:fake-session"}"#,
        ),
        (404, Some("ResourceNotFoundException"), r#"{"message":"No such model."}"#),
        (424, Some("ModelErrorException"), r#"{"message":"The model failed.","originalStatusCode":500}"#),
        (429, Some("ThrottlingException"), r#"{"message":"Too many requests."}"#),
        (500, None, "<html>"),
        (503, Some("ServiceUnavailableException"), r#"{"message":null}"#),
    ];
    let told: Vec<String> = cases
        .map(|(status, name, body)| {
            format!(
                "{status} {name:?} {body}\n{}",
                String::from_utf8(error_body(status, name, body.as_bytes())).unwrap()
            )
        })
        .to_vec();
    let told = told.join("\n\n");
    assert!(!told.lines().any(|line| line.starts_with('{') && line.contains("fake-session")));
    insta::assert_snapshot!(told);
}
