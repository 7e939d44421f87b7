//! Golden vectors: usage as providers publish it in, classes and their cost out. The files say for each cost how it comes about;
//! they were written by hand, not by this code.

use keyward_core::price::{PicoUsd, Price, PriceSheet, ServiceTier, Variant, bills_as_reported};
use serde_json::Value;

use super::*;

const FILES: [(&str, Shape, &str); 5] = [
    ("openai", Shape::OpenAi, include_str!("vectors/openai.json")),
    ("compatible", Shape::OpenAi, include_str!("vectors/compatible.json")),
    ("responses", Shape::Responses, include_str!("vectors/responses.json")),
    ("anthropic", Shape::Messages, include_str!("vectors/anthropic.json")),
    ("gemini", Shape::GenerateContent, include_str!("vectors/gemini.json")),
];

/// A vector: `answer`, or the data of `events`; `counts` by class, or null when nothing is told; `price` by class, with `variants`; and
/// what that `cost`s in US dollars.
fn vectors() -> Vec<(String, Shape, Value)> {
    let of = |(file, shape, text): (&str, Shape, &str)| {
        let all: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
        let named = all.into_iter().map(|raw| {
            let vector: Value = serde_json::from_str(raw.get()).unwrap();
            (format!("{file}: {}", vector["name"].as_str().unwrap()), shape, vector)
        });
        named.collect::<Vec<_>>()
    };
    FILES.into_iter().flat_map(of).collect()
}

/// Dollars per million tokens, or for one unit, written as texts.
fn sheet(prices: &Value) -> PriceSheet {
    let classes = keyward_core::price::Class::ALL.iter().filter_map(|class| {
        let per_million: PicoUsd = prices.get(class.as_str())?.as_str()?.parse().unwrap();
        let is_unit = class.kind() == keyward_core::price::ClassKind::Unit;
        let picos = if is_unit { per_million.picos() * 1_000_000 } else { per_million.picos() };
        Some((*class, Some(PicoUsd::from_picos(picos))))
    });
    classes.collect()
}

fn price(prices: &Value) -> Price {
    let variants = prices["variants"].as_array().into_iter().flatten().map(|one| Variant {
        tier: one["tier"].as_str().map_or(ServiceTier::Standard, |name| ServiceTier::find(name).unwrap()),
        above_input_tokens: one["above_input_tokens"].as_u64().unwrap_or(0),
        sheet: sheet(one),
    });
    variants.fold(Price::flat(sheet(prices)), Price::with)
}

fn found(shape: Shape, vector: &Value) -> Option<Usage> {
    let Some(events) = vector["events"].as_array() else {
        return of_answer(shape, vector["answer"].to_string().as_bytes()).unwrap();
    };
    let mut reader = Reader::new(shape, vector["answers"].as_u64().unwrap_or(1));
    for event in events {
        let data = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        reader.read(data.as_bytes());
    }
    assert_eq!(Some(reader.is_final()), vector["final"].as_bool(), "{}", vector["name"]);
    reader.usage()
}

#[test]
fn what_providers_publish_costs_what_they_bill() {
    let all = vectors();
    assert!(all.len() >= 60, "{}", all.len());
    for (name, shape, vector) in all {
        assert!(
            vector["why"].is_string() || vector["counts"].is_null(),
            "{name} does not say how its cost comes about"
        );
        let found = found(shape, &vector);
        let counts: Option<TokenUsage> = serde_json::from_value(vector["counts"].clone()).unwrap();
        assert_eq!(found.map(|usage| usage.counts), counts, "{name}");
        let Some(usage) = found else { continue };
        assert_eq!(usage.tier.as_str(), vector["tier"].as_str().unwrap_or("standard"), "{name}");
        let provider = vector["provider"].as_str().unwrap_or_default();
        let reported = usage.reported.filter(|_| bills_as_reported(provider));
        let cost = reported.unwrap_or_else(|| price(&vector["price"]).cost(&usage));
        assert_eq!(cost.to_string(), vector["cost"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn what_tells_nothing_is_no_usage_and_no_error() {
    let none = |shape, usage: &str| assert_eq!(of_answer(shape, usage.as_bytes()).unwrap(), None, "{usage}");
    for usage in ["null", "{}", "7", r#"{"prompt_tokens":10}"#, r#"{"prompt_tokens":-1,"completion_tokens":5}"#] {
        none(Shape::OpenAi, &format!(r#"{{"usage":{usage}}}"#));
    }
    none(Shape::Messages, r#"{"usage":{"input_tokens":5}}"#);
    none(Shape::Responses, r#"{"usage":{"input_tokens":5}}"#);
    none(Shape::GenerateContent, r#"{"usageMetadata":{}}"#);
    none(Shape::OpenAi, "[]");
    none(Shape::OpenAi, r#"{"usage":{},"usage":{}}"#);
    assert!(of_answer(Shape::OpenAi, b"<html>").is_err());
}

#[test]
fn events_say_what_they_are() {
    let said = |shape, data: &str| Reader::new(shape, 1).read(data.as_bytes());
    let (ends, failed) = (Said { ends: true, ..Said::default() }, Said { failed: true, ..Said::default() });
    let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":1}"#;
    let openai = |data: &str| said(Shape::OpenAi, data);
    assert_eq!(openai("[DONE]"), ends);
    assert_eq!(openai(&format!(r#"{{"choices":[],{usage}}}"#)), Said { usage_only: true, ..Said::default() });
    assert_eq!(openai(&format!(r#"{{"choices":[{{"delta":{{}}}}],{usage}}}"#)), Said::default());
    assert_eq!(openai(r#"{"choices":[],"usage":null}"#), Said::default());
    assert_eq!(openai(r#"{"error":{"message":"overloaded"}}"#), failed);
    assert_eq!(openai("not JSON"), Said::default());
    let responses = |data: &str| said(Shape::Responses, data);
    assert_eq!(responses(r#"{"type":"response.output_text.delta","delta":"x"}"#), Said::default());
    assert_eq!(responses(r#"{"type":"response.incomplete","response":{}}"#), ends);
    assert_eq!(responses(r#"{"type":"response.failed","response":{}}"#), Said { ends: true, ..failed });
    assert_eq!(responses(r#"{"type":"error","message":"x"}"#), failed);
    let messages = |data: &str| said(Shape::Messages, data);
    assert_eq!(messages(r#"{"type":"message_stop"}"#), ends);
    assert_eq!(messages(r#"{"type":"ping"}"#), Said::default());
    assert_eq!(messages(r#"{"type":"error","error":{"type":"overloaded_error"}}"#), failed);
    assert_eq!(said(Shape::GenerateContent, r#"{"error":{"code":503}}"#), failed);
}
