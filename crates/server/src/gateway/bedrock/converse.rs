//! A request of Converse, as it is written. `camelCase` is its way; what is none is left out.

use std::collections::BTreeMap;

use keyward_core::invalid::Invalid;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::options;
use super::question::{Number, Question};
use super::tools::{self, ToolConfig};
use super::turns;

/// A request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Converse {
    messages: Vec<Turn>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_config: Option<InferenceConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    additional_model_request_fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<ServiceTier>,
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Speaker {
    User,
    Assistant,
}

/// All that one says until the other speaks.
#[derive(Serialize)]
pub(super) struct Turn {
    pub(super) role: Speaker,
    pub(super) content: Vec<Block>,
}

/// A block of content.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Block {
    Text(String),
    Image {
        format: &'static str,
        source: Source,
    },
    Document {
        format: &'static str,
        name: String,
        source: Source,
    },
    #[serde(rename_all = "camelCase")]
    ToolUse {
        tool_use_id: String,
        name: String,
        input: Box<RawValue>,
    },
    #[serde(rename_all = "camelCase")]
    ToolResult {
        tool_use_id: String,
        content: Vec<Block>,
    },
    ReasoningContent(Reasoning),
    CachePoint(CachePoint),
}

/// Data, in base64.
#[derive(Serialize)]
pub(super) struct Source {
    pub(super) bytes: String,
}

/// A thought.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reasoning {
    ReasoningText {
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    RedactedContent(String),
}

/// That what stands before it shall be kept in the provider's cache.
#[derive(Serialize)]
pub(super) struct CachePoint {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
}

impl CachePoint {
    pub(super) fn new(ttl: Option<String>) -> Self {
        Self { kind: "default", ttl }
    }
}

/// How the answer is sampled, and where it ends.
#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InferenceConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<Number>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stop_sequences: Vec<String>,
}

/// The form of the answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutputConfig {
    pub(super) text_format: TextFormat,
}

/// The form of an answer's text.
#[derive(Serialize)]
pub(super) struct TextFormat {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) structure: Structure,
}

/// What the text is made of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Structure {
    JsonSchema {
        /// The schema, as JSON text.
        schema: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
}

/// How quickly the request is served.
#[derive(Serialize)]
pub(super) struct ServiceTier {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

impl Converse {
    /// The same request in Converse's words.
    pub(super) fn of(mut question: Question, model: &str) -> Result<Self, Invalid> {
        options::check_neutral(&question)?;
        let (system, messages) = turns::of(std::mem::take(&mut question.messages))?;
        let inference_config = options::inference(&mut question);
        let additional_model_request_fields =
            options::of_model(&question, model, inference_config.as_ref().and_then(|config| config.max_tokens))?;
        Ok(Self {
            tool_config: tools::config(question.tools.take(), question.tool_choice.as_deref(), &messages)?,
            output_config: options::output(question.response_format.as_deref())?,
            request_metadata: options::request_metadata(&mut question)?,
            service_tier: options::service_tier(question.service_tier.as_deref())?,
            messages,
            system,
            inference_config,
            additional_model_request_fields,
        })
    }
}
