//! Responses in the OpenAI dialect, as far as Keyward names them; everything else passes through.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The kind of a content part that the model says.
const OUTPUT_TEXT: &str = "output_text";
/// The kind of an event that has a piece of such a part.
const OUTPUT_TEXT_DELTA: &str = "response.output_text.delta";

/// A responses request. Members that are not listed here go to the provider unchanged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct ResponsesRequest {
    /// `provider/model`.
    #[schema(example = "openai/gpt-4o-mini")]
    pub model: String,
    /// What is said to the model.
    pub input: ResponsesInput,
    /// What the model is told before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The most tokens to generate, reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// True: the answer comes as server-sent events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is said to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ResponsesInput {
    /// A text that the user says.
    Text(String),
    /// Messages, results of tools and whatever else there is.
    Items(Vec<Value>),
}

impl Default for ResponsesInput {
    /// Nothing.
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// An answer to a responses request, as the provider gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponsesAnswer {
    /// The provider's id of the answer.
    pub id: String,
    /// The model that answered.
    pub model: String,
    /// How far it is: `completed`, `incomplete`, `failed`, `in_progress`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What the model made, in its order.
    pub output: Vec<ResponsesItem>,
    /// What was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ResponsesUsage>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ResponsesAnswer {
    /// All that the model says, in one text; empty when it only calls tools.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = self.output.iter().flat_map(|item| item.content.iter().flatten());
        parts.filter(|part| part.kind == OUTPUT_TEXT).filter_map(|part| part.text.as_deref()).collect()
    }
}

/// One thing that the model made: a message, a call of a tool, its reasoning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponsesItem {
    /// What it is: `message`, `function_call`, `reasoning`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// What a message consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<ResponsesPart>>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponsesPart {
    /// What it is: `output_text`, `refusal`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The text of a part that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What an answer used, in tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponsesUsage {
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// All tokens.
    pub total_tokens: u64,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One event of a streamed answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponsesEvent {
    /// What happens: `response.created`, `response.output_text.delta`, `response.completed`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The whole answer as far as it is, in events about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Box<ResponsesAnswer>>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ResponsesEvent {
    /// The text to append to what the model says, in an event that has some.
    #[must_use]
    pub fn text_delta(&self) -> Option<&str> {
        self.other.get("delta").filter(|_| self.kind == OUTPUT_TEXT_DELTA)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_is_what_is_said_and_nothing_else() {
        let answer: ResponsesAnswer = serde_json::from_value(json!({
            "id": "r", "model": "m", "status": "completed", "output": [
                { "type": "reasoning", "summary": [] },
                { "type": "function_call", "name": "f", "arguments": "{}" },
                { "type": "message", "content": [
                    { "type": "output_text", "text": "Hello, " }, { "type": "refusal", "refusal": "no" },
                    { "type": "output_text", "text": "world" },
                ] },
            ],
        }))
        .unwrap();
        assert_eq!(answer.text(), "Hello, world");
    }

    #[test]
    fn only_an_event_about_text_has_some() {
        let event =
            |kind: &str| serde_json::from_value::<ResponsesEvent>(json!({ "type": kind, "delta": "x" })).unwrap();
        assert_eq!(event(OUTPUT_TEXT_DELTA).text_delta(), Some("x"));
        assert_eq!(event("response.function_call_arguments.delta").text_delta(), None);
    }

    #[test]
    fn what_is_not_named_passes_through() {
        let json = r#"{"model":"m","input":[{"role":"user"}],"stream":true,"store":false}"#;
        let request: ResponsesRequest = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_value(&request).unwrap(), serde_json::from_str::<Value>(json).unwrap());
    }
}
