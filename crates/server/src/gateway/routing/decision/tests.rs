//! Which rule decides, which target is drawn, and how chains end.

use std::sync::Arc;

use keyward_core::limits::Edit;
use keyward_core::routing_rule::CreateRoutingRule;
use serde_json::{Value, json};

use super::*;

fn rules(bodies: Vec<Value>) -> Vec<Arc<CompiledRule>> {
    let made = bodies.into_iter().map(|body| {
        let request: CreateRoutingRule = serde_json::from_value(body).unwrap();
        let edit = &mut Edit { now: jiff::Timestamp::UNIX_EPOCH, mint: &mut uuid::Uuid::new_v4 };
        Arc::new(CompiledRule::new(request.build(edit).unwrap()))
    });
    made.collect()
}

fn asked(provider: &str, model: &str) -> Place {
    Place { provider: Some(provider.into()), model: model.into(), key_id: None }
}

/// Rules that apply to the model in their description; to every one without.
fn decided(rules: &[Arc<CompiledRule>], place: Place, draws: &[f64]) -> Result<Option<Decision>, ApiError> {
    let first = |place: &Place| {
        let applies = |rule: &&Arc<CompiledRule>| {
            rule.rule.description.is_empty() || rule.rule.description == place.model.as_str()
        };
        rules.iter().find(applies).map(Arc::as_ref)
    };
    let mut draws = draws.iter();
    decide(place, first, &mut || *draws.next().unwrap())
}

fn names(decision: Option<Decision>) -> (String, String) {
    let place = decision.unwrap().place;
    (place.provider.unwrap().to_string(), place.model.to_string())
}

#[test]
fn the_draw_decides_by_weight_and_never_for_zero() {
    let targets = json!([
        {"model": "never", "weight": 0}, {"model": "a", "weight": 0.25}, {"model": "b", "weight": 0.75},
        {"model": "neither", "weight": 0},
    ]);
    let rules = rules(vec![json!({"name": "r", "targets": targets})]);
    for (draw, model) in [(0.0, "a"), (0.2499, "a"), (0.25, "b"), (0.9999, "b"), (1.0, "b")] {
        assert_eq!(names(decided(&rules, asked("p", "m"), &[draw]).unwrap()).1, model, "{draw}");
    }
}

#[test]
fn what_a_target_does_not_say_stays() {
    for (target, expected) in [
        (json!({"provider": "q"}), ("q", "m")),
        (json!({"model": "n"}), ("p", "n")),
        (json!({"provider": "q", "model": "n"}), ("q", "n")),
        (json!({}), ("p", "m")),
    ] {
        let rules = rules(vec![json!({"name": "r", "targets": [target]})]);
        let (provider, model) = names(decided(&rules, asked("p", "m"), &[0.5]).unwrap());
        assert_eq!((provider.as_str(), model.as_str()), expected);
    }
}

#[test]
fn a_chain_hands_on_and_keeps_what_later_rules_leave_open() {
    let rules = rules(vec![
        json!({"name": "one", "description": "m", "chain_rule": true, "ttft_timeout_ms": 9, "fallbacks": ["x/y"],
               "targets": [{"provider": "q", "model": "n", "key_id": "k"}]}),
        json!({"name": "two", "description": "n", "model": "o"}),
        json!({"name": "three", "description": "o", "model": "never"}),
    ]);
    let decision = decided(&rules, asked("p", "m"), &[0.0, 0.0]).unwrap().unwrap();
    assert_eq!(decision.place, Place { provider: Some("q".into()), model: "o".into(), key_id: Some("k".into()) });
    assert_eq!((decision.rule, decision.ttft_timeout_ms), (rules[1].rule.id.clone(), Some(9)));
    assert_eq!(decision.fallbacks, [Fallback::Text("x/y".to_owned())]);
    // Nobody is left to look at what the chain came to.
    let decision = decided(&rules[..1], asked("p", "m"), &[0.0]).unwrap();
    assert_eq!(names(decision), ("q".to_owned(), "n".to_owned()));
}

#[test]
fn a_chain_that_changes_nothing_has_ended() {
    let rules = rules(vec![json!({"name": "r", "chain_rule": true, "model": "n"})]);
    assert_eq!(names(decided(&rules, asked("p", "m"), &[0.0, 0.0]).unwrap()).1, "n");
}

#[test]
fn circles_and_endless_chains_end_in_an_error_that_names_the_rules() {
    let circle = rules(vec![
        json!({"name": "there", "description": "a", "chain_rule": true, "model": "b"}),
        json!({"name": "back", "description": "b", "chain_rule": true, "model": "a"}),
    ]);
    let error = decided(&circle, asked("p", "a"), &[0.0; 9]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::RoutingLoop);
    assert_eq!(error.to_string(), "The routing rules go round in a circle: 'there', 'back'");
    let step = |n: usize| json!({"name": format!("r{n}"), "description": format!("m{n}"), "chain_rule": true, "model": format!("m{}", n + 1)});
    let long = rules((0..20).map(step).collect());
    let error = decided(&long, asked("p", "m0"), &[0.0; 20]).unwrap_err();
    assert!(error.to_string().contains("do not come to an end: 'r0', 'r1',"), "{error}");
    assert_eq!(names(decided(&long, asked("p", "m12"), &[0.0; 20]).unwrap()).1, "m20");
}

#[test]
fn no_rule_no_decision() {
    assert_eq!(decided(&[], asked("p", "m"), &[]).unwrap(), None);
}
