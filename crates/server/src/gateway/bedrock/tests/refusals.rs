//! What Converse cannot do is refused, and named.

use actix_web::ResponseError;

use super::*;

/// A request with these members besides a message.
fn with(members: Value) -> Value {
    let mut question = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    question.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    question
}

fn saying(message: Value) -> Value {
    json!({"model": "m", "messages": [message]})
}

fn showing(part: Value) -> Value {
    saying(json!({"role": "user", "content": [part]}))
}

#[track_caller]
fn refused(question: &Value) -> (ErrorCode, String, String) {
    let error =
        request(question.to_string().as_bytes(), "meta.llama3-70b-instruct-v1:0").expect_err(&question.to_string());
    assert_eq!(error.status_code(), 400);
    let code = error.code();
    let detail = error.body("").error;
    (code, detail.param, detail.message)
}

#[test]
fn options_that_have_no_counterpart() {
    for (members, at) in [
        (json!({"seed": 1}), "/seed"),
        (json!({"logit_bias": {"1": 2}}), "/logit_bias"),
        (json!({"audio": {}}), "/audio"),
        (json!({"functions": []}), "/functions"),
        (json!({"function_call": "auto"}), "/function_call"),
        (json!({"prediction": {}}), "/prediction"),
        (json!({"top_logprobs": 2}), "/top_logprobs"),
        (json!({"verbosity": "low"}), "/verbosity"),
        (json!({"web_search_options": {}}), "/web_search_options"),
        (json!({"prompt_cache_key": "a"}), "/prompt_cache_key"),
        (json!({"n": 2}), "/n"),
        (json!({"logprobs": true}), "/logprobs"),
        (json!({"frequency_penalty": 0.5}), "/frequency_penalty"),
        (json!({"presence_penalty": -1}), "/presence_penalty"),
        (json!({"parallel_tool_calls": false}), "/parallel_tool_calls"),
        (json!({"store": true}), "/store"),
        (json!({"modalities": ["text", "audio"]}), "/modalities"),
        (json!({"top_k": 5}), "/top_k"),
        (json!({"thinking": {"type": "enabled"}}), "/thinking"),
        (json!({"reasoning_effort": "low"}), "/reasoning_effort"),
        (json!({"service_tier": "scale"}), "/service_tier"),
        (json!({"response_format": {"type": "json_object"}}), "/response_format/type"),
        (json!({"response_format": {"type": "json_schema"}}), "/response_format/json_schema/schema"),
        (json!({"metadata": {"user": "a"}, "user": "b"}), "/user"),
        (json!({"max_tokens": -1}), "/max_tokens"),
        (json!({"tools": [{"type": "custom", "custom": {}}]}), "/tools/0/custom"),
        (json!({"tools": [{"type": "web_search"}]}), "/tools/0/type"),
        (
            json!({"tools": [{"type": "function", "function": {"name": "a", "parameters": []}}]}),
            "/tools/0/function/parameters",
        ),
        (json!({"tool_choice": "required"}), "/tool_choice"),
        (json!({"tool_choice": {"type": "allowed_tools"}}), "/tool_choice"),
        (json!({"extra_body": {}}), "/extra_body"),
    ] {
        let (_, param, message) = refused(&with(members));
        assert_eq!(param, at, "{message}");
    }
}

#[test]
fn messages_that_have_no_counterpart() {
    for (question, at) in [
        (saying(json!({"role": "function", "content": "a"})), "/messages/0/role"),
        (saying(json!({"role": "user", "content": "a", "name": "b"})), "/messages/0/name"),
        (saying(json!({"role": "user"})), "/messages/0/content"),
        (saying(json!({"role": "user", "content": "a", "tool_calls": []})), "/messages/0/tool_calls"),
        (saying(json!({"role": "assistant", "content": ""})), "/messages/0/content"),
        (saying(json!({"role": "assistant", "content": "a", "audio": {"id": "b"}})), "/messages/0/audio"),
        (saying(json!({"role": "tool", "content": "a"})), "/messages/0/tool_call_id"),
        (
            saying(
                json!({"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "b", "arguments": "[]"}}]}),
            ),
            "/messages/0/tool_calls/0/function/arguments",
        ),
        (
            saying(json!({"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]})),
            "/messages/0/tool_calls/0/type",
        ),
        (
            saying(json!({"role": "system", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]})),
            "/messages",
        ),
    ] {
        let (_, param, message) = refused(&question);
        assert_eq!(param, at, "{message}");
    }
}

#[test]
fn content_that_has_no_counterpart() {
    let image = |url: &str| showing(json!({"type": "image_url", "image_url": {"url": url}}));
    let file = |data: &str| showing(json!({"type": "file", "file": {"file_data": data}}));
    for (question, at) in [
        (image("https://example.com/a.png"), "/messages/0/content/0/image_url/url"),
        (image("data:image/tiff;base64,AA=="), "/messages/0/content/0/image_url/url"),
        (image("data:image/png,AA"), "/messages/0/content/0/image_url/url"),
        (image("data:image/png;base64,"), "/messages/0/content/0/image_url/url"),
        (file("data:application/zip;base64,AA=="), "/messages/0/content/0/file/file_data"),
        (file("https://example.com/a.pdf"), "/messages/0/content/0/file/file_data"),
        (showing(json!({"type": "file", "file": {"file_id": "a"}})), "/messages/0/content/0/file/file_id"),
        (showing(json!({"type": "input_audio", "input_audio": {}})), "/messages/0/content/0/input_audio"),
        (showing(json!({"type": "video_url", "text": "a"})), "/messages/0/content/0/type"),
        (showing(json!({"type": "text"})), "/messages/0/content/0/text"),
        (showing(json!({"type": "text", "text": "a", "annotations": []})), "/messages/0/content/0/annotations"),
    ] {
        let (_, param, message) = refused(&question);
        assert_eq!(param, at, "{message}");
    }
}

#[test]
fn a_remote_image_is_told_how_to_come() {
    let (code, _, message) =
        refused(&showing(json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})));
    assert_eq!(code, ErrorCode::InvalidRequest);
    assert_eq!(message, "Bedrock takes images as data only: send a data URL with base64 in it");
}

#[test]
fn calls_cannot_be_forbidden_once_some_were_made() {
    let question = json!({"model": "m", "tool_choice": "none", "tools": [{"type": "function", "function": {"name": "a"}}], "messages": [
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "a", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "b"},
    ]});
    assert_eq!(refused(&question).1, "/tool_choice");
}

#[test]
fn a_cap_that_leaves_no_room_for_thoughts() {
    let question = with(json!({"reasoning_effort": "low", "max_tokens": 2_000}));
    let error = request(question.to_string().as_bytes(), CLAUDE).unwrap_err().body("").error;
    assert_eq!(
        (error.param.as_str(), error.message.as_str()),
        ("/reasoning_effort", "thinking needs an output cap of at least 2048 tokens")
    );
}
