//! Bounds: the most tokens that a request can use, found without a tokenizer.

use keyward_core::catalogue::ModelCard;
use keyward_core::provider::KnownProvider;
use keyward_engine::OutputDemand;

use super::scan::ChatScan;

/// Tokens that a provider may add to the client's text: the frame of a conversation, and with tools a preamble.
const FRAME: u64 = 64;
const TOOLS_PREAMBLE: u64 = 1_024;
/// Output of a model whose limit is not known, when the client sets no cap.
const UNKNOWN_OUTPUT: u64 = 4_096;

/// The most tokens that a request can use.
pub(super) struct TokenBound {
    pub(super) input: u64,
    pub(super) output: OutputDemand,
}

/// The bound of a request. A token is at least one byte of text, so the body's length bounds plain text; what is not text may
/// take the whole context. Output is bounded by the client's cap, else by the model's limit, for each answer asked for.
pub(super) fn of(scan: &ChatScan, provider: &str, card: Option<&ModelCard>, body_bytes: usize) -> TokenBound {
    let preamble = if scan.has_tools { TOOLS_PREAMBLE } else { 0 };
    let from_bytes = u64::try_from(body_bytes).unwrap_or(u64::MAX).saturating_add(FRAME).saturating_add(preamble);
    let context = card.and_then(|card| card.context_tokens);
    let input = match context {
        Some(context) if scan.text_only => from_bytes.min(context),
        Some(context) => context,
        None => from_bytes,
    };
    // Zero is taken for "no cap" by some.
    let newer = scan.max_completion_tokens.filter(|_| KnownProvider::heeds_max_completion_tokens(provider));
    let is_lifted = newer == Some(0) || scan.max_tokens == Some(0);
    let own_cap = newer.max(scan.max_tokens).filter(|_| !is_lifted);
    let per_answer = own_cap.or(card.and_then(|card| card.max_output_tokens)).unwrap_or(UNKNOWN_OUTPUT);
    let capped_by_client = own_cap.is_some();
    let output = OutputDemand { per_answer, answers: scan.answers, capped_by_client, can_clamp: false, least: 1 };
    TokenBound { input, output }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn output(provider: &str, caps: &str) -> u64 {
        let body = Bytes::from(format!(r#"{{"model":"m","messages":[]{caps}}}"#));
        of(&ChatScan::of(&body).unwrap(), provider, None, body.len()).output.per_answer
    }

    #[test]
    fn only_a_cap_that_the_provider_heeds_bounds_the_output() {
        for (provider, caps, expected) in [
            ("openai", r#","max_completion_tokens":5"#, 5),
            ("openai", r#","max_completion_tokens":5,"max_tokens":7"#, 7),
            ("deepseek", r#","max_completion_tokens":5"#, UNKNOWN_OUTPUT),
            ("deepseek", r#","max_completion_tokens":5,"max_tokens":7"#, 7),
            ("openai", r#","max_tokens":0"#, UNKNOWN_OUTPUT),
            ("openai", r#","max_completion_tokens":0,"max_tokens":7"#, UNKNOWN_OUTPUT),
            ("openai", r#","max_tokens":null,"n":3"#, UNKNOWN_OUTPUT),
        ] {
            assert_eq!(output(provider, caps), expected, "{provider} {caps}");
        }
    }

    #[test]
    fn only_plain_text_is_bounded_by_its_bytes() {
        let card = ModelCard {
            price: keyward_core::price::Price::FREE,
            context_tokens: Some(1_000_000),
            max_output_tokens: None,
        };
        let input = |content: &str| {
            let body = Bytes::from(format!(r#"{{"model":"m","messages":[{{"content":{content}}}]}}"#));
            of(&ChatScan::of(&body).unwrap(), "openai", Some(&card), body.len()).input
        };
        assert!(input("\"hi\"") < 200);
        assert_eq!(input(r#"[{"type":"image_url","image_url":{"url":"http://example.com"}}]"#), 1_000_000);
    }
}
