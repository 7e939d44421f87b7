//! What requests about routing rules ask for, and what is refused.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

fn create(body: Value) -> Result<RoutingRule, Invalid> {
    let request: CreateRoutingRule = serde_json::from_value(body).unwrap();
    request.build(&mut Edit { now: Timestamp::UNIX_EPOCH, mint: &mut || Uuid::from_u128(7) })
}

fn update(existing: &RoutingRule, body: Value) -> Result<RoutingRule, Invalid> {
    let request: UpdateRoutingRule = serde_json::from_value(body).unwrap();
    request.apply(existing, &mut Edit { now: Timestamp::UNIX_EPOCH, mint: &mut Uuid::nil })
}

fn refused(result: Result<RoutingRule, Invalid>) -> (String, String) {
    let invalid = result.unwrap_err();
    (invalid.pointer.to_string(), invalid.message)
}

fn rule() -> RoutingRule {
    create(json!({
        "name": "r", "scope": "team", "scope_id": "t", "query": {"a": 1}, "ttft_timeout_ms": 5,
        "targets": [{"provider": "openai", "model": "gpt-4o", "weight": 0.25}, {"provider": "groq", "weight": 0.75}],
        "fallbacks": ["openai/gpt-4o-mini", {"provider": "groq", "model": "a/b"}],
    }))
    .unwrap()
}

#[test]
fn a_name_and_a_target_make_a_global_rule_that_always_applies() {
    for target in [
        json!({"provider": "openai", "model": "m"}),
        json!({"targets": [{"provider": "openai", "model": "m", "key_id": "", "weight": 1}]}),
        json!({"targets": [{"provider": "openai", "model": "m"}], "provider": "", "scope": "", "scope_id": ""}),
    ] {
        let mut body = target;
        body["name"] = "r".into();
        let rule = create(body).unwrap();
        let shown = serde_json::to_value(&rule).unwrap();
        assert_eq!(
            shown,
            json!({
                "id": Uuid::from_u128(7).to_string(), "config_hash": "", "name": "r", "description": "",
                "enabled": true, "chain_rule": false, "cel_expression": "",
                "targets": [{"provider": "openai", "model": "m", "weight": 1.0}],
                "scope": "global", "scope_id": null, "priority": 0,
                "created_at": "1970-01-01T00:00:00Z", "updated_at": "1970-01-01T00:00:00Z",
            })
        );
    }
}

#[test]
fn fallbacks_keep_the_form_in_which_they_were_given() {
    let rule = rule();
    let places: Vec<_> = rule.fallbacks.iter().filter_map(Fallback::place).collect();
    let place = |provider: &str, model: &str| (provider.into(), Some(model.into()));
    assert_eq!(places, [place("openai", "gpt-4o-mini"), place("groq", "a/b")]);
    assert_eq!(Fallback::Text("groq".to_owned()).place(), Some(("groq".into(), None)));
    let shown = serde_json::to_value(&rule.fallbacks).unwrap();
    assert_eq!(shown, json!(["openai/gpt-4o-mini", {"provider": "groq", "model": "a/b"}]));
}

#[test]
fn what_cannot_be_carried_out_is_named() {
    let target = json!([{"provider": "openai"}]);
    let two = |one: f64, other: f64| json!([{"model": "a", "weight": one}, {"model": "b", "weight": other}]);
    for (body, pointer, message) in [
        (json!({"targets": target}), "/name", "name field is required"),
        (json!({"name": "r"}), "/targets", "at least one target is required"),
        (json!({"name": "r", "targets": []}), "/targets", "at least one target is required"),
        (
            json!({"name": "r", "targets": target, "model": "m"}),
            "/model",
            "give either targets or provider and model, not both",
        ),
        (json!({"name": "r", "targets": two(-0.5, 1.5)}), "/targets/0/weight", "each target weight must be positive"),
        (json!({"name": "r", "targets": two(0.5, 0.4)}), "/targets", "target weights must sum to 1, got 0.9000"),
        (json!({"name": "r", "targets": two(1.0, 0.002)}), "/targets", "target weights must sum to 1, got 1.0020"),
        (
            json!({"name": "r", "targets": [{"model": "a", "key_id": "k"}]}),
            "/targets/0/key_id",
            "key_id requires provider to be set",
        ),
        (
            json!({"name": "r", "targets": [{"provider": "p", "model": "m", "weight": 0.5}, {"provider": "p", "model": "m", "weight": 0.5}]}),
            "/targets/1",
            "duplicate target entry: provider=p model=m key_id=",
        ),
        (
            json!({"name": "r", "targets": [{"model": "a\nb"}]}),
            "/targets/0/model",
            "model must have at most 256 bytes and no control characters",
        ),
        (
            json!({"name": "r", "targets": target, "fallbacks": ["a/b", " "]}),
            "/fallbacks/1",
            "fallbacks[1] must not be empty",
        ),
        (
            json!({"name": "r", "targets": target, "fallbacks": ["openai/"]}),
            "/fallbacks/0",
            "fallbacks[0] must be 'provider/model' or a provider",
        ),
        (
            json!({"name": "r", "targets": target, "fallbacks": [{"provider": "", "model": "m"}]}),
            "/fallbacks/0",
            "fallbacks[0] must be 'provider/model' or a provider",
        ),
        (
            json!({"name": "r", "targets": target, "fallbacks": ["a/b", "a/c", "a/d", "a/e", "a/f", "a/g"]}),
            "/fallbacks",
            "a rule has at most 5 fallbacks",
        ),
        (
            json!({"name": "r", "targets": target, "scope": "world"}),
            "/scope",
            "invalid scope \"world\": must be one of: global, team, customer, virtual_key",
        ),
        (
            json!({"name": "r", "targets": target, "scope": "team"}),
            "/scope_id",
            "scope_id field is required when scope is not global",
        ),
        (
            json!({"name": "r", "targets": target, "scope_id": "x"}),
            "/scope_id",
            "scope_id must be absent when scope is global",
        ),
        (
            json!({"name": "r", "targets": target, "ttft_timeout_ms": 0}),
            "/ttft_timeout_ms",
            "ttft_timeout_ms must be at least 1",
        ),
    ] {
        assert_eq!(refused(create(body.clone())), (pointer.to_owned(), message.to_owned()), "{body}");
    }
    assert!(create(json!({"name": "r", "targets": two(0.5, 0.5009)})).is_ok());
    assert!(create(json!({"name": "r", "targets": two(1.0, 0.0)})).is_ok());
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_else() {
    let before = rule();
    assert_eq!(update(&before, json!({})).unwrap(), before);
    assert_eq!(update(&before, json!({"name": ""})).unwrap(), before);
    let after =
        update(&before, json!({"provider": "xai", "fallbacks": null, "query": null, "ttft_timeout_ms": null})).unwrap();
    let only = RoutingTarget { provider: Some("xai".into()), weight: 1.0, ..RoutingTarget::default() };
    let expected = RoutingRule {
        targets: vec![only],
        fallbacks: Vec::new(),
        query: None,
        ttft_timeout_ms: None,
        ..before.clone()
    };
    assert_eq!(after, expected);
    let global = update(&before, json!({"scope": "global"})).unwrap();
    assert_eq!((global.scope, global.scope_id), (RoutingScope::Global, None));
    for (body, message) in [
        (json!({"targets": []}), "at least one routing target is required"),
        (json!({"scope": "customer"}), "scope_id field is required when scope is not global"),
        (json!({"scope_id": null}), "scope_id field is required when scope is not global"),
    ] {
        assert_eq!(refused(update(&before, body)).1, message);
    }
}

proptest! {
    /// Whatever weights pass the check are shares: none is negative, and together they are one.
    #[test]
    fn accepted_weights_are_shares(weights in prop::collection::vec(-0.5_f64..1.5, 1..5)) {
        let targets: Vec<Value> =
            weights.iter().enumerate().map(|(n, weight)| json!({"model": format!("m{n}"), "weight": weight})).collect();
        let sum: f64 = weights.iter().sum();
        let is_fair = weights.iter().all(|weight| *weight >= 0.0) && (0.999..=1.001).contains(&sum);
        prop_assert_eq!(create(json!({"name": "r", "targets": targets})).is_ok(), is_fair);
    }
}
