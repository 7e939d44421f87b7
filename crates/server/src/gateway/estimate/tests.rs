//! What bodies are estimated at, and that a count is a bound that is no looser.

use std::sync::LazyLock;

use bytes::Bytes;
use keyward_core::operation::Operation;
use proptest::prelude::*;

use super::*;
use crate::gateway::scan::in_path;

mod bills;
mod dialects;

const CARD: ModelCard = ModelCard {
    price: keyward_core::price::Price::FREE,
    context_tokens: Some(1_000_000),
    max_output_tokens: Some(30_000),
};

/// Loaded once for all cases.
static TOKENIZERS: LazyLock<Tokenizers> = LazyLock::new(Tokenizers::default);

fn served<'a>(provider: &'a str, card: Option<&'a ModelCard>) -> Served<'a> {
    Served { provider, model: "gpt-4o", card }
}

fn chat(members: &str) -> (Bytes, Scan) {
    let body = Bytes::from(format!(r#"{{"model":"m",{members}}}"#));
    let scan = Scan::of(Operation::ChatCompletions, None, &body).unwrap();
    (body, scan)
}

#[test]
fn only_a_cap_that_the_provider_heeds_bounds_the_output() {
    for (provider, caps, expected) in [
        ("openai", r#","max_completion_tokens":5"#, 5),
        ("openai", r#","max_completion_tokens":5,"max_tokens":7"#, 7),
        ("deepseek", r#","max_completion_tokens":5"#, UNKNOWN_OUTPUT),
        ("deepseek", r#","max_completion_tokens":5,"max_tokens":7"#, 7),
        ("deepseek", r#","max_completion_tokens":9,"max_tokens":7"#, 9),
        ("openai", r#","max_tokens":0"#, UNKNOWN_OUTPUT),
        ("openai", r#","max_completion_tokens":0,"max_tokens":7"#, UNKNOWN_OUTPUT),
        ("openai", r#","max_tokens":null,"n":3"#, 3 * UNKNOWN_OUTPUT),
    ] {
        let (body, scan) = chat(&format!(r#""messages":[]{caps}"#));
        let estimate = Estimate::of(&scan, &served(provider, None), body.len());
        assert_eq!(estimate.output_per_answer * estimate.answers, expected, "{provider} {caps}");
        // What nothing bounds is said to be open, until its model is known.
        let is_capped = estimate.client_cap.is_some();
        assert_eq!((estimate.can_clamp, estimate.open_cap.is_some()), (true, !is_capped), "{provider} {caps}");
        let estimate = Estimate::of(&scan, &served(provider, Some(&CARD)), body.len());
        assert!(estimate.open_cap.is_none() && estimate.can_clamp);
    }
}

#[test]
fn what_is_not_text_is_bounded_where_the_provider_says_how() {
    let image = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#;
    let file = r#"{"type":"file","file":{"file_id":"f"}}"#;
    let most = |content: &str, provider: &str, card: Option<&ModelCard>| {
        let (body, scan) = chat(&format!(r#""messages":[{{"content":{content}}}]"#));
        Estimate::of(&scan, &served(provider, card), body.len()).input
    };
    let card = Some(&CARD);
    assert_eq!(most("\"hi\"", "openai", card), 43 + FRAME);
    // Eight tiles at 170, and 85; the data itself is not counted.
    assert_eq!(most(&format!("[{image},{image}]"), "openai", card), 108 + FRAME + 2 * 1_445);
    assert_eq!(most(&format!("[{image}]"), "groq", card), 1_000_000);
    assert_eq!(most(&format!("[{image}]"), "groq", None), UNKNOWN_CONTEXT);
    assert_eq!(most(&format!("[{file}]"), "openai", card), 1_000_000);
    assert_eq!(most(&format!("[{file},{image}]"), "openai", card), 1_000_000);
}

#[test]
fn a_count_is_given_only_for_what_is_known() {
    let count = |members: &str, provider: &str, model: &str| {
        let (body, scan) = chat(members);
        scan.counted_input(&body, &TOKENIZERS, &Served { provider, model, card: None })
    };
    let words = format!(r#""messages":[{{"role":"user","content":"{}"}}]"#, "governance ".repeat(1_000));
    let counted = count(&words, "openai", "gpt-4o").unwrap();
    assert!((1_000..1_200).contains(&counted), "{counted}");
    assert!(count(&words, "openai", "gpt-4").is_some());
    assert_eq!(count(&words, "openai", "gpt-6"), None);
    assert_eq!(count(&words, "anthropic", "gpt-4o"), None);
    let long = format!(r#""messages":[{{"role":"user","content":"{}"}}]"#, "a".repeat(600_000));
    assert_eq!(count(&long, "openai", "gpt-4o"), None);
    assert_eq!(count(r#""messages":[{"content":[{"type":"file"}]}]"#, "openai", "gpt-4o"), None);
    let image = format!(r#"{{"type":"image_url","image_url":{{"url":"{}"}}}}"#, "a".repeat(600_000));
    let counted = count(&format!(r#""messages":[{{"content":[{image}]}}]"#), "openai", "gpt-4o").unwrap();
    assert!((1_445..1_600).contains(&counted), "{counted}");
}

/// Words without end, and what makes a tokenizer go back: whole, the first ones would keep it busy for minutes.
#[test]
fn odd_texts_are_counted_too() {
    for unit in ["a", " ", "\n", "é", "🙂", " \n", "'s", "\u{a0}", "1"] {
        let text = unit.repeat(120_000 / unit.len());
        let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string();
        let body = Bytes::from(body);
        let scan = Scan::of(Operation::ChatCompletions, None, &body).unwrap();
        for model in ["gpt-4o", "gpt-4"] {
            let served = Served { provider: "openai", model, card: None };
            let counted = scan.counted_input(&body, &TOKENIZERS, &served).unwrap();
            let alone = TOKENIZERS.find(&served).unwrap().count_ordinary(&text[..unit.len() * 1_000]);
            assert!(counted >= u64::try_from(alone).unwrap(), "{unit:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A count is no looser than the estimate, and no less than the texts have by themselves and put together.
    #[test]
    fn a_count_lies_between_the_tokens_of_the_texts_and_the_bytes(
        texts in proptest::collection::vec("(\\PC{0,40}|[a-z \\n]{0,200}|( {0,300})|(a{0,500})){1,6}", 1..6),
        describes in any::<bool>(),
    ) {
        let parts: Vec<_> =
            texts.iter().map(|text| serde_json::json!({"role": "user", "content": [{"type": "text", "text": text}]})).collect();
        let tool = serde_json::json!([{"type": "function", "function": {"name": "f", "description": texts[0]}}]);
        let mut body = serde_json::json!({"model": "m", "messages": parts});
        if describes {
            body["tools"] = tool;
        }
        let body = Bytes::from(body.to_string());
        let scan = Scan::of(Operation::ChatCompletions, None, &body).unwrap();
        let served = served("openai", None);
        let counted = scan.counted_input(&body, &TOKENIZERS, &served).unwrap();
        let bpe = TOKENIZERS.find(&served).unwrap();
        let frames = 4 * texts.len();
        let apart = texts.iter().map(|text| bpe.count_ordinary(text)).sum::<usize>() + frames;
        let together = bpe.count_ordinary(&texts.concat()) + frames;
        prop_assert!(counted <= Estimate::of(&scan, &served, body.len()).input);
        prop_assert!(counted >= u64::try_from(apart.max(together)).unwrap());
    }
}
