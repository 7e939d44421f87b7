//! The dialects beside chat completions: what is refused of each, and what is written in one spelling.

use bytes::Bytes;
use keyward_core::error_code::ErrorCode;
use keyward_core::operation::Operation;
use keyward_core::price::Class;

use super::super::grammar::Grammar;
use super::super::{Scan, grammar, in_path};

pub(super) const ALL: [(Operation, &str); 6] = [
    (Operation::ChatCompletions, r#""model":"m","messages":[]"#),
    (Operation::Completions, r#""model":"m","prompt":"x""#),
    (Operation::Responses, r#""model":"m","input":"x""#),
    (Operation::Embeddings, r#""model":"m","input":"x""#),
    (Operation::Messages, r#""model":"m","messages":[]"#),
    (Operation::GenerateContent, r#""contents":[]"#),
];

/// What the gateway reads or refuses, it also guards the spelling of.
#[test]
fn every_member_of_a_request_is_written_in_one_spelling() {
    for (operation, least) in ALL {
        let members = grammar(operation).unwrap().members;
        assert!(!members.is_empty() && members.len() <= Grammar::MOST);
        for name in members.iter().flat_map(|member| member.names) {
            let body = format!("{{{least},\"{}\":null}}", name.to_uppercase());
            let error = Scan::of(operation, in_path(operation), &Bytes::from(body)).unwrap_err();
            assert!(error.to_string().contains(&format!("must be written '{name}'")), "{operation:?}: {error}");
            let body = format!("{{{least},\"{name}\":null,\"{name}\":null}}");
            assert!(
                Scan::of(operation, in_path(operation), &Bytes::from(body)).is_err(),
                "{operation:?}: {name} twice"
            );
        }
        assert!(Scan::of(operation, in_path(operation), &Bytes::from(format!("{{{least}}}"))).is_ok(), "{operation:?}");
    }
}

#[test]
fn what_has_a_price_of_its_own_is_refused() {
    for (operation, members, param) in [
        (Operation::Completions, r#""service_tier":"scale""#, "/service_tier"),
        (Operation::Completions, r#""echo":true"#, "/echo"),
        (Operation::Completions, r#""models":["other"]"#, ""),
        (Operation::Responses, r#""tools":[{"type":"function"},{"type":"web_search"}]"#, "/tools/1"),
        (Operation::Responses, r#""tools":[{"type":"mcp"}]"#, "/tools/0"),
        (Operation::Responses, r#""tools":[{"name":"f"}]"#, "/tools/0"),
        (Operation::Responses, r#""background":true"#, "/background"),
        (Operation::Responses, r#""prompt":{"id":"p"}"#, "/prompt"),
        (Operation::Responses, r#""service_tier":"scale""#, "/service_tier"),
        (Operation::Responses, r#""context_management":[{"type":"compaction"}]"#, "/context_management"),
        (Operation::Embeddings, r#""service_tier":"scale""#, "/service_tier"),
        (Operation::Messages, r#""tools":[{"name":"f"},{"type":"web_search_20250305"}]"#, "/tools/1"),
        (Operation::Messages, r#""tools":[{"type":"code_execution_20250825"}]"#, "/tools/0"),
        (Operation::Messages, r#""container":"c""#, "/container"),
        (Operation::Messages, r#""mcp_servers":[]"#, "/mcp_servers"),
        (Operation::Messages, r#""service_tier":"priority""#, "/service_tier"),
        (Operation::Messages, r#""speed":"fast""#, "/speed"),
        (Operation::Messages, r#""inference_geo":"us""#, "/inference_geo"),
        (Operation::Messages, r#""cache_control":{"type":"ephemeral","ttl":"1d"}"#, "/cache_control/ttl"),
        (
            Operation::Messages,
            r#""system":[{"type":"text","text":"x","cache_control":{"ttl":"1d"}}]"#,
            "/system/0/cache_control/ttl",
        ),
        (Operation::Responses, r#""conversation":"c""#, "/conversation"),
        (Operation::Messages, r#""tools":[{"name":"f","cache_control":{"ttl":"1d"}}]"#, "/tools/0/cache_control/ttl"),
        (Operation::Messages, r#""context_management":{"edits":[{"type":"compact_20260112"}]}"#, "/context_management"),
        (Operation::GenerateContent, r#""tools":[{"googleSearch":{}}]"#, "/tools/0/googleSearch"),
        (Operation::GenerateContent, r#""tools":[{"functionDeclarations":[]},{"code_execution":{}}]"#, "/tools/1"),
        (
            Operation::GenerateContent,
            r#""generationConfig":{"responseModalities":["TEXT","VIDEO"]}"#,
            "/generationConfig",
        ),
        (Operation::GenerateContent, r#""generationConfig":{"MaxOutputTokens":5}"#, "/generationConfig"),
        (
            Operation::GenerateContent,
            r#""generationConfig":{"maxOutputTokens":5,"max_output_tokens":50}"#,
            "/generationConfig",
        ),
        (Operation::GenerateContent, r#""generationConfig":{},"generation_config":{"maxOutputTokens":5}"#, ""),
        (Operation::GenerateContent, r#""serviceTier":"turbo""#, "/serviceTier"),
        (Operation::GenerateContent, r#""model":"other""#, "/model"),
    ] {
        let least = ALL.iter().find(|(known, _)| *known == operation).unwrap().1;
        let body = format!("{{{least},{members}}}");
        let error = Scan::of(operation, in_path(operation), &Bytes::from(body)).unwrap_err();
        let found = error.body("").error.param;
        assert!(error.code() == ErrorCode::InvalidRequest && found.starts_with(param), "{members}: {error:?}");
    }
}

#[test]
fn what_is_somebodys_is_refused_wherever_it_stands() {
    let scan =
        |item: &str| Scan::of(Operation::Responses, None, &Bytes::from(format!(r#"{{"model":"m","input":[{item}]}}"#)));
    for item in [
        r#"{"type":"item_reference","id":"i"}"#,
        r#"{"id":"i"}"#,
        r#"{"id":"i","type":null}"#,
        r#"{"role":"user","content":"x","id":"i"}"#,
        r#"{"type":"image_generation_call","id":"i"}"#,
    ] {
        assert_eq!(scan(item).unwrap_err().body("").error.param, "/input/0", "{item}");
    }
    for item in [r#"{"role":"user","content":"x","id":null}"#, r#"{"id":"i","type":"message","role":"assistant"}"#] {
        assert!(scan(item).is_ok(), "{item}");
    }
}

#[test]
fn what_has_a_class_of_its_own_is_noted() {
    let caused = |operation, members: &str, class| {
        let body = Bytes::from(format!("{{{members}}}"));
        Scan::of(operation, in_path(operation), &body).unwrap().causes.has(class)
    };
    let speech = r#""model":"m","input":[{"role":"user","content":[{"type":"input_audio"}]}]"#;
    assert!(caused(Operation::Responses, speech, Class::AudioInput));
    let spoken = r#""model":"m","messages":[],"modalities":["text","audio"]"#;
    assert!(caused(Operation::ChatCompletions, spoken, Class::AudioOutput));
    let kept = r#""model":"m","messages":[],"system":[{"type":"text","text":"x","cache_control":{"ttl":"1h"}}]"#;
    assert!(caused(Operation::Messages, kept, Class::CacheWriteHour));
    assert!(!caused(Operation::Messages, &kept.replace("1h", "5m"), Class::CacheWriteHour));
    let drawn = r#""contents":[],"generationConfig":{"responseModalities":["TEXT","IMAGE"]}"#;
    assert!(caused(Operation::GenerateContent, drawn, Class::ImageOutput));
}

/// What costs nothing beside its tokens is let through.
#[test]
fn what_is_metered_passes() {
    for (operation, members) in [
        (Operation::Responses, r#""tools":[{"type":"custom"}],"background":false,"service_tier":"auto","store":true"#),
        (
            Operation::Messages,
            r#""tools":[{"name":"f"}],"context_management":{"edits":[{"type":"clear_thinking_20251015"}]}"#,
        ),
        (Operation::Messages, r#""cache_control":{"type":"ephemeral","ttl":"5m"},"speed":"standard","container":null"#),
        (
            Operation::GenerateContent,
            r#""tools":[{"functionDeclarations":[],"googleSearch":null}],"generationConfig":{"responseModalities":["TEXT"]}"#,
        ),
        (Operation::Embeddings, r#""dimensions":5,"encoding_format":"base64""#),
    ] {
        let least = ALL.iter().find(|(known, _)| *known == operation).unwrap().1;
        let scanned = Scan::of(operation, in_path(operation), &Bytes::from(format!("{{{least},{members}}}")));
        assert!(scanned.is_ok(), "{members}: {scanned:?}");
    }
}
