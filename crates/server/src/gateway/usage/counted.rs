//! Counting an answer whose provider has not told what was used: a stream that was cut or given up, or one that forgot.
//!
//! What came of the answer is kept as text until its usage is told, and counted by the model's own tokenizer when it never is. The
//! text is never written anywhere. What cannot be counted honestly is not counted, and is charged as it was held: a model whose
//! tokenizer is not known, one that thinks without showing it, output that is no text, and an answer that is too long.

use keyward_core::price::{TokenUsage, Usage};
use serde_json::Value;

use super::Shape;
use crate::gateway::estimate::{Served, Tokenizers};

/// The longest text that is kept, in bytes.
const LONGEST: usize = 1 << 20;
/// Models of which a part of the output is not in the answer.
const THINKING: [&str; 5] = ["o1", "o3", "o4", "gpt-5", "codex-mini"];

/// What was read of an answer.
#[derive(Debug)]
pub(in crate::gateway) struct Counter {
    shape: Shape,
    text: String,
    /// False from something on that cannot be counted.
    is_countable: bool,
}

impl Counter {
    /// Nothing was read yet.
    pub(in crate::gateway) const fn new(shape: Shape) -> Self {
        Self { shape, text: String::new(), is_countable: true }
    }

    /// Takes in the data of an event, or a whole answer.
    pub(in crate::gateway) fn read(&mut self, data: &[u8]) {
        if !self.is_countable || data == b"[DONE]" {
            return;
        }
        let Ok(value) = serde_json::from_slice::<Value>(data) else {
            self.is_countable = false;
            return;
        };
        match self.shape {
            Shape::OpenAi => self.each(&value, "/choices", &["/delta", "/message", "/text"]),
            Shape::Responses => self.responses(&value),
            Shape::Messages => {
                ["/delta", "/content", "/content_block"].iter().for_each(|place| self.take(value.pointer(place)))
            }
            Shape::GenerateContent => self.each(&value, "/candidates", &["/content"]),
        }
        self.is_countable &= self.text.len() <= LONGEST;
    }

    /// The usage by what was read; `input` counts the request. None when something cannot be counted.
    pub(in crate::gateway) fn usage(
        &self,
        tokenizers: &Tokenizers,
        served: &Served<'_>,
        input: impl FnOnce() -> Option<u64>,
    ) -> Option<Usage> {
        // One that was tuned has the name of the model that it was made of behind this.
        let model = served.model.strip_prefix("ft:").unwrap_or(served.model);
        let thinks = THINKING.iter().any(|name| model.starts_with(name));
        if thinks || !self.is_countable {
            return None;
        }
        let output = tokenizers.count(served, &self.text)?;
        Some(TokenUsage { input: input()?, output, ..TokenUsage::default() }.into())
    }

    fn each(&mut self, value: &Value, list: &str, places: &[&str]) {
        for one in value.pointer(list).and_then(Value::as_array).into_iter().flatten() {
            places.iter().for_each(|place| self.take(one.pointer(place)));
        }
    }

    fn responses(&mut self, value: &Value) {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind.starts_with("response.") {
            true if kind.ends_with(".delta") => self.take(value.get("delta")),
            true => {}
            false => self.take(value.get("output")),
        }
    }

    /// Takes in every text of a value that the model has written: not what only says what something is.
    fn take(&mut self, value: Option<&Value>) {
        match value {
            Some(Value::String(text)) => self.text.push_str(text),
            Some(Value::Array(elements)) => elements.iter().for_each(|element| self.take(Some(element))),
            Some(Value::Object(members)) => {
                for (name, member) in members {
                    match name.as_str() {
                        "id" | "role" | "type" | "index" | "stop_reason" | "stop_sequence" | "status" | "call_id" => {}
                        "audio" | "images" | "inlineData" | "encrypted_content" | "signature" | "thoughtSignature" => {
                            self.is_countable &= member.is_null();
                        }
                        _ => self.take(Some(member)),
                    }
                }
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    static TOKENIZERS: LazyLock<Tokenizers> = LazyLock::new(Tokenizers::default);

    fn served<'a>(provider: &'a str, model: &'a str) -> Served<'a> {
        Served { provider, model, card: None }
    }

    fn counted(shape: Shape, data: &[&str]) -> Option<u64> {
        let mut counter = Counter::new(shape);
        data.iter().for_each(|data| counter.read(data.as_bytes()));
        let usage = counter.usage(&TOKENIZERS, &served("openai", "gpt-4o"), || Some(7))?;
        assert_eq!(usage.counts.input, 7);
        Some(usage.counts.output)
    }

    /// "hello world" has two tokens of o200k_base, " again" one, by its published ranks.
    #[test]
    fn what_came_is_counted_in_every_dialect() {
        let chunk = |text: &str| {
            format!(
                r#"{{"id":"chatcmpl-1","choices":[{{"index":0,"delta":{{"role":"assistant","content":"{text}"}}}}]}}"#
            )
        };
        assert_eq!(counted(Shape::OpenAi, &[&chunk("hello"), &chunk(" world"), &chunk(" again")]), Some(3));
        let whole = r#"{"id":"x","choices":[{"message":{"role":"assistant","content":"hello world"}}]}"#;
        assert_eq!(counted(Shape::OpenAi, &[whole]), Some(2));
        assert_eq!(counted(Shape::OpenAi, &[r#"{"choices":[{"text":"hello world"}]}"#, "[DONE]"]), Some(2));
        let delta = r#"{"type":"response.output_text.delta","item_id":"msg_1","delta":"hello world"}"#;
        let again = r#"{"type":"response.output_text.done","text":"hello world"}"#;
        assert_eq!(counted(Shape::Responses, &[delta, again]), Some(2), "what is said again is not counted again");
        let block = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello world"}}"#;
        assert_eq!(counted(Shape::Messages, &[block, r#"{"type":"ping"}"#]), Some(2));
        let content = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hello world"}]}}]}"#;
        assert_eq!(counted(Shape::GenerateContent, &[content]), Some(2));
        assert_eq!(counted(Shape::OpenAi, &[]), Some(0), "nothing came");
    }

    #[test]
    fn what_cannot_be_counted_is_not() {
        let text = r#"{"choices":[{"delta":{"content":"hello"}}]}"#;
        let mut counter = Counter::new(Shape::OpenAi);
        counter.read(text.as_bytes());
        let usage =
            |counter: &Counter, provider, model| counter.usage(&TOKENIZERS, &served(provider, model), || Some(1));
        assert!(usage(&counter, "openai", "gpt-4o").is_some());
        assert_eq!(usage(&counter, "anthropic", "claude-sonnet-4-5"), None, "its tokenizer is not known");
        for thinking in ["o3-mini", "ft:o4-mini-2025-04-16:org::id", "codex-mini-latest"] {
            assert_eq!(usage(&counter, "openai", thinking), None, "{thinking} thinks, and does not show it");
        }
        assert_eq!(counter.usage(&TOKENIZERS, &served("openai", "gpt-4o"), || None), None);
        assert_eq!(counted(Shape::OpenAi, &[text, r#""cut":}"#]), None, "it cannot be read");
        assert_eq!(counted(Shape::OpenAi, &[text, r#"{"choices":[{"delta":{"audio":{"data":"AA=="}}}]}"#]), None);
        let long = format!(r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#, "a".repeat(LONGEST + 1));
        assert_eq!(counted(Shape::OpenAi, &[&long]), None);
    }
}
