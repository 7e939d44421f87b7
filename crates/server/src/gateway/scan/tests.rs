//! What is read of chat completions, what is refused, and what the provider gets.

use super::*;
use crate::gateway::estimate::Served;

mod dialects;
mod splicing;

const SERVED: Served<'_> = Served { provider: "openai", model: "m\"2", card: None };

fn scan(body: &str) -> (Bytes, Scan) {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let scan = Scan::of(Operation::ChatCompletions, None, &body).unwrap();
    (body, scan)
}

fn spliced(body: &str) -> String {
    let (body, scan) = scan(body);
    String::from_utf8(scan.splice(&body, &SERVED, None).unwrap().joined().to_vec()).unwrap()
}

#[test]
fn only_the_model_changes() {
    let before = "{ \"x\" : [1.0e3, \"\\u00e9\"],\n \"mod\\u0065l\" :  \"p/m\" , \"messages\":[] }";
    let after = "{ \"x\" : [1.0e3, \"\\u00e9\"],\n \"mod\\u0065l\" :  \"m\\\"2\" , \"messages\":[] }";
    assert_eq!(spliced(before), after);
}

#[test]
fn a_stream_is_asked_to_tell_its_usage() {
    for (before, after) in [
        (
            r#" {"model":"p/m","messages":[],"stream":true}"#,
            r#" {"stream_options":{"include_usage":true},"model":"m\"2","messages":[],"stream":true}"#,
        ),
        (
            r#"{"stream_options":{"a":1,"include_usage":false},"model":"p/m","messages":[],"stream":true}"#,
            r#"{"stream_options":{"a":1,"include_usage":true},"model":"m\"2","messages":[],"stream":true}"#,
        ),
        (
            r#"{"model":"p/m","messages":[],"stream":true,"stream_options":null}"#,
            r#"{"model":"m\"2","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"model":"p/m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
            r#"{"model":"m\"2","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
        ),
    ] {
        assert_eq!(spliced(before), after);
    }
}

#[test]
fn anything_but_text_is_noticed() {
    let text_only = |content: &str| {
        let scan = scan(&format!(r#"{{"model":"m","messages":[{{"content":{content}}}]}}"#)).1;
        !scan.has_unseen && scan.images == 0
    };
    assert!(text_only("\"hello\""));
    assert!(text_only("null"));
    assert!(text_only(r#"[{"type":"text","text":"hello"}]"#));
    assert!(!text_only(r#"[{"type":"text","text":"a"},{"type":"image\u005furl","image_url":{"url":"http://x"}}]"#));
}

#[test]
fn ambiguous_and_malformed_bodies_are_refused() {
    let not_utf8 = Bytes::from_static(b"{\"model\":\"a\",\"messages\":[],\"x\":\"\xff\"}");
    assert_eq!(Scan::of(Operation::ChatCompletions, None, &not_utf8).unwrap_err().code(), ErrorCode::InvalidJson);
    for (body, code, param) in [
        ("", ErrorCode::InvalidJson, ""),
        ("{\"model\":\"m\",\"messages\":[]} {}", ErrorCode::InvalidJson, ""),
        (r#"{"messages":[]}"#, ErrorCode::InvalidRequest, "/model"),
        (r#"{"model":"a","messages":[],"service_tier":"scale"}"#, ErrorCode::InvalidRequest, "/service_tier"),
        (r#"{"model":"a","messages":[],"web_search_options":{}}"#, ErrorCode::InvalidRequest, "/web_search_options"),
        (r#"{"model":"a","messages":[],"modalities":["text","video"]}"#, ErrorCode::InvalidRequest, "/modalities"),
        (r#"{"model":"a","messages":[],"search_parameters":{}}"#, ErrorCode::InvalidRequest, "/search_parameters"),
        (r#"{"model":"a","messages":[{"audio":{"id":"x"}}]}"#, ErrorCode::InvalidRequest, "/messages"),
        (r#"{"model":"a","messages":[],"prediction":{}}"#, ErrorCode::InvalidRequest, "/prediction"),
        (r#"{"model":"a","messages":[],"tools":[{"type":"browser_search"}]}"#, ErrorCode::InvalidRequest, "/tools"),
        (r#"{"model":"a","messages":[],"MAX_TOKENS":9}"#, ErrorCode::InvalidRequest, ""),
        (r#"{"model":"a","meſſages":[],"messages":[]}"#, ErrorCode::InvalidRequest, ""),
        (r#"{"model":"a","messages":[{"Content":"x"}]}"#, ErrorCode::InvalidRequest, "/messages/0"),
        (
            r#"{"model":"a","messages":[{"content":[{"type":"text","Type":"x"}]}]}"#,
            ErrorCode::InvalidRequest,
            "/messages",
        ),
        (r#"{"model":"a","messages":[{"content":[["text"]]}]}"#, ErrorCode::InvalidRequest, "/messages/0"),
        (r#"{"model":"a","messages":[["x"]]}"#, ErrorCode::InvalidRequest, "/messages/0"),
        (
            r#"{"model":"a","messages":[],"tools":[{"type":"function","TYPE":"x"}]}"#,
            ErrorCode::InvalidRequest,
            "/tools",
        ),
        (r#"{"model":"a","messages":[],"stream_options":[false]}"#, ErrorCode::InvalidRequest, "/stream_options"),
        (
            r#"{"model":"a","messages":[],"stream_options":{"Include_usage":true}}"#,
            ErrorCode::InvalidRequest,
            "/stream_options",
        ),
        (r#"{"model":"a","messages":[],"models":["b"]}"#, ErrorCode::InvalidRequest, ""),
        (
            r#"{"model":"a","messages":[{"content":[{"type":"text","cache_control":{"ttl":"1d"}}]}]}"#,
            ErrorCode::InvalidRequest,
            "/messages/0/content/0/cache_control/ttl",
        ),
        (r#"{"model":7,"messages":[]}"#, ErrorCode::InvalidRequest, "/model"),
        (r#"{"model":"a","model":"b","messages":[]}"#, ErrorCode::InvalidRequest, ""),
        (r#"{"model":"a","messages":[],"max_tokens":-1}"#, ErrorCode::InvalidRequest, "/max_tokens"),
        (
            r#"{"model":"a","messages":[],"stream":true,"stream_options":7}"#,
            ErrorCode::InvalidRequest,
            "/stream_options",
        ),
    ] {
        let error = Scan::of(Operation::ChatCompletions, None, &Bytes::copy_from_slice(body.as_bytes())).unwrap_err();
        let found = error.body("").error.param;
        assert!(error.code() == code && found.starts_with(param), "{body}: {error:?}");
    }
}

#[test]
fn fallbacks_are_for_keyward_alone() {
    for (before, after) in [
        (r#"{"fallbacks":["a/b"] , "model":"p/m","messages":[]}"#, r#"{ "model":"m\"2","messages":[]}"#),
        (r#"{"model":"p/m", "fallbacks" : [] ,"messages":[]}"#, r#"{"model":"m\"2" ,"messages":[]}"#),
        (r#"{"model":"p/m","messages":[], "fallb\u0061cks":null }"#, r#"{"model":"m\"2","messages":[] }"#),
        (
            r#"{"fallbacks":[],"model":"p/m","messages":[],"stream":true}"#,
            r#"{"stream_options":{"include_usage":true},"model":"m\"2","messages":[],"stream":true}"#,
        ),
    ] {
        assert_eq!(spliced(before), after);
    }
    let fallbacks = |value: &str| scan(&format!(r#"{{"model":"m","messages":[],"fallbacks":{value}}}"#)).1.fallbacks;
    assert_eq!((fallbacks("null"), fallbacks("[]").map(|all| all.len())), (None, Some(0)));
    let both = fallbacks(r#"["a/b",{"provider":"p","model":"m"}]"#).unwrap();
    assert_eq!(both.iter().filter_map(|one| one.place()).count(), 2);
    for wrong in [r#""a/b""#, "[1]", r#"[{"model":"m"}]"#, r#"[{"provider":"p","model":"m","x":1}]"#] {
        let body = Bytes::from(format!(r#"{{"model":"m","messages":[],"fallbacks":{wrong}}}"#));
        assert_eq!(Scan::of(Operation::ChatCompletions, None, &body).unwrap_err().code(), ErrorCode::InvalidRequest);
    }
}

/// The body with a cap on its output, for a provider.
fn capped(body: &str, provider: &str) -> String {
    let (body, scan) = scan(body);
    let served = Served { provider, model: "m", card: None };
    let spliced = scan.splice(&body, &served, Some(9)).unwrap().joined();
    assert_eq!(Scan::of(scan.operation, in_path(scan.operation), &spliced).unwrap().cap_heeded_by(provider), Some(9));
    String::from_utf8(spliced.to_vec()).unwrap()
}

#[test]
fn a_cap_is_set_where_the_provider_heeds_it() {
    for (provider, before, after) in [
        ("openai", "", r#""max_completion_tokens":9,"#),
        ("deepseek", "", r#""max_tokens":9,"#),
        ("openai", r#""max_tokens" : 70,"#, r#""max_tokens" : 9,"#),
        ("openai", r#""max_tokens":0,"#, r#""max_tokens":9,"#),
        ("openai", r#""max_tokens":null,"#, r#""max_completion_tokens":9,"max_tokens":null,"#),
        ("openai", r#""max_completion_tokens":null,"#, r#""max_completion_tokens":9,"#),
        ("openai", r#""max_completion_tokens":20,"max_tokens":30,"#, r#""max_completion_tokens":9,"max_tokens":9,"#),
        ("openai", r#""max_completion_tokens":5,"max_tokens":30,"#, r#""max_completion_tokens":5,"max_tokens":9,"#),
        ("mistral", r#""max_completion_tokens":20,"#, r#""max_tokens":9,"max_completion_tokens":9,"#),
        ("mistral", r#""max_completion_tokens":5,"#, r#""max_tokens":9,"max_completion_tokens":5,"#),
        // It takes the second, where it is not zero.
        ("vllm", r#""max_tokens":1,"max_completion_tokens":20,"#, r#""max_tokens":1,"max_completion_tokens":9,"#),
    ] {
        let body = |members: &str| format!(r#"{{{members}"model":"m","messages":[]}}"#);
        assert_eq!(capped(&body(before), provider), body(after), "{provider} {before}");
    }
}
