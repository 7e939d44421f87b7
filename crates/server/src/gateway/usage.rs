//! Usage as providers of the OpenAI dialect report it, put into disjoint classes that add up to their total.

use keyward_core::operation::{Dialect, Operation};
use keyward_core::price::TokenUsage;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Read leniently: an odd member is no reason to lose an answer that was paid for.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    choices: Option<Vec<IgnoredAny>>,
}

/// What was used.
pub(super) type Usage = TokenUsage;

/// How an answer tells its usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    OpenAi,
    Responses,
    Messages,
    GenerateContent,
}

pub(super) const fn shape(operation: Operation) -> Shape {
    match operation.dialect() {
        Dialect::OpenAi if matches!(operation, Operation::Responses) => Shape::Responses,
        Dialect::OpenAi => Shape::OpenAi,
        Dialect::Anthropic => Shape::Messages,
        Dialect::Gemini => Shape::GenerateContent,
    }
}

/// What a piece of a stream says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub(super) usage_only: bool,
    pub(super) ends: bool,
    pub(super) failed: bool,
}

pub(super) struct Reader {
    usage: Option<Usage>,
    is_final: bool,
}

impl Reader {
    pub(super) const fn new(_: Shape) -> Self {
        Self { usage: None, is_final: false }
    }
    pub(super) fn read(&mut self, data: &[u8]) -> Said {
        if data == b"[DONE]" {
            return Said { ends: true, ..Said::default() };
        }
        let Ok(chunk) = serde_json::from_slice::<Chunk>(data) else { return Said::default() };
        let usage_only = chunk.choices.is_some_and(|choices| choices.is_empty());
        let Some(usage) = chunk.usage.as_ref().and_then(classes) else { return Said::default() };
        self.usage = Some(usage);
        self.is_final |= usage_only;
        Said { usage_only, ..Said::default() }
    }
    pub(super) const fn usage(&self) -> Option<Usage> {
        self.usage
    }
    pub(super) const fn is_final(&self) -> bool {
        self.is_final
    }
}

/// The usage in a whole answer, if it has one; an error when the answer is not JSON.
pub(super) fn of_answer(_: Shape, body: &[u8]) -> Result<Option<TokenUsage>, serde_json::Error> {
    match serde_json::from_slice::<Answer>(body) {
        Ok(answer) => Ok(answer.usage.as_ref().and_then(classes)),
        // It is JSON, of a shape that tells nothing.
        Err(error) if error.is_data() => Ok(None),
        Err(error) => Err(error),
    }
}

/// None when the input or the output is not told: then nobody knows what was used.
///
/// Cached tokens are part of the prompt's. Some providers leave reasoning out of the completion's but not out of the total:
/// whatever the total has beyond the prompt is output.
fn classes(usage: &Value) -> Option<TokenUsage> {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let prompt = count("prompt_tokens")?;
    let beyond_prompt = count("total_tokens").map(|total| total.saturating_sub(prompt));
    let cached = usage.pointer("/prompt_tokens_details/cached_tokens").and_then(Value::as_u64);
    // DeepSeek has a name of its own.
    let cached = cached.or(count("prompt_cache_hit_tokens")).unwrap_or(0).min(prompt);
    Some(TokenUsage {
        input: prompt - cached,
        cached_input: cached,
        cache_write: 0,
        output: count("completion_tokens").max(beyond_prompt)?,
    })
}
