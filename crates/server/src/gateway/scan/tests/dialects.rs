//! The dialects beside chat completions: what is refused of each, and what is written in one spelling.

use bytes::Bytes;
use keyward_core::error_code::ErrorCode;

use super::super::grammar::Grammar;
use super::super::{Dialect, Scan};

pub(super) const ALL: [(Dialect, &str); 6] = [
    (Dialect::ChatCompletions, r#""model":"m","messages":[]"#),
    (Dialect::Completions, r#""model":"m","prompt":"x""#),
    (Dialect::Responses, r#""model":"m","input":"x""#),
    (Dialect::Embeddings, r#""model":"m","input":"x""#),
    (Dialect::Messages, r#""model":"m","messages":[]"#),
    (Dialect::GenerateContent, r#""contents":[]"#),
];

/// What the gateway reads or refuses, it also guards the spelling of.
#[test]
fn every_member_of_a_request_is_written_in_one_spelling() {
    for (dialect, least) in ALL {
        let members = dialect.grammar().members;
        assert!(!members.is_empty() && members.len() <= Grammar::MOST);
        for name in members.iter().flat_map(|member| member.names) {
            let body = format!("{{{least},\"{}\":null}}", name.to_uppercase());
            let error = Scan::of(dialect, &Bytes::from(body)).unwrap_err();
            assert!(error.to_string().contains(&format!("must be written '{name}'")), "{dialect:?}: {error}");
            let body = format!("{{{least},\"{name}\":null,\"{name}\":null}}");
            assert!(Scan::of(dialect, &Bytes::from(body)).is_err(), "{dialect:?}: {name} twice");
        }
        assert!(Scan::of(dialect, &Bytes::from(format!("{{{least}}}"))).is_ok(), "{dialect:?}");
    }
}

#[test]
fn what_has_a_price_of_its_own_is_refused() {
    for (dialect, members, param) in [
        (Dialect::Completions, r#""service_tier":"priority""#, "/service_tier"),
        (Dialect::Completions, r#""echo":true"#, "/echo"),
        (Dialect::Completions, r#""models":["other"]"#, ""),
        (Dialect::Responses, r#""tools":[{"type":"function"},{"type":"web_search"}]"#, "/tools/1"),
        (Dialect::Responses, r#""tools":[{"type":"mcp"}]"#, "/tools/0"),
        (Dialect::Responses, r#""tools":[{"name":"f"}]"#, "/tools/0"),
        (Dialect::Responses, r#""background":true"#, "/background"),
        (Dialect::Responses, r#""prompt":{"id":"p"}"#, "/prompt"),
        (Dialect::Responses, r#""service_tier":"priority""#, "/service_tier"),
        (Dialect::Responses, r#""context_management":[{"type":"compaction"}]"#, "/context_management"),
        (Dialect::Embeddings, r#""service_tier":"priority""#, "/service_tier"),
        (Dialect::Messages, r#""tools":[{"name":"f"},{"type":"web_search_20250305"}]"#, "/tools/1"),
        (Dialect::Messages, r#""tools":[{"type":"code_execution_20250825"}]"#, "/tools/0"),
        (Dialect::Messages, r#""container":"c""#, "/container"),
        (Dialect::Messages, r#""mcp_servers":[]"#, "/mcp_servers"),
        (Dialect::Messages, r#""service_tier":"priority""#, "/service_tier"),
        (Dialect::Messages, r#""speed":"fast""#, "/speed"),
        (Dialect::Messages, r#""inference_geo":"us""#, "/inference_geo"),
        (Dialect::Messages, r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#, "/cache_control/ttl"),
        (
            Dialect::Messages,
            r#""system":[{"type":"text","text":"x","cache_control":{"ttl":"1h"}}]"#,
            "/system/0/cache_control/ttl",
        ),
        (Dialect::Messages, r#""tools":[{"name":"f","cache_control":{"ttl":"1h"}}]"#, "/tools/0/cache_control/ttl"),
        (Dialect::Messages, r#""context_management":{"edits":[{"type":"compact_20260112"}]}"#, "/context_management"),
        (Dialect::GenerateContent, r#""tools":[{"googleSearch":{}}]"#, "/tools/0/googleSearch"),
        (Dialect::GenerateContent, r#""tools":[{"functionDeclarations":[]},{"code_execution":{}}]"#, "/tools/1"),
        (
            Dialect::GenerateContent,
            r#""generationConfig":{"responseModalities":["TEXT","IMAGE"]}"#,
            "/generationConfig",
        ),
        (Dialect::GenerateContent, r#""generation_config":{"speech_config":{}}"#, "/generation_config"),
        (Dialect::GenerateContent, r#""generationConfig":{"MaxOutputTokens":5}"#, "/generationConfig"),
        (
            Dialect::GenerateContent,
            r#""generationConfig":{"maxOutputTokens":5,"max_output_tokens":50}"#,
            "/generationConfig",
        ),
        (Dialect::GenerateContent, r#""generationConfig":{},"generation_config":{"maxOutputTokens":5}"#, ""),
        (Dialect::GenerateContent, r#""serviceTier":"priority""#, "/serviceTier"),
        (Dialect::GenerateContent, r#""model":"other""#, "/model"),
    ] {
        let least = ALL.iter().find(|(known, _)| *known == dialect).unwrap().1;
        let body = format!("{{{least},{members}}}");
        let error = Scan::of(dialect, &Bytes::from(body)).unwrap_err();
        let found = error.body("").error.param;
        assert!(error.code() == ErrorCode::InvalidRequest && found.starts_with(param), "{members}: {error:?}");
    }
}

#[test]
fn speech_is_refused_wherever_it_stands() {
    let message = r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_audio"}]}]}"#;
    let error = Scan::of(Dialect::Responses, &Bytes::from(message)).unwrap_err();
    assert_eq!(error.body("").error.param, "/input/0/content/0");
}

/// What costs nothing beside its tokens is let through.
#[test]
fn what_is_metered_passes() {
    for (dialect, members) in [
        (Dialect::Responses, r#""tools":[{"type":"custom"}],"background":false,"service_tier":"auto","store":true"#),
        (
            Dialect::Messages,
            r#""tools":[{"name":"f"}],"context_management":{"edits":[{"type":"clear_thinking_20251015"}]}"#,
        ),
        (Dialect::Messages, r#""cache_control":{"type":"ephemeral","ttl":"5m"},"speed":"standard","container":null"#),
        (
            Dialect::GenerateContent,
            r#""tools":[{"functionDeclarations":[],"googleSearch":null}],"generationConfig":{"responseModalities":["TEXT"]}"#,
        ),
        (Dialect::Embeddings, r#""dimensions":5,"encoding_format":"base64""#),
    ] {
        let least = ALL.iter().find(|(known, _)| *known == dialect).unwrap().1;
        let scanned = Scan::of(dialect, &Bytes::from(format!("{{{least},{members}}}")));
        assert!(scanned.is_ok(), "{members}: {scanned:?}");
    }
}
