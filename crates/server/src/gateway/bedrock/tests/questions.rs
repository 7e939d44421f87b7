//! Requests of chat completions as requests of Converse.

use super::*;

/// The question and what becomes of it.
fn translated(model: &str, question: Value) -> String {
    let converse = request(question.to_string().as_bytes(), model).unwrap();
    format!("{model}\n{}\n\n{}", serde_json::to_string_pretty(&question).unwrap(), pretty(&converse))
}

macro_rules! golden {
    ($($name:ident: $model:expr, $question:tt;)+) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(translated($model, json!($question)));
            }
        )+
    };
}

const NOVA: &str = "amazon.nova-2-lite-v1:0";

golden! {
    a_text: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": true, "stream_options": {"include_usage": true}};
    what_the_system_says_stands_apart: CLAUDE, {"model": "m", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": "Hi"},
    ]};
    messages_of_one_speaker_are_one_turn: CLAUDE, {"model": "m", "messages": [
        {"role": "user", "content": "One"},
        {"role": "user", "content": [{"type": "text", "text": "Two"}, {"type": "text", "text": "Three"}]},
        {"role": "assistant", "content": "Four"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
        {"role": "user", "content": "Five"},
    ]};
    an_image_comes_along_as_data: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "data:IMAGE/JPEG;base64,/9j/"}},
    ]}]};
    a_document_comes_along_as_data: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": [
        {"type": "file", "file": {"filename": "a report.v1.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "file", "file": {"file_data": "data:text/plain;charset=utf-8;base64,SGk="}},
    ]}]};
    tools_are_offered: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "parallel_tool_calls": true, "tools": [
        {"type": "function", "function": {"name": "weather", "description": "Tells it.", "strict": true,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
        {"type": "function", "function": {"name": "now"}},
    ]};
    any_tool_is_to_be_called: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tool_choice": "required",
        "tools": [{"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}]};
    one_tool_is_to_be_called: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}],
        "tool_choice": {"type": "function", "function": {"name": "now"}},
        "tools": [{"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}]};
    no_tool_is_to_be_called: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tool_choice": "none",
        "tools": [{"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}]};
    calls_and_their_results: CLAUDE, {"model": "m", "tools": [{"type": "function", "function": {"name": "now"}}], "messages": [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "", "refusal": null, "annotations": [], "function_call": null, "tool_calls": [
            {"id": "call-1", "type": "function", "function": {"name": "now", "arguments": "{\"zone\": \"UTC\"}"}},
            {"id": "call-2", "type": "function", "function": {"name": "now", "arguments": ""}},
        ]},
        {"role": "tool", "tool_call_id": "call-1", "content": "noon"},
        {"role": "tool", "tool_call_id": "call-2", "content": [{"type": "text", "text": "midnight"}]},
        {"role": "user", "content": "Thanks"},
    ]};
    sampling_and_the_end: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.70, "top_p": 1,
        "top_k": 40, "stop": "END", "max_completion_tokens": 200, "n": 1, "logprobs": false, "presence_penalty": 0,
        "frequency_penalty": 0.0, "store": false, "modalities": ["text"], "seed": null, "logit_bias": null};
    of_two_caps_the_smaller_holds: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 10,
        "max_completion_tokens": 20, "stop": ["A", "B"]};
    claude_thinks_within_a_budget: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "reasoning_effort": "medium"};
    claude_keeps_half_of_the_cap_for_the_answer: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}],
        "reasoning_effort": "high", "max_tokens": 4000};
    claude_gets_its_thoughts_back: CLAUDE, {"model": "m", "thinking": {"type": "enabled", "budget_tokens": 2000}, "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello", "reasoning_content": "Hm.", "thinking_blocks": [
            {"type": "thinking", "thinking": "Hm.", "signature": "fake-signature"},
            {"type": "redacted_thinking", "data": "ZmFrZQ=="},
        ]},
        {"role": "user", "content": "And?"},
    ]};
    open_models_of_openai_take_the_effort: "openai.gpt-oss-120b-1:0", {"model": "m", "messages": [{"role": "user", "content": "Hi"}],
        "reasoning_effort": "low"};
    nova_takes_the_effort: NOVA, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "reasoning_effort": "high"};
    no_effort_is_nothing_to_say: NOVA, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "reasoning_effort": "none"};
    a_schema_binds_the_answer: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "response_format": {
        "type": "json_schema", "json_schema": {"name": "city", "description": "One.", "strict": true,
            "schema": {"type": "object", "properties": {"name": {"type": "string"}}}}}};
    what_stands_before_a_point_is_cached: CLAUDE, {"model": "m",
        "tools": [{"type": "function", "function": {"name": "now"}, "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "!"}]},
        ]};
    metadata_and_the_tier: CLAUDE, {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "metadata": {"team": "a"},
        "user": "u-1", "service_tier": "flex"};
}

#[test]
fn a_schema_keeps_the_order_of_its_members() {
    let question = r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"a":{"y":2,"b":3}}}}],
        "response_format":{"type":"json_schema","json_schema":{"schema":{"z":1,"a":2}}}}"#;
    let converse = String::from_utf8(request(question.as_bytes(), CLAUDE).unwrap()).unwrap();
    assert!(converse.contains(r#""inputSchema":{"json":{"z":1,"a":{"y":2,"b":3}}}"#), "{converse}");
    assert!(converse.contains(r#""schema":"{\"z\":1,\"a\":2}""#), "{converse}");
}
