//! Gemini's content: every chunk tells all that was used so far.
//!
//! What is cached is part of the prompt's count; thoughts and what tools have brought are beside the counts of candidates and prompt.
//! Details tell how much of each is sound or an image.

use keyward_core::price::{Class, TokenUsage, Usage};
use serde_json::Value;

use super::{Members, Reader, Said, count, some, tier, value, zero_or};

/// The usage of content, or of embeddings.
pub(super) fn usage(members: &Members<'_>) -> Option<Usage> {
    let usage = value(members.usage_metadata)?;
    let prompt = zero_or(&usage, "/promptTokenCount");
    let tools = zero_or(&usage, "/toolUsePromptTokenCount");
    let thoughts = zero_or(&usage, "/thoughtsTokenCount");
    let input = prompt.saturating_add(tools);
    let answered = zero_or(&usage, "/candidatesTokenCount").saturating_add(thoughts);
    // Whatever the total has beyond its parts is output.
    let total = count(&usage, "/totalTokenCount");
    if total.is_none() && usage.get("promptTokenCount").is_none() {
        return None;
    }
    let output = answered.max(total.unwrap_or(0).saturating_sub(input));
    let mut counts = TokenUsage { input, output, ..TokenUsage::default() };
    counts.take(Class::Output, Class::Reasoning, thoughts);
    counts.take(Class::Output, Class::AudioOutput, of_modality(&usage, "candidatesTokensDetails", "AUDIO"));
    counts.take(Class::Output, Class::ImageOutput, of_modality(&usage, "candidatesTokensDetails", "IMAGE"));
    split_input(&mut counts, &usage);
    counts.searches = searches(members);
    let told = ["trafficType", "serviceTier"].iter().find_map(|name| usage.get(name).and_then(Value::as_str));
    some(counts, tier(told.unwrap_or_default()), None)
}

fn split_input(counts: &mut TokenUsage, usage: &Value) {
    let of = |modality: &str| {
        let tools = of_modality(usage, "toolUsePromptTokensDetails", modality);
        of_modality(usage, "promptTokensDetails", modality).saturating_add(tools)
    };
    counts.take(Class::Input, Class::AudioInput, of("AUDIO"));
    counts.take(Class::Input, Class::ImageInput, of("IMAGE").saturating_add(of("VIDEO")));
    let mut cached = zero_or(usage, "/cachedContentTokenCount");
    let of = |modality: &str| of_modality(usage, "cacheTokensDetails", modality);
    cached -= counts.take(Class::AudioInput, Class::CachedAudioInput, of("AUDIO").min(cached));
    cached -=
        counts.take(Class::ImageInput, Class::CachedImageInput, of("IMAGE").saturating_add(of("VIDEO")).min(cached));
    cached -= counts.take(Class::Input, Class::CachedInput, cached);
    // More than there is of text: the rest is of what else there is.
    cached -= counts.take(Class::ImageInput, Class::CachedImageInput, cached);
    counts.take(Class::AudioInput, Class::CachedAudioInput, cached);
}

fn of_modality(usage: &Value, details: &str, modality: &str) -> u64 {
    let details = usage.get(details).and_then(Value::as_array);
    let of = |detail: &&Value| detail.get("modality").and_then(Value::as_str) == Some(modality);
    let counts = details.into_iter().flatten().filter(of).map(|detail| zero_or(detail, "/tokenCount"));
    counts.fold(0, u64::saturating_add)
}

/// How many searches grounded the answer: as many as queries are told.
fn searches(members: &Members<'_>) -> u64 {
    let Some(candidates) = value(members.candidates) else { return 0 };
    let queries = |candidate: &Value| {
        let queries = candidate.pointer("/groundingMetadata/webSearchQueries").and_then(Value::as_array);
        queries.map_or(0, |queries| u64::try_from(queries.len()).unwrap_or(u64::MAX))
    };
    candidates.as_array().into_iter().flatten().map(queries).fold(0, u64::saturating_add)
}

/// Reads a chunk. The one that says why the answer has ended has the counts of the whole; so has one that says why there is none.
pub(super) fn read(reader: &mut Reader, members: &Members<'_>) -> Said {
    let candidates = value(members.candidates);
    let candidates = candidates.as_ref().and_then(Value::as_array);
    let has_ended =
        candidates.is_some_and(|all| all.iter().any(|one| one.get("finishReason").is_some_and(Value::is_string)));
    let was_blocked = value(members.prompt_feedback).is_some_and(|feedback| feedback.get("blockReason").is_some());
    if let Some(mut usage) = usage(members) {
        // Queries are told once, in whatever chunk.
        let before = reader.usage.map_or(0, |usage| usage.counts.searches);
        usage.counts.searches = usage.counts.searches.max(before);
        reader.note(Some(usage), has_ended || was_blocked);
    }
    Said { usage_only: false, ends: false, failed: members.error.is_some() }
}
