//! Whatever a body looks like, the provider's differs from it in the model, the usage wish and the cap, and in nothing else.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::super::{Dialect, Scan};
use super::dialects::ALL;
use crate::gateway::estimate::Served;

/// Members that a request of any dialect may have, each in some variants.
fn members(dialect: Dialect) -> Vec<Vec<&'static str>> {
    let caps = match dialect {
        Dialect::ChatCompletions => vec![
            vec!["", r#""max_tokens":null"#, r#""max_tokens" : 0"#, r#""max_tokens":700"#],
            vec!["", r#""max_completion_tokens":null"#, r#""max_completion_tokens":50"#],
        ],
        Dialect::Completions | Dialect::Messages => {
            vec![vec!["", r#""max_tokens":null"#, r#""max_tokens":0"#, r#""max_tokens"  :700"#]]
        }
        Dialect::Responses => vec![vec!["", r#""max_output_tokens":null"#, r#""max_output_tokens":700"#]],
        Dialect::GenerateContent => vec![vec![
            "",
            r#""generationConfig":null"#,
            r#""generationConfig": { } "#,
            r#""generation_config":{"temperature":1.0}"#,
            r#""generation_config":{"topK":3,"max_output_tokens": 700}"#,
            r#""generationConfig":{"maxOutputTokens":null,"topK":3}"#,
        ]],
        Dialect::Embeddings => vec![],
    };
    let fallbacks = match dialect {
        Dialect::ChatCompletions | Dialect::Completions | Dialect::Responses | Dialect::Embeddings => {
            vec![vec!["", r#""fallbacks" : ["p/\"x,\"", {"provider":"q","model":"r"}]"#, r#""fallb\u0061cks":null"#]]
        }
        Dialect::Messages | Dialect::GenerateContent => vec![],
    };
    let streams = vec!["", r#""stream":true"#, r#""stream":false"#];
    let options = vec!["", r#""stream_options":null"#, r#""stream_options":{"x":[1]}"#, r#""stream_options":{}"#];
    let others = vec![vec!["", r#""user":"é\u00e9 {\"max_tokens\":1}""#], vec!["", r#""metadata":{"max_tokens":3}"#]];
    [caps, fallbacks, others, vec![streams, options]].concat()
}

fn body() -> impl Strategy<Value = (Dialect, String)> {
    (proptest::sample::select(ALL.to_vec()), prop_oneof![Just(","), Just(" ,\n"), Just(",\t ")]).prop_flat_map(
        |((dialect, least), comma)| {
            let chosen: Vec<_> = members(dialect).into_iter().map(proptest::sample::select).collect();
            chosen.prop_flat_map(move |mut chosen| {
                chosen.push(least);
                chosen.retain(|member| !member.is_empty());
                Just(chosen)
                    .prop_shuffle()
                    .prop_map(move |members| (dialect, format!(" {{ {} }}", members.join(comma))))
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
        (dialect, text) in body(),
        provider in prop_oneof![Just("openai"), Just("mistral")],
        cap in proptest::option::of(1u64..1_000),
    ) {
        let before = Bytes::from(text);
        let scan = Scan::of(dialect, &before).unwrap();
        let served = Served { provider, model: "served", card: None };
        let after = scan.splice(&before, &served, cap).unwrap();
        prop_assert_eq!(rest(&before), rest(&after));
        let again = Scan::of(dialect, &after).unwrap();
        prop_assert!(again.fallbacks_at.is_none());
        prop_assert_eq!(&again.model, if dialect == Dialect::GenerateContent { "" } else { "served" });
        prop_assert_eq!(again.stream, scan.stream);
        prop_assert_eq!(again.wants_usage, scan.wants_usage || (scan.stream && dialect.asks_for_usage()));
        let expected = cap.filter(|_| dialect != Dialect::Embeddings).or(scan.cap_heeded_by(provider));
        prop_assert_eq!(again.cap_heeded_by(provider), expected);
    }
}
