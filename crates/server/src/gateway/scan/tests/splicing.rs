//! Whatever a body looks like, the provider's differs from it in the model, the usage wish and the cap, and in nothing else.

use bytes::Bytes;
use keyward_core::operation::Operation;
use proptest::prelude::*;
use serde_json::Value;

use super::super::{Scan, asks_for_usage, in_path};
use super::dialects::ALL;
use crate::gateway::estimate::Served;

/// Members that a request of any operation may have, each in some variants.
fn members(operation: Operation) -> Vec<Vec<&'static str>> {
    let caps = match operation {
        Operation::ChatCompletions => vec![
            vec!["", r#""max_tokens":null"#, r#""max_tokens" : 0"#, r#""max_tokens":700"#],
            vec!["", r#""max_completion_tokens":null"#, r#""max_completion_tokens":50"#],
        ],
        Operation::Completions | Operation::Messages => {
            vec![vec!["", r#""max_tokens":null"#, r#""max_tokens":0"#, r#""max_tokens"  :700"#]]
        }
        Operation::Responses => vec![vec!["", r#""max_output_tokens":null"#, r#""max_output_tokens":700"#]],
        Operation::GenerateContent => vec![vec![
            "",
            r#""generationConfig":null"#,
            r#""generationConfig": { } "#,
            r#""generation_config":{"temperature":1.0}"#,
            r#""generation_config":{"topK":3,"max_output_tokens": 700}"#,
            r#""generationConfig":{"maxOutputTokens":null,"topK":3}"#,
        ]],
        // They have no cap.
        Operation::Embeddings
        | Operation::Moderations
        | Operation::ImageGenerations
        | Operation::ImageEdits
        | Operation::ImageVariations
        | Operation::Speech
        | Operation::Transcriptions
        | Operation::Translations
        | Operation::CountMessageTokens
        | Operation::EmbedContent
        | Operation::BatchEmbedContents
        | Operation::CountContentTokens => vec![],
    };
    let has_fallbacks = matches!(
        operation,
        Operation::ChatCompletions | Operation::Completions | Operation::Responses | Operation::Embeddings
    );
    let fallbacks = r#""fallbacks" : ["p/\"x,\"", {"provider":"q","model":"r"}]"#;
    let fallbacks = has_fallbacks.then(|| vec!["", fallbacks, r#""fallb\u0061cks":null"#]);
    let streams = vec!["", r#""stream":true"#, r#""stream":false"#];
    let options = vec!["", r#""stream_options":null"#, r#""stream_options":{"x":[1]}"#, r#""stream_options":{}"#];
    let others = vec![vec!["", r#""user":"é\u00e9 {\"max_tokens\":1}""#], vec!["", r#""metadata":{"max_tokens":3}"#]];
    [caps, fallbacks.into_iter().collect(), others, vec![streams, options]].concat()
}

fn body() -> impl Strategy<Value = (Operation, String)> {
    (proptest::sample::select(ALL.to_vec()), prop_oneof![Just(","), Just(" ,\n"), Just(",\t ")]).prop_flat_map(
        |((operation, least), comma)| {
            let chosen: Vec<_> = members(operation).into_iter().map(proptest::sample::select).collect();
            chosen.prop_flat_map(move |mut chosen| {
                chosen.push(least);
                chosen.retain(|member| !member.is_empty());
                Just(chosen)
                    .prop_shuffle()
                    .prop_map(move |members| (operation, format!(" {{ {} }}", members.join(comma))))
            })
        },
    )
}

/// The body without what may differ.
fn rest(body: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(body).unwrap();
    let members = value.as_object_mut().unwrap();
    for name in ["model", "fallbacks", "max_tokens", "max_completion_tokens", "max_output_tokens"] {
        members.remove(name);
    }
    for name in ["generationConfig", "generation_config"] {
        if let Some(Value::Object(mut config)) = members.remove(name) {
            config.retain(|name, _| name != "maxOutputTokens" && name != "max_output_tokens");
            if !config.is_empty() {
                members.insert("config".to_owned(), Value::Object(config));
            }
        }
    }
    if let Some(Value::Object(mut options)) = members.remove("stream_options") {
        options.remove("include_usage");
        if !options.is_empty() {
            members.insert("stream_options".to_owned(), Value::Object(options));
        }
    }
    value
}

proptest! {
    #[test]
    fn the_providers_body_differs_in_model_usage_and_cap_only(
        (operation, text) in body(),
        provider in prop_oneof![Just("openai"), Just("mistral")],
        cap in proptest::option::of(1u64..1_000),
    ) {
        let before = Bytes::from(text);
        let scan = Scan::of(operation, in_path(operation), &before).unwrap();
        let served = Served { provider, model: "served", card: None };
        let after = scan.splice(&before, &served, cap).unwrap().joined();
        prop_assert_eq!(rest(&before), rest(&after));
        let again = Scan::of(operation, in_path(operation), &after).unwrap();
        prop_assert!(again.fallbacks_at.is_none());
        prop_assert_eq!(&again.model, if operation == Operation::GenerateContent { "m" } else { "served" });
        prop_assert_eq!(again.stream, scan.stream);
        prop_assert_eq!(again.wants_usage, scan.wants_usage || (scan.stream && asks_for_usage(operation)));
        let own = scan.cap_heeded_by(provider);
        let cap = cap.filter(|_| operation != Operation::Embeddings);
        prop_assert_eq!(again.cap_heeded_by(provider), own.into_iter().chain(cap).min());
    }
}
