//! A request of chat completions, as it is read: every member that is known, so that others are refused by name.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::content::Part;
use super::tools::{Tool, ToolCall};

/// A request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) messages: Vec<Message>,
    /// Meant by the path.
    #[serde(rename = "model")]
    _model: IgnoredAny,
    /// Meant by the path.
    #[serde(default, rename = "stream")]
    _stream: IgnoredAny,
    /// The usage is always told; the gateway passes it on to who asked.
    #[serde(default, rename = "stream_options")]
    _stream_options: IgnoredAny,
    pub(super) max_tokens: Option<u64>,
    pub(super) max_completion_tokens: Option<u64>,
    pub(super) temperature: Option<Number>,
    pub(super) top_p: Option<Number>,
    pub(super) top_k: Option<u64>,
    pub(super) stop: Option<OneOrMany<String>>,
    pub(super) tools: Option<Vec<Tool>>,
    pub(super) tool_choice: Option<Box<RawValue>>,
    pub(super) response_format: Option<Box<RawValue>>,
    pub(super) reasoning_effort: Option<String>,
    pub(super) thinking: Option<Box<RawValue>>,
    pub(super) service_tier: Option<String>,
    pub(super) metadata: Option<BTreeMap<String, String>>,
    pub(super) user: Option<String>,
    pub(super) safety_identifier: Option<String>,
    // What is nothing to translate when it asks for what is anyway.
    pub(super) n: Option<Value>,
    pub(super) logprobs: Option<Value>,
    pub(super) frequency_penalty: Option<Value>,
    pub(super) presence_penalty: Option<Value>,
    pub(super) parallel_tool_calls: Option<Value>,
    pub(super) store: Option<Value>,
    pub(super) modalities: Option<Value>,
    // What Converse cannot do.
    #[serde(default, rename = "audio")]
    _audio: Untranslatable,
    #[serde(default, rename = "function_call")]
    _function_call: Untranslatable,
    #[serde(default, rename = "functions")]
    _functions: Untranslatable,
    #[serde(default, rename = "logit_bias")]
    _logit_bias: Untranslatable,
    #[serde(default, rename = "prediction")]
    _prediction: Untranslatable,
    #[serde(default, rename = "prompt_cache_key")]
    _prompt_cache_key: Untranslatable,
    #[serde(default, rename = "prompt_cache_retention")]
    _prompt_cache_retention: Untranslatable,
    #[serde(default, rename = "seed")]
    _seed: Untranslatable,
    #[serde(default, rename = "top_logprobs")]
    _top_logprobs: Untranslatable,
    #[serde(default, rename = "verbosity")]
    _verbosity: Untranslatable,
    #[serde(default, rename = "web_search_options")]
    _web_search_options: Untranslatable,
}

/// A number as it was written.
pub(super) type Number = serde_json::Number;

/// Whose message it is.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// A message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) role: Role,
    pub(super) content: Option<OneOrMany<Part>>,
    pub(super) refusal: Option<String>,
    pub(super) tool_calls: Option<Vec<ToolCall>>,
    pub(super) tool_call_id: Option<String>,
    pub(super) thinking_blocks: Option<Vec<ThinkingBlock>>,
    /// The model's thoughts without the signature that would let it have them back.
    #[serde(default, rename = "reasoning_content")]
    _reasoning_content: IgnoredAny,
    /// Where an answer's citations point.
    #[serde(default, rename = "annotations")]
    _annotations: IgnoredAny,
    #[serde(default, rename = "audio")]
    _audio: Untranslatable,
    #[serde(default, rename = "function_call")]
    _function_call: Untranslatable,
    #[serde(default, rename = "name")]
    _name: Untranslatable,
}

/// A thought that an answer gave, to be given back.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ThinkingBlock {
    Thinking { thinking: String, signature: Option<String> },
    RedactedThinking { data: String },
}

/// Some member that must not be there, or be null.
#[derive(Default)]
pub(super) struct Untranslatable;

impl<'de> Deserialize<'de> for Untranslatable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<IgnoredAny>::deserialize(deserializer)? {
            None => Ok(Self),
            Some(_) => Err(de::Error::custom("Bedrock's Converse has nothing like it: leave it out")),
        }
    }
}

/// A text, or a list.
pub(super) enum OneOrMany<T> {
    One(String),
    Many(Vec<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Forms<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(OneOrMany::One(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany::Many)
            }
        }

        deserializer.deserialize_any(Forms(PhantomData))
    }
}
