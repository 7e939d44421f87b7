//! Usage as providers of the OpenAI dialect report it, put into disjoint classes that add up to their total.

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

/// What a piece of a stream says about usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkUsage {
    pub(super) usage: TokenUsage,
    /// True when the piece says nothing else: it was sent because usage was asked for.
    pub(super) stands_alone: bool,
}

/// The usage in a whole answer, if it has one; an error when the answer is not JSON.
pub(super) fn of_answer(body: &[u8]) -> Result<Option<TokenUsage>, serde_json::Error> {
    match serde_json::from_slice::<Answer>(body) {
        Ok(answer) => Ok(answer.usage.as_ref().and_then(classes)),
        // It is JSON, of a shape that tells nothing.
        Err(error) if error.is_data() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The usage in one event's data, if it has one.
pub(super) fn of_chunk(data: &[u8]) -> Option<ChunkUsage> {
    let chunk: Chunk = serde_json::from_slice(data).ok()?;
    let stands_alone = chunk.choices.is_some_and(|choices| choices.is_empty());
    let usage = classes(chunk.usage.as_ref()?)?;
    Some(ChunkUsage { usage, stands_alone })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_disjoint_and_add_up() {
        for (usage, [input, cached_input, output]) in [
            (r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#, [10, 0, 5]),
            (
                r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}"#,
                [6, 4, 5],
            ),
            (r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_cache_hit_tokens":3}"#, [7, 3, 5]),
            // Reasoning is in the total only.
            (r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":40}"#, [10, 0, 30]),
            (r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":99}}"#, [0, 10, 5]),
            (r#"{"prompt_tokens":10,"total_tokens":10,"prompt_tokens_details":null}"#, [10, 0, 0]),
        ] {
            let found = of_answer(format!(r#"{{"usage":{usage}}}"#).as_bytes()).unwrap();
            assert_eq!(found, Some(TokenUsage { input, cached_input, cache_write: 0, output }), "{usage}");
        }
        for unreadable in [
            "null",
            "{}",
            "7",
            r#"{"prompt_tokens":10}"#,
            r#"{"input_tokens":5,"output_tokens":700}"#,
            r#"{"prompt_tokens":-1,"completion_tokens":5}"#,
        ] {
            assert_eq!(of_answer(format!(r#"{{"usage":{unreadable}}}"#).as_bytes()).unwrap(), None, "{unreadable}");
        }
        assert_eq!(of_answer(b"[]").unwrap(), None);
        assert_eq!(of_answer(b"{\"usage\":{},\"usage\":{}}").unwrap(), None);
        let odd_choices = br#"{"choices":{},"usage":{"prompt_tokens":10,"completion_tokens":5}}"#;
        assert_eq!(of_answer(odd_choices).unwrap().map(|usage| usage.total()), Some(15));
        let odd_total = br#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15.0}}"#;
        assert_eq!(of_answer(odd_total).unwrap().map(|usage| usage.total()), Some(15));
        assert!(of_answer(b"<html>").is_err());
    }

    #[test]
    fn only_an_event_without_choices_stands_alone() {
        let alone = |choices: &str| {
            let data = format!(r#"{{"choices":{choices},"usage":{{"prompt_tokens":1,"completion_tokens":1}}}}"#);
            of_chunk(data.as_bytes()).map(|chunk| chunk.stands_alone)
        };
        assert_eq!(alone("[]"), Some(true));
        assert_eq!(alone(r#"[{"delta":{}}]"#), Some(false));
        assert_eq!(of_chunk(b"[DONE]"), None);
    }
}
