//! Usage as providers of the OpenAI dialect report it, put into disjoint classes that add up to their total.

use keyward_core::price::TokenUsage;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
struct Reported {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    total_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
    /// DeepSeek's name for cached input.
    #[serde(default)]
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    usage: Option<Reported>,
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
    let answer: Answer = serde_json::from_slice(body)?;
    Ok(answer.usage.map(|reported| reported.classes()))
}

/// The usage in one event's data, if it has one.
pub(super) fn of_chunk(data: &[u8]) -> Option<ChunkUsage> {
    let answer: Answer = serde_json::from_slice(data).ok()?;
    let stands_alone = answer.choices.is_some_and(|choices| choices.is_empty());
    answer.usage.map(|reported| ChunkUsage { usage: reported.classes(), stands_alone })
}

impl Reported {
    /// Cached tokens are part of the prompt's. Some providers leave reasoning out of the completion's but not out of the total:
    /// whatever the total has beyond the prompt is output.
    fn classes(self) -> TokenUsage {
        let cached = self.prompt_tokens_details.and_then(|details| details.cached_tokens);
        let cached = cached.or(self.prompt_cache_hit_tokens).unwrap_or(0).min(self.prompt_tokens);
        TokenUsage {
            input: self.prompt_tokens - cached,
            cached_input: cached,
            cache_write: 0,
            output: self.completion_tokens.max(self.total_tokens.saturating_sub(self.prompt_tokens)),
        }
    }
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
        assert_eq!(of_answer(b"{\"usage\":null}").unwrap(), None);
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
