//! `POST /api/routing/rules`

use serde_json::json;

use super::{EARLIER, RULES, made, simple, told, with};
use crate::api::{TEAMS, done};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn both_paths_make_the_same_thing() {
    let app = App::start().await;
    for (path, name) in [(RULES, "new"), (EARLIER, "old")] {
        let answer = done(&app, "POST", path, simple(name)).await;
        assert_eq!(answer["message"], "Routing rule created successfully");
        let rule = &answer["rule"];
        assert_eq!(
            (&rule["scope"], &rule["scope_id"], &rule["enabled"]),
            (&json!("global"), &json!(null), &json!(true))
        );
        for path in [RULES, EARLIER] {
            let read = app.raw("GET", &format!("{path}/{}", rule["id"].as_str().unwrap())).send().await;
            assert_eq!(read.json(), json!({ "rule": rule }));
            assert!(!read.header("etag").is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_unique_within_its_scope() {
    let app = App::start().await;
    made(&app, simple("r")).await;
    let taken = told(&app, "POST", RULES, &simple("r")).await;
    assert_eq!(taken, (409, "/name".to_owned(), "A routing rule with this name already exists".to_owned()));
    let team = done(&app, "POST", TEAMS, json!({ "name": "red" })).await["team"]["id"].clone();
    let in_team = with(simple("r"), json!({ "scope": "team", "scope_id": team }));
    made(&app, in_team.clone()).await;
    assert_eq!(told(&app, "POST", RULES, &in_team).await.0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused() {
    let app = App::start().await;
    let target = json!([{ "provider": "demo" }]);
    for (body, param, message) in [
        (json!({ "targets": target }), "/name", "name field is required"),
        (json!({ "name": "r" }), "/targets", "at least one target is required"),
        (
            json!({ "name": "r", "targets": [{ "weight": -1 }, { "model": "a", "weight": 2 }] }),
            "/targets/0/weight",
            "each target weight must be positive",
        ),
        (
            json!({ "name": "r", "targets": [{ "key_id": "k" }] }),
            "/targets/0/key_id",
            "key_id requires provider to be set",
        ),
        (
            json!({ "name": "r", "targets": [{ "model": "m", "weight": 0.5 }, { "model": "m", "weight": 0.5 }] }),
            "/targets/1",
            "duplicate target entry: provider= model=m key_id=",
        ),
        (
            json!({ "name": "r", "targets": [{ "weight": 0.3 }] }),
            "/targets",
            "target weights must sum to 1, got 0.3000",
        ),
        (
            json!({ "name": "r", "targets": [{ "provider": "none" }] }),
            "/targets/0/provider",
            "invalid provider name: none",
        ),
        (
            json!({ "name": "r", "targets": [{ "provider": "demo", "key_id": "none" }] }),
            "/targets/0/key_id",
            "key 'none' of provider 'demo' not found",
        ),
        (
            json!({ "name": "r", "targets": target, "fallbacks": [""] }),
            "/fallbacks/0",
            "fallbacks[0] must not be empty",
        ),
        (
            json!({ "name": "r", "targets": target, "fallbacks": ["demo/a", "x/y"] }),
            "/fallbacks/1",
            "fallbacks[1] has an unknown provider prefix: x",
        ),
        (
            json!({ "name": "r", "targets": target, "scope": "user" }),
            "/scope",
            "invalid scope \"user\": must be one of: global, team, customer, virtual_key",
        ),
        (
            json!({ "name": "r", "targets": target, "scope": "team" }),
            "/scope_id",
            "scope_id field is required when scope is not global",
        ),
        (
            json!({ "name": "r", "targets": target, "scope": "virtual_key", "scope_id": "x" }),
            "/scope_id",
            "virtual key 'x' not found: record not found",
        ),
        (
            json!({ "name": "r", "targets": target, "scope": "team", "scope_id": "x" }),
            "/scope_id",
            "team 'x' not found: record not found",
        ),
        (
            json!({ "name": "r", "targets": target, "scope": "customer", "scope_id": "x" }),
            "/scope_id",
            "customer 'x' not found: record not found",
        ),
        (json!({ "name": "r", "targets": target, "cel": "true" }), "/cel", "unknown field 'cel'"),
    ] {
        let (status, at, told) = told(&app, "POST", RULES, &body).await;
        assert_eq!((status, at.as_str(), told.as_str()), (400, param, message), "{body}");
    }
    assert_eq!(app.raw("GET", RULES).send().await.json()["total_count"], 0);
}

/// What would overflow a stack, or never end, is refused in words, and the server lives on.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_expressions_are_refused() {
    let app = App::start().await;
    for expression in [
        "1 +".to_owned(),
        format!("{}1{}", "(".repeat(500), ")".repeat(500)),
        format!("1{} == 1", "+1".repeat(500)),
        format!("a{}", ".b".repeat(500)),
        "[1,2].map(a,[1,2].map(b,[1,2].map(c,[1,2].map(d,d)))) == []".to_owned(),
        "x".repeat(1_025),
        "request.model == 'gpt-4o'".to_owned(),
    ] {
        let body = with(simple("hostile"), json!({ "cel_expression": expression }));
        let (status, at, message) = told(&app, "POST", RULES, &body).await;
        assert_eq!((status, at.as_str()), (400, "/cel_expression"), "{expression}");
        assert!(message.starts_with("invalid CEL expression: "), "{message}");
    }
    made(&app, with(simple("peaceful"), json!({ "cel_expression": "model == 'a'" }))).await;
}
