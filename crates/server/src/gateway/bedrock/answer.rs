//! An answer of Converse as a chat completion.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::About;
use super::usage::{Told, Usage};

/// An answer of Converse. What is not read here has no place in a chat completion.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    output: Output,
    stop_reason: String,
    usage: Option<Told>,
    service_tier: Option<Tier>,
}

#[derive(Deserialize)]
struct Output {
    message: Said,
}

#[derive(Deserialize)]
struct Said {
    content: Vec<Block>,
}

/// A block of the answer: the one member that is there says what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    tool_use: Option<ToolUse>,
    reasoning_content: Option<Reasoning>,
    citations_content: Option<Citations>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse {
    tool_use_id: String,
    name: String,
    input: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning {
    reasoning_text: Option<ReasoningText>,
    redacted_content: Option<String>,
}

#[derive(Deserialize)]
struct ReasoningText {
    text: String,
    signature: Option<String>,
}

#[derive(Deserialize)]
struct Citations {
    #[serde(default)]
    content: Vec<CitedText>,
}

#[derive(Deserialize)]
struct CitedText {
    text: Option<String>,
}

/// How quickly a request was served.
#[derive(Deserialize)]
pub(super) struct Tier {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [Choice; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<String>,
}

#[derive(Serialize)]
struct Choice {
    index: u8,
    message: Message,
    logprobs: (),
    finish_reason: &'static str,
    /// Converse's own reason, where ours says less.
    #[serde(skip_serializing_if = "Option::is_none")]
    native_finish_reason: Option<String>,
}

#[derive(Default, Serialize)]
struct Message {
    role: &'static str,
    content: Option<String>,
    refusal: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thinking_blocks: Vec<Thought>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

/// A thought with what lets the model have it back.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Thought {
    Thinking {
        thinking: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    RedactedThinking {
        data: String,
    },
}

#[derive(Serialize)]
struct ToolCall {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function,
}

#[derive(Serialize)]
struct Function {
    name: String,
    arguments: String,
}

/// The chat completion for an answer of Converse.
///
/// # Errors
/// When the body is no such answer.
pub(in super::super) fn completion(body: &[u8], about: &About) -> Result<Vec<u8>, serde_json::Error> {
    let Answer { output, stop_reason, usage, service_tier } = serde_json::from_slice(body)?;
    let (finish_reason, native_finish_reason) = finish_reason(stop_reason);
    let choice = Choice {
        index: 0,
        message: Message::of(output.message.content),
        logprobs: (),
        finish_reason,
        native_finish_reason,
    };
    serde_json::to_vec(&Completion {
        id: about.id(),
        object: "chat.completion",
        created: about.created,
        model: &about.model,
        choices: [choice],
        usage: usage.map(Usage::from),
        service_tier: service_tier.map(|tier| tier.kind),
    })
}

impl Message {
    fn of(blocks: Vec<Block>) -> Self {
        let mut message = Self { role: "assistant", ..Self::default() };
        for block in blocks {
            let cited =
                block.citations_content.into_iter().flat_map(|cited| cited.content).filter_map(|part| part.text);
            for text in block.text.into_iter().chain(cited) {
                message.content.get_or_insert_default().push_str(&text);
            }
            if let Some(reasoning) = block.reasoning_content {
                message.think(reasoning);
            }
            message.tool_calls.extend(block.tool_use.map(ToolCall::of));
        }
        if message.content.is_none() && message.tool_calls.is_empty() {
            message.content = Some(String::new());
        }
        message
    }

    fn think(&mut self, reasoning: Reasoning) {
        if let Some(ReasoningText { text, signature }) = reasoning.reasoning_text {
            self.reasoning_content.get_or_insert_default().push_str(&text);
            self.thinking_blocks.push(Thought::Thinking { thinking: text, signature });
        }
        self.thinking_blocks.extend(reasoning.redacted_content.map(|data| Thought::RedactedThinking { data }));
    }
}

impl ToolCall {
    fn of(call: ToolUse) -> Self {
        let function = Function { name: call.name, arguments: call.input.get().to_owned() };
        Self { id: call.tool_use_id, kind: "function", function }
    }
}

/// Why the answer ended; and Converse's own word where ours says less.
pub(super) fn finish_reason(stop_reason: String) -> (&'static str, Option<String>) {
    match stop_reason.as_str() {
        "end_turn" | "stop_sequence" => ("stop", None),
        "max_tokens" => ("length", None),
        "tool_use" => ("tool_calls", None),
        "model_context_window_exceeded" => ("length", Some(stop_reason)),
        "content_filtered" | "guardrail_intervened" => ("content_filter", Some(stop_reason)),
        _ => ("stop", Some(stop_reason)),
    }
}
