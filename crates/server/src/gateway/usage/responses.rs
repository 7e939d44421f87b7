//! OpenAI's responses: the usage stands in the response, and the response in the last event of a stream.

use keyward_core::price::{Class, TokenUsage, Usage};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Members, Reader, Said, count, some, value, zero_or};

/// The usage of a response. Cached tokens are part of its input, reasoning of its output.
pub(super) fn usage(members: &Members<'_>) -> Option<Usage> {
    let usage = value(members.usage)?;
    let input = count(&usage, "/input_tokens")?;
    let beyond = count(&usage, "/total_tokens").map(|total| total.saturating_sub(input));
    let output = count(&usage, "/output_tokens").max(beyond)?;
    let mut counts = TokenUsage { input, output, ..TokenUsage::default() };
    counts.take(Class::Input, Class::CachedInput, zero_or(&usage, "/input_tokens_details/cached_tokens"));
    counts.take(Class::Input, Class::CacheWrite, zero_or(&usage, "/input_tokens_details/cache_write_tokens"));
    counts.take(Class::Output, Class::Reasoning, zero_or(&usage, "/output_tokens_details/reasoning_tokens"));
    counts.searches = searches(members.output);
    some(counts, members.tier(), None)
}

/// Searches are items of the output, each of which has its fee. Opening a page that was found has none.
fn searches(output: Option<&RawValue>) -> u64 {
    let Some(output) = value(output) else { return 0 };
    let is_search = |item: &&Value| {
        let action = item.pointer("/action/type").and_then(Value::as_str);
        item.get("type").and_then(Value::as_str) == Some("web_search_call")
            && action.is_none_or(|action| action == "search")
    };
    let found = output.as_array().map_or(0, |items| items.iter().filter(is_search).count());
    u64::try_from(found).unwrap_or(u64::MAX)
}

/// Reads an event.
pub(super) fn read(reader: &mut Reader, members: &Members<'_>) -> Said {
    let (ends, failed) = match members.kind().as_str() {
        "response.completed" | "response.incomplete" => (true, false),
        "response.failed" => (true, true),
        "error" => (false, true),
        _ => return Said::default(),
    };
    if let Some(response) = members.response.and_then(|raw| serde_json::from_str::<Members<'_>>(raw.get()).ok()) {
        reader.note(usage(&response), ends);
    }
    Said { usage_only: false, ends, failed }
}
