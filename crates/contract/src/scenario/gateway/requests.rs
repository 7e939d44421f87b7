//! A request for every operation of the gateway that asks a model for something.

use serde_json::{Value, json};

use crate::call::Call;

/// Where the parts of a form begin.
const BOUNDARY: &str = "contract-boundary";

/// A request for an operation, by its id without the number of an alias; none: it is about something that is kept, or a list.
pub(super) fn of(operation: &str, base: &str) -> Option<Call> {
    let call = Call::to(operation);
    Some(match base {
        "chat_completion_create" => call.json(&super::chat("openai/gpt-4o-mini")),
        "completion_create" => {
            call.json(&json!({ "model": "openai/gpt-3.5-turbo-instruct", "prompt": "Hi", "max_tokens": 5 }))
        }
        "response_create" => call.json(&json!({ "model": "openai/gpt-4o-mini", "input": "Hi" })),
        "embedding_create" => call.json(&json!({ "model": "openai/text-embedding-3-small", "input": "Hi" })),
        "moderation_create" => call.json(&json!({ "model": "openai/omni-moderation-latest", "input": "Hi" })),
        "speech_create" => call.json(&json!({ "model": "openai/tts-1", "input": "Hi", "voice": "alloy" })),
        "transcription_create" => form(call, "openai/gpt-4o-mini-transcribe", ("file", "one.wav")),
        "translation_create" => form(call, "openai/whisper-1", ("file", "one.wav")),
        "image_generate" => {
            call.json(&json!({ "model": "openai/gpt-image-1", "prompt": "Hi", "size": "1024x1024", "quality": "low" }))
        }
        "image_edit" | "image_vary" => form(call, "openai/gpt-image-1", ("image", "one.png")),
        "message_create" => call.json(&super::chat("anthropic/claude-haiku-4-5")),
        "message_count_tokens" => call
            .json(&json!({ "model": "anthropic/claude-haiku-4-5", "messages": [{ "role": "user", "content": "Hi" }] })),
        "content_generate" | "content_stream_generate" | "content_count_tokens" => content(call),
        "content_embed" => {
            at_model(call, "gemini-embedding-001").json(&json!({ "content": { "parts": [{ "text": "Hi" }] } }))
        }
        "content_embed_batch" => {
            let one = json!({ "model": "models/gemini-embedding-001", "content": { "parts": [{ "text": "Hi" }] } });
            at_model(call, "gemini-embedding-001").json(&json!({ "requests": [one] }))
        }
        _ => return deployed(call, base),
    })
}

/// A request for a deployment, in Azure's dialect.
fn deployed(call: Call, base: &str) -> Option<Call> {
    let at = |call: Call, deployment: &str| call.at([("deployment", deployment)]).query("api-version", "2024-10-21");
    let chat = json!({ "max_tokens": 5, "messages": [{ "role": "user", "content": "Say hi" }] });
    Some(match base {
        "deployment_chat_completion_create" => at(call, "gpt-4o-mini").json(&chat),
        "deployment_completion_create" => {
            at(call, "gpt-3.5-turbo-instruct").json(&json!({ "prompt": "Hi", "max_tokens": 5 }))
        }
        "deployment_embedding_create" => at(call, "text-embedding-3-small").json(&json!({ "input": "Hi" })),
        "deployment_image_generate" => {
            at(call, "gpt-image-1").json(&json!({ "prompt": "Hi", "size": "1024x1024", "quality": "low" }))
        }
        "deployment_speech_create" => {
            at(call, "tts-1").json(&json!({ "model": "tts-1", "input": "Hi", "voice": "alloy" }))
        }
        "deployment_transcription_create" => {
            form(at(call, "gpt-4o-mini-transcribe"), "gpt-4o-mini-transcribe", ("file", "one.wav"))
        }
        "deployment_translation_create" => form(at(call, "whisper-1"), "whisper-1", ("file", "one.wav")),
        _ => return None,
    })
}

/// The same request, for an answer in pieces; none: it is asked for with another parameter, or not at all.
pub(super) fn streamed(operation: &str, base: &str) -> Option<Call> {
    let with_stream = |mut body: Value| {
        if let Some(members) = body.as_object_mut() {
            members.insert("stream".to_owned(), json!(true));
        }
        Call::to(operation).json(&body)
    };
    match base {
        "chat_completion_create" => Some(with_stream(super::chat("openai/gpt-4o-mini"))),
        "response_create" => Some(with_stream(json!({ "model": "openai/gpt-4o-mini", "input": "Hi" }))),
        "message_create" => Some(with_stream(super::chat("anthropic/claude-haiku-4-5"))),
        "content_stream_generate" => Some(content(Call::to(operation)).query("alt", "sse")),
        _ => None,
    }
}

fn content(call: Call) -> Call {
    at_model(call, "gemini-2.5-flash").json(&json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] }))
}

fn at_model(call: Call, model: &str) -> Call {
    call.at([("model", model)])
}

fn form(call: Call, model: &str, (field, file): (&str, &str)) -> Call {
    parts(call, &[("model", model), ("prompt", "Hi")], (field, file, "not quite a file"))
}

/// A form with a file in it.
pub(super) fn parts(call: Call, fields: &[(&str, &str)], (field, file, content): (&str, &str, &str)) -> Call {
    let fields = fields.iter().map(|(name, value)| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let file = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{file}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"
    );
    let body: String = fields.chain([file]).collect();
    call.text(&body, &format!("multipart/form-data; boundary={BOUNDARY}"))
}
