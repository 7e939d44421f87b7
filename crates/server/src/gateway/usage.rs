//! What an answer says was used, put into disjoint classes that add up to what its provider counts.
//!
//! Each dialect tells it in a way of its own, in a file of its own. All are read leniently: an odd member is no reason to lose an
//! answer that was paid for. What is told beyond a total is not invented, and what a total has beyond its parts is charged.

use keyward_core::money::NanoUsd;
use keyward_core::operation::{Dialect, Operation};
use keyward_core::price::{ServiceTier, TokenUsage};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

mod anthropic;
pub(super) mod counted;
mod gemini;
mod openai;
mod responses;

/// What was used.
pub(super) use keyward_core::price::Usage;

/// How an answer tells its usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Chat completions, completions, embeddings, images and sound, as OpenAI and its followers have them.
    OpenAi,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
    /// Gemini's content.
    GenerateContent,
}

/// How the answers of an operation tell their usage.
pub(super) const fn shape(operation: Operation) -> Shape {
    match operation.dialect() {
        Dialect::OpenAi if matches!(operation, Operation::Responses) => Shape::Responses,
        Dialect::OpenAi => Shape::OpenAi,
        Dialect::Anthropic => Shape::Messages,
        Dialect::Gemini => Shape::GenerateContent,
    }
}

/// What an event of a stream says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Said {
    /// It was sent only because the usage was asked for.
    pub(super) usage_only: bool,
    /// It is the dialect's last event.
    pub(super) ends: bool,
    /// It tells a failure of the provider's.
    pub(super) failed: bool,
}

/// The usage in a whole answer, if it has one; an error when the answer is not JSON.
pub(super) fn of_answer(shape: Shape, body: &[u8]) -> Result<Option<Usage>, serde_json::Error> {
    let members: Members<'_> = match serde_json::from_slice(body) {
        Ok(members) => members,
        // It is JSON, of a shape that tells nothing.
        Err(error) if error.is_data() => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(match shape {
        Shape::OpenAi => openai::usage(&members),
        Shape::Responses => responses::usage(&members),
        Shape::Messages => anthropic::usage(&members),
        Shape::GenerateContent => gemini::usage(&members),
    })
}

/// Of how many answers of one stream is remembered that they have ended: no provider makes more.
const MOST_ENDS: usize = 1_024;

/// Reads the events of a stream one by one.
#[derive(Debug)]
pub(super) struct Reader {
    shape: Shape,
    /// How many answers are asked for, and which of them have ended.
    answers: u64,
    ended: Vec<u64>,
    usage: Option<Usage>,
    is_final: bool,
    /// What Anthropic's events have told so far.
    message: anthropic::Told,
}

impl Reader {
    /// Reads the events of so many answers.
    pub(super) const fn new(shape: Shape, answers: u64) -> Self {
        Self { shape, answers, ended: Vec::new(), usage: None, is_final: false, message: anthropic::Told::NOTHING }
    }

    /// Reads the data of one event.
    pub(super) fn read(&mut self, data: &[u8]) -> Said {
        if data == b"[DONE]" {
            return Said { ends: true, ..Said::default() };
        }
        let Ok(members) = serde_json::from_slice::<Members<'_>>(data) else { return Said::default() };
        match self.shape {
            Shape::OpenAi => openai::read(self, &members),
            Shape::Responses => responses::read(self, &members),
            Shape::Messages => anthropic::read(self, &members),
            Shape::GenerateContent => gemini::read(self, &members),
        }
    }

    /// What was told so far.
    pub(super) const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// True when what was told is of the whole answer.
    pub(super) const fn is_final(&self) -> bool {
        self.is_final
    }

    const fn has_several_answers(&self) -> bool {
        self.answers > 1
    }

    /// An answer has ended.
    fn ends(&mut self, index: u64) {
        if !self.ended.contains(&index) && self.ended.len() < MOST_ENDS {
            self.ended.push(index);
        }
    }

    /// True when as many answers have ended as were asked for.
    fn has_all_ends(&self) -> bool {
        u64::try_from(self.ended.len()).is_ok_and(|ended| ended >= self.answers)
    }

    fn note(&mut self, usage: Option<Usage>, is_final: bool) {
        if usage.is_some() {
            self.usage = usage;
            self.is_final |= is_final;
        }
    }
}

/// The members of an answer or an event that the readers look at, each in its own text.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(default, borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(default, borrow)]
    usage: Option<&'a RawValue>,
    #[serde(default, borrow, alias = "usage_metadata", rename = "usageMetadata")]
    usage_metadata: Option<&'a RawValue>,
    #[serde(default, borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(default, borrow)]
    choices: Option<&'a RawValue>,
    #[serde(default, borrow)]
    candidates: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "promptFeedback")]
    prompt_feedback: Option<&'a RawValue>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
    #[serde(default, borrow)]
    output: Option<&'a RawValue>,
    #[serde(default, borrow)]
    response: Option<&'a RawValue>,
    #[serde(default, borrow)]
    message: Option<&'a RawValue>,
    #[serde(default, borrow)]
    x_groq: Option<&'a RawValue>,
    #[serde(default, borrow)]
    error: Option<&'a RawValue>,
    #[serde(default, borrow)]
    duration: Option<&'a RawValue>,
}

impl Members<'_> {
    /// The text of `type`; empty without one.
    fn kind(&self) -> String {
        self.kind.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// The tier that is told, if it is one with prices of its own.
    fn tier(&self) -> ServiceTier {
        self.service_tier
            .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
            .map_or_else(ServiceTier::default, |name| tier(&name))
    }
}

/// The value of a member, if it is there.
fn value(raw: Option<&RawValue>) -> Option<Value> {
    serde_json::from_str(raw?.get()).ok().filter(|value: &Value| !value.is_null())
}

/// The tier of this name, in whatever dialect.
fn tier(name: &str) -> ServiceTier {
    match name.to_ascii_lowercase().as_str() {
        "flex" => ServiceTier::Flex,
        "priority" | "performance" | "on_demand_priority" => ServiceTier::Priority,
        "on_demand_flex" => ServiceTier::Flex,
        "batch" => ServiceTier::Batch,
        _ => ServiceTier::Standard,
    }
}

/// The value at a place like `/details/cached`. No name in it needs escapes.
fn at<'a>(value: &'a Value, place: &str) -> Option<&'a Value> {
    place.split('/').skip(1).try_fold(value, |within, name| within.get(name))
}

/// A count at this place; a fraction is rounded up, and what is no count is none.
fn count(value: &Value, place: &str) -> Option<u64> {
    let number = at(value, place)?;
    if let Some(count) = number.as_u64() {
        return Some(count);
    }
    let written = number.as_number()?.to_string();
    let nanos = NanoUsd::billed(&written)?.nanos();
    u64::try_from(nanos).ok().map(|nanos| nanos.div_ceil(1_000_000_000))
}

/// A count at this place, else zero.
fn zero_or(value: &Value, place: &str) -> u64 {
    count(value, place).unwrap_or(0)
}

/// Something that is used when anything is.
fn some(counts: TokenUsage, tier: ServiceTier, reported: Option<NanoUsd>) -> Option<Usage> {
    Some(Usage { counts, tier, reported })
}

#[cfg(test)]
mod tests;
