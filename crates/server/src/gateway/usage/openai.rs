//! OpenAI's shape, and what its followers have added to it: chat completions, completions, embeddings, images, transcriptions.
//!
//! Cached tokens, sound and images are part of the prompt's, reasoning of the completion's. Some providers leave reasoning out of
//! the completion's but not out of the total: whatever the total has beyond the prompt is output.

use keyward_core::money::NanoUsd;
use keyward_core::price::{Class, TokenUsage, Usage};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Members, Reader, Said, at, count, some, value, zero_or};

/// The usage in a whole answer.
pub(super) fn usage(members: &Members<'_>) -> Option<Usage> {
    let told = members.usage.or_else(|| of_groq(members));
    let counts = told.and_then(|raw| counts(&serde_json::from_str(raw.get()).ok()?));
    // Images without a usage are billed one by one, and sound by its length.
    let counts = counts.or_else(|| untold_images(members)).or_else(|| told_duration(members))?;
    let reported = told.and_then(|raw| reported(raw.get()));
    some(counts, members.tier(), reported)
}

/// Reads an event. The one that only tells the usage has no choices; those of images and transcriptions say that they are the last.
pub(super) fn read(reader: &mut Reader, members: &Members<'_>) -> Said {
    let kind = members.kind();
    let is_last = matches!(
        kind.as_str(),
        "image_generation.completed" | "image_edit.completed" | "transcript.text.done" | "speech.audio.done"
    );
    let failed = members.error.is_some_and(|error| error.get() != "null") || kind == "error";
    let told = members.usage.filter(|raw| raw.get() != "null").or_else(|| of_groq(members));
    // Ends of one of several answers count also where no usage is told.
    let have_ended = (told.is_some() || reader.has_several_answers()) && have_all_ended(reader, members);
    let Some(_) = told else { return Said { usage_only: false, ends: is_last, failed } };
    let mut usage = usage(members);
    if let Some(usage) = usage.as_mut().filter(|_| kind == "speech.audio.done") {
        usage.counts.take(Class::Output, Class::AudioOutput, u64::MAX);
    }
    let usage_only =
        usage.is_some() && value(members.choices).is_some_and(|choices| choices.as_array().is_some_and(Vec::is_empty));
    let is_final = usage_only || is_last || of_groq(members).is_some() || have_ended;
    reader.note(usage, is_final);
    Said { usage_only, ends: is_last, failed }
}

/// True when chunks have told of every answer why it has ended: who tells the usage there tells that of the whole.
fn have_all_ended(reader: &mut Reader, members: &Members<'_>) -> bool {
    let choices = value(members.choices);
    let choices = choices.as_ref().and_then(Value::as_array).into_iter().flatten();
    let ended = choices.filter(|choice| choice.get("finish_reason").is_some_and(Value::is_string));
    ended.for_each(|choice| reader.ends(zero_or(choice, "/index")));
    reader.has_all_ends()
}

/// Groq's chunks have it in a member of their own.
fn of_groq<'a>(members: &Members<'a>) -> Option<&'a RawValue> {
    #[derive(Deserialize)]
    struct Own<'a> {
        #[serde(default, borrow)]
        usage: Option<&'a RawValue>,
    }
    serde_json::from_str::<Own<'a>>(members.x_groq?.get()).ok()?.usage.filter(|raw| raw.get() != "null")
}

/// None when the input or the output is not told: then nobody knows what was used.
fn counts(usage: &Value) -> Option<TokenUsage> {
    if usage.get("type").and_then(Value::as_str) == Some("duration") {
        return Some(TokenUsage { seconds: count(usage, "/seconds")?, ..TokenUsage::default() });
    }
    let counts = if usage.get("prompt_tokens").is_some() { of_chat(usage)? } else { of_parts(usage)? };
    Some(TokenUsage { searches: searches(usage), ..counts })
}

/// Chat completions, completions and embeddings.
fn of_chat(usage: &Value) -> Option<TokenUsage> {
    let prompt = count(usage, "/prompt_tokens")?;
    let beyond = count(usage, "/total_tokens").map(|total| total.saturating_sub(prompt));
    let output = count(usage, "/completion_tokens").max(beyond)?;
    let mut counts = TokenUsage { input: prompt, output, ..TokenUsage::default() };
    split_input(&mut counts, usage, "/prompt_tokens_details");
    split_output(&mut counts, usage, "/completion_tokens_details");
    Some(counts)
}

/// Images, transcriptions, and whoever tells input and output by these names.
fn of_parts(usage: &Value) -> Option<TokenUsage> {
    let input = count(usage, "/input_tokens")?;
    let beyond = count(usage, "/total_tokens").map(|total| total.saturating_sub(input));
    let output = count(usage, "/output_tokens").max(beyond)?;
    let mut counts = TokenUsage { input, output, ..TokenUsage::default() };
    split_input(&mut counts, usage, "/input_tokens_details");
    split_input(&mut counts, usage, "/input_token_details");
    split_output(&mut counts, usage, "/output_tokens_details");
    // What an image is made of is an image, where nothing is said of text.
    if at(usage, "/input_tokens_details/image_tokens").is_some() && usage.get("output_tokens_details").is_none() {
        counts.take(Class::Output, Class::ImageOutput, u64::MAX);
    }
    Some(counts)
}

/// Takes the classes out of the input that its details tell. What is read from the cache may be of any of them: sound and images by
/// their own details, else text.
fn split_input(counts: &mut TokenUsage, usage: &Value, details: &str) {
    let details = at(usage, details);
    let detail = |place: &str| details.map_or(0, |details| zero_or(details, place));
    let cached_audio = detail("/cached_tokens_details/audio_tokens");
    let cached_image = detail("/cached_tokens_details/image_tokens");
    counts.take(Class::Input, Class::AudioInput, detail("/audio_tokens"));
    counts.take(Class::Input, Class::ImageInput, detail("/image_tokens"));
    let cached_audio = counts.take(Class::AudioInput, Class::CachedAudioInput, cached_audio);
    let cached_image = counts.take(Class::ImageInput, Class::CachedImageInput, cached_image);
    // DeepSeek and others have names of their own.
    let cached =
        detail("/cached_tokens").max(zero_or(usage, "/prompt_cache_hit_tokens")).max(zero_or(usage, "/cached_tokens"));
    let mut cached = cached.saturating_sub(cached_audio).saturating_sub(cached_image);
    cached = cached.saturating_sub(counts.cached_input);
    cached -= counts.take(Class::Input, Class::CachedInput, cached);
    // More than there is of text: the rest is of what else there is.
    cached -= counts.take(Class::ImageInput, Class::CachedImageInput, cached);
    counts.take(Class::AudioInput, Class::CachedAudioInput, cached);
    let written = detail("/cache_write_tokens").max(detail("/cache_creation_tokens"));
    // Told by those that keep a prefix for as long as they are asked to.
    let of_hour = detail("/cache_creation/ephemeral_1h_input_tokens").min(written);
    counts.take(Class::Input, Class::CacheWriteHour, of_hour);
    counts.take(Class::Input, Class::CacheWrite, written - of_hour);
}

fn split_output(counts: &mut TokenUsage, usage: &Value, details: &str) {
    let details = at(usage, details);
    let detail = |place: &str| details.map_or(0, |details| zero_or(details, place));
    // Perplexity tells it beside the details.
    let reasoning = detail("/reasoning_tokens").max(zero_or(usage, "/reasoning_tokens"));
    counts.take(Class::Output, Class::Reasoning, reasoning);
    counts.take(Class::Output, Class::AudioOutput, detail("/audio_tokens"));
    counts.take(Class::Output, Class::ImageOutput, detail("/image_tokens"));
}

/// How many searches the provider has made: Perplexity, xAI and OpenRouter tell it.
fn searches(usage: &Value) -> u64 {
    let told = ["/num_search_queries", "/num_sources_used", "/server_tool_use/web_search_requests"];
    told.iter().map(|place| zero_or(usage, place)).max().unwrap_or(0)
}

/// Images without a usage: as many as there are.
fn untold_images(members: &Members<'_>) -> Option<TokenUsage> {
    let data = value(members.data)?;
    let is_image = |one: &&Value| one.get("b64_json").is_some() || one.get("url").is_some();
    let images = data.as_array()?.iter().filter(is_image).count();
    let images = u64::try_from(images).ok().filter(|images| *images > 0)?;
    Some(TokenUsage { images, ..TokenUsage::default() })
}

/// A transcription that tells how long the sound was.
fn told_duration(members: &Members<'_>) -> Option<TokenUsage> {
    let duration = value(members.duration)?;
    Some(TokenUsage { seconds: count(&duration, "")?, ..TokenUsage::default() })
}

/// What the provider says that it bills: OpenRouter as an amount, Perplexity with its parts. Who brings their own key to OpenRouter is
/// billed by the provider behind it too.
fn reported(usage: &str) -> Option<NanoUsd> {
    #[derive(Deserialize)]
    struct Billed<'a> {
        #[serde(default, borrow)]
        cost: Option<&'a RawValue>,
        #[serde(default)]
        is_byok: Option<bool>,
        #[serde(default, borrow)]
        cost_details: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(default, borrow)]
        total_cost: Option<&'a RawValue>,
        #[serde(default, borrow)]
        upstream_inference_cost: Option<&'a RawValue>,
    }
    let parts = |raw: &'_ RawValue| -> Option<(Option<NanoUsd>, Option<NanoUsd>)> {
        let Parts { total_cost, upstream_inference_cost } = serde_json::from_str(raw.get()).ok()?;
        let amount = |raw: Option<&RawValue>| NanoUsd::billed(raw?.get());
        Some((amount(total_cost), amount(upstream_inference_cost)))
    };
    let Billed { cost, is_byok, cost_details } = serde_json::from_str(usage).ok()?;
    let cost = cost?;
    if let Some(amount) = NanoUsd::billed(cost.get()) {
        let behind = cost_details.and_then(parts).and_then(|(_, behind)| behind);
        return behind.filter(|_| is_byok == Some(true)).map_or(Some(amount), |behind| amount.checked_add(behind));
    }
    parts(cost)?.0
}
