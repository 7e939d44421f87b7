//! A table for each operation: a body, and what it is estimated at.

use bytes::Bytes;
use keyward_core::price::Price;

use super::*;

const CARD: ModelCard = ModelCard { price: Price::FREE, context_tokens: Some(100_000), max_output_tokens: Some(8_000) };

/// What bounds the input.
enum Input {
    /// The bytes and the frame, and so many tokens more.
    Bytes(u64),
    /// The model's context.
    Context,
}
use Input::{Bytes as OfBytes, Context};

/// Provider, model, body, input, output of one answer, answers, the client's cap.
type Row = (&'static str, &'static str, &'static str, Input, u64, u64, Option<u64>);

fn check(operation: Operation, rows: &[Row]) {
    for (provider, model, text, input, output, answers, cap) in rows {
        let body = Bytes::from_static(text.as_bytes());
        let scan = Scan::of(operation, in_path(operation), &body).unwrap();
        let estimate = Estimate::of(&scan, &Served { provider, model, card: Some(&CARD) }, body.len());
        let input = match input {
            OfBytes(more) => u64::try_from(text.len()).unwrap() + FRAME + more,
            Context => 100_000,
        };
        let expected = Estimate {
            input,
            output_per_answer: *output,
            answers: *answers,
            client_cap: *cap,
            can_clamp: operation != Operation::Embeddings,
            open_cap: None,
        };
        assert_eq!(estimate, expected, "{operation:?} at {provider}: {text}");
    }
}

#[test]
fn chat_completions() {
    let text = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9,"n":3}"#;
    let open = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#;
    let tools = r#"{"model":"m","messages":[],"tools":[{"type":"function"}],"max_completion_tokens":9}"#;
    let schema = r#"{"model":"m","messages":[],"response_format":{"type":"json_object"}}"#;
    let image = r#"{"model":"m","messages":[{"content":[{"type":"image_url","image_url":null}]}]}"#;
    let file = r#"{"model":"m","messages":[{"content":[{"type":"file"}]}]}"#;
    let extra = r#"{"model":"m","messages":[],"extra_body":{}}"#;
    check(
        Operation::ChatCompletions,
        &[
            ("openai", "gpt-4o", text, OfBytes(0), 9, 3, Some(9)),
            ("openai", "gpt-4o", open, OfBytes(0), 8_000, 1, None),
            ("openai", "gpt-4o", tools, OfBytes(TOOLS_PREAMBLE), 9, 1, Some(9)),
            ("mistral", "m", tools, OfBytes(TOOLS_PREAMBLE), 8_000, 1, None),
            ("openai", "gpt-4o", schema, OfBytes(TOOLS_PREAMBLE), 8_000, 1, None),
            ("openai", "gpt-4o", image, OfBytes(1_445 - 4), 8_000, 1, None),
            ("openai", "gpt-4o-2024-08-06", image, OfBytes(1_445 - 4), 8_000, 1, None),
            ("openai", "gpt-4o-mini", image, OfBytes(48_169 - 4), 8_000, 1, None),
            ("openai", "gpt-5-nano", image, OfBytes(3_779 - 4), 8_000, 1, None),
            ("anthropic", "claude-opus-4-7", image, OfBytes(4_784 - 4), 8_000, 1, None),
            ("openai", "gpt-4o-next", image, Context, 8_000, 1, None),
            ("gemini", "gemini-2.5-pro", image, Context, 8_000, 1, None),
            ("openai", "gpt-4o", file, Context, 8_000, 1, None),
            ("openai", "gpt-4o", extra, Context, 8_000, 1, None),
        ],
    );
}

#[test]
fn completions() {
    let text = r#"{"model":"m","prompt":"hi","max_tokens":9,"suffix":"!"}"#;
    let texts = r#"{"model":"m","prompt":["a","b","c"],"n":2,"best_of":5}"#;
    let tokens = r#"{"model":"m","prompt":[1,2,3],"n":2}"#;
    let lists = r#"{"model":"m","prompt":[[1,2],[3]]}"#;
    let vectors = r#"{"model":"m","prompt_embeds":"AAAA"}"#;
    check(
        Operation::Completions,
        &[
            ("openai", "m", text, OfBytes(0), 9, 1, Some(9)),
            ("openai", "m", texts, OfBytes(0), 8_000, 15, None),
            ("openai", "m", tokens, OfBytes(0), 8_000, 2, None),
            ("openai", "m", lists, OfBytes(0), 8_000, 2, None),
            ("openai", "m", vectors, Context, 8_000, 1, None),
        ],
    );
}

#[test]
fn responses() {
    let text = r#"{"model":"m","input":"hi","instructions":"be brief","max_output_tokens":9}"#;
    let items =
        r#"{"model":"m","input":[{"role":"user","content":"hi"},{"type":"function_call_output","output":"1"}]}"#;
    let tools = r#"{"model":"m","input":"hi","tools":[{"type":"function"}]}"#;
    let image = r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:AAAA"}]}]}"#;
    let kept = r#"{"model":"m","input":"hi","previous_response_id":"r"}"#;
    let file = r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_file"}]}]}"#;
    let sealed = r#"{"model":"m","input":[{"type":"reasoning","encrypted_content":"AAAA"}]}"#;
    check(
        Operation::Responses,
        &[
            ("openai", "gpt-5", text, OfBytes(0), 9, 1, Some(9)),
            ("openai", "gpt-5", items, OfBytes(0), 8_000, 1, None),
            ("openai", "gpt-5", tools, OfBytes(TOOLS_PREAMBLE), 8_000, 1, None),
            ("openai", "gpt-5", image, OfBytes(1_190 - 11), 8_000, 1, None),
            ("openai", "gpt-5", kept, Context, 8_000, 1, None),
            ("openai", "gpt-5", file, Context, 8_000, 1, None),
            ("openai", "gpt-5", sealed, Context, 8_000, 1, None),
        ],
    );
}

#[test]
fn messages() {
    let text = r#"{"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":"hi"}]}"#;
    let thinking = r#"{"model":"m","max_tokens":900,"thinking":{"type":"enabled","budget_tokens":800},"messages":[]}"#;
    let open = r#"{"model":"m","messages":[{"content":[{"type":"tool_use","input":{"a":[1]}}]}]}"#;
    let result =
        r#"{"model":"m","messages":[{"content":[{"type":"tool_result","content":[{"type":"image","source":{}}]}]}]}"#;
    let document = r#"{"model":"m","messages":[{"content":[{"type":"document","source":{"type":"text"}}]}]}"#;
    let sealed = r#"{"model":"m","messages":[{"content":[{"type":"redacted_thinking","data":"AAAA"}]}]}"#;
    let tools = r#"{"model":"m","max_tokens":9,"messages":[],"tools":[{"name":"f","input_schema":{}}]}"#;
    check(
        Operation::Messages,
        &[
            ("anthropic", "claude-sonnet-4-5", text, OfBytes(0), 9, 1, Some(9)),
            ("anthropic", "claude-sonnet-4-5", thinking, OfBytes(0), 900, 1, Some(900)),
            ("anthropic", "claude-sonnet-4-5", open, OfBytes(0), 8_000, 1, None),
            ("anthropic", "claude-sonnet-4-5-20250929", result, OfBytes(4_784 - 2), 8_000, 1, None),
            ("anthropic", "claude-sonnet-4-5", document, Context, 8_000, 1, None),
            ("anthropic", "claude-sonnet-4-5", sealed, Context, 8_000, 1, None),
            ("anthropic", "claude-sonnet-4-5", tools, OfBytes(TOOLS_PREAMBLE), 9, 1, Some(9)),
        ],
    );
}

#[test]
fn generate_content() {
    let text =
        r#"{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":9,"candidateCount":2}}"#;
    let snake =
        r#"{"contents":[],"generation_config":{"max_output_tokens":9},"system_instruction":{"parts":[{"text":"s"}]}}"#;
    let tools = r#"{"contents":[],"tools":[{"functionDeclarations":[{"name":"f"}]}]}"#;
    let image = r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}"#;
    let answer =
        r#"{"contents":[{"parts":[{"functionResponse":{"parts":[{"inlineData":{"mimeType":"audio/wav"}}]}}]}]}"#;
    let file = r#"{"contents":[{"parts":[{"fileData":{"fileUri":"f"}}]}]}"#;
    let cached = r#"{"contents":[],"cachedContent":"c"}"#;
    let signed = r#"{"contents":[{"parts":[{"text":"x","thoughtSignature":"AAAA"}]}]}"#;
    check(
        Operation::GenerateContent,
        &[
            ("gemini", "gemini-2.5-pro", text, OfBytes(0), 9, 2, Some(9)),
            ("gemini", "gemini-2.5-pro", snake, OfBytes(0), 9, 1, Some(9)),
            ("gemini", "gemini-2.5-pro", tools, OfBytes(TOOLS_PREAMBLE), 8_000, 1, None),
            ("gemini", "gemini-2.5-pro", image, Context, 8_000, 1, None),
            ("gemini", "gemini-2.5-pro", answer, Context, 8_000, 1, None),
            ("gemini", "gemini-2.5-pro", file, Context, 8_000, 1, None),
            ("gemini", "gemini-2.5-pro", cached, Context, 8_000, 1, None),
            ("gemini", "gemini-2.5-pro", signed, Context, 8_000, 1, None),
        ],
    );
}

#[test]
fn embeddings() {
    let text = r#"{"model":"m","input":"hi"}"#;
    let texts = r#"{"model":"m","input":["a","b"]}"#;
    let tokens = r#"{"model":"m","input":[1,2,3]}"#;
    check(
        Operation::Embeddings,
        &[
            ("openai", "m", text, OfBytes(0), 0, 1, None),
            ("openai", "m", texts, OfBytes(0), 0, 2, None),
            ("openai", "m", tokens, OfBytes(0), 0, 1, None),
        ],
    );
}

/// Each text may fill the context.
#[test]
fn several_prompts_may_each_fill_the_context() {
    let word = "a".repeat(150_000);
    for (input, is_one) in [(format!("[\"{word}\"]"), true), (format!("[\"{word}\",\"\"]"), false)] {
        let body = Bytes::from(format!(r#"{{"model":"m","input":{input}}}"#));
        let scan = Scan::of(Operation::Embeddings, None, &body).unwrap();
        let served = Served { provider: "openai", model: "m", card: Some(&CARD) };
        let expected = if is_one { 100_000 } else { u64::try_from(body.len()).unwrap() + FRAME };
        assert_eq!(Estimate::of(&scan, &served, body.len()).input, expected);
    }
    let one = format!(r#"{{"content":{{"parts":[{{"text":"{word}"}}]}}}}"#);
    for (requests, is_one) in [(one.clone(), true), (format!("{one},{one}"), false)] {
        let body = Bytes::from(format!(r#"{{"requests":[{requests}]}}"#));
        let scan = Scan::of(Operation::BatchEmbedContents, Some("m"), &body).unwrap();
        let served = Served { provider: "gemini", model: "m", card: Some(&CARD) };
        let expected = if is_one { 100_000 } else { 200_000 };
        assert_eq!(Estimate::of(&scan, &served, body.len()).input, expected);
    }
}
