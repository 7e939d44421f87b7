//! Where a request goes next: the fallbacks of the rule, those of the request, or whoever else offers the model.

use keyward_core::error_code::ErrorCode;
use keyward_core::routing_rule::{Fallback, FallbackParts};

use super::*;

fn place(text: &str) -> Place {
    let (provider, model) = match text.split_once('/') {
        Some((provider, model)) => (Some(provider.into()), model),
        None => (None, text),
    };
    Place { provider, model: model.into(), key_id: None }
}

/// The places of a plan, when `a`, `b` and so on offer `many`, `a` and `b` offer `two`, and nobody offers anything else.
fn places(rule: Option<(&str, &[&str])>, asked: &str, fallbacks: Option<&[&str]>) -> Vec<String> {
    let decision = rule.map(|(to, fallbacks)| Decision {
        rule: "r".into(),
        place: place(to),
        fallbacks: fallbacks.iter().map(|text| Fallback::Text((*text).to_owned())).collect(),
        ttft_timeout_ms: None,
    });
    let asked = Asked {
        place: place(asked),
        fallbacks: fallbacks.map(|fallbacks| fallbacks.iter().map(|text| place(text)).collect()),
    };
    let offering = |model: &ModelName| match model.as_str() {
        "many" => ["a", "b", "c", "d", "e", "f", "g"].map(Into::into).to_vec(),
        "two" => vec!["a".into(), "b".into()],
        _ => Vec::new(),
    };
    let written = |place: Place| match place.provider {
        Some(provider) => format!("{provider}/{}", place.model),
        None => place.model.to_string(),
    };
    Plan::by(decision, asked, offering).places.into_iter().map(written).collect()
}

#[test]
fn whoever_else_offers_the_model_is_next_when_nobody_says_otherwise() {
    assert_eq!(places(None, "two", None), ["a/two", "b/two"]);
    assert_eq!(places(None, "many", None).len(), 6, "no more than fallbacks may be named");
    assert_eq!(places(None, "a/two", None), ["a/two"], "who names a provider means it");
    assert_eq!(places(None, "unheard-of", None), ["unheard-of"]);
    assert_eq!(places(Some(("two", &[])), "x/y", None), ["a/two", "b/two"]);
}

#[test]
fn the_request_names_its_own_fallbacks_or_none() {
    assert_eq!(places(None, "two", Some(&[])), ["a/two"]);
    assert_eq!(places(None, "x/y", Some(&["z/y", "two"])), ["x/y", "z/y", "a/two"]);
    assert_eq!(places(None, "two", Some(&["two", "two"])), ["a/two", "b/two"], "nobody is asked twice");
}

#[test]
fn the_rule_is_heard_before_the_request() {
    assert_eq!(places(Some(("x/y", &["z"])), "two", Some(&["q/q"])), ["x/y", "z/y"]);
    assert_eq!(places(Some(("x/y", &[])), "two", Some(&["q/q"])), ["x/y", "q/q"]);
    assert_eq!(places(Some(("x/y", &["x/y", "z/w"])), "two", None), ["x/y", "z/w"]);
}

#[test]
fn fallbacks_are_read_as_the_model_is() {
    let parts = FallbackParts { provider: "p".to_owned(), model: "m/n".to_owned() };
    let written = [Fallback::Text("q/r".to_owned()), Fallback::Text("alone".to_owned()), Fallback::Parts(parts)];
    let asked = Asked::of("x/y", Some(&written)).unwrap();
    assert_eq!(asked.fallbacks, Some(vec![place("q/r"), place("alone"), place("p/m/n")]));
    assert_eq!(Asked::of("x/y", None).unwrap().fallbacks, None);
    let many = vec![Fallback::Text("q/r".to_owned()); 6];
    for wrong in [&many[..], &[Fallback::Text(String::new())], &[Fallback::Text("/m".to_owned())]] {
        assert_eq!(Asked::of("x/y", Some(wrong)).err().unwrap().code(), ErrorCode::InvalidRequest);
    }
}
