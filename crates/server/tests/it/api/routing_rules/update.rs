//! `PUT /api/routing/rules/{rule_id}`

use serde_json::json;

use super::{EARLIER, RULES, made, simple, told, with};
use crate::api::done;
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays() {
    let app = App::start().await;
    let more = json!({
        "description": "d", "cel_expression": "model == 'a'", "query": { "rules": [] }, "priority": 7,
        "fallbacks": ["demo/b"], "ttft_timeout_ms": 5, "chain_rule": true,
    });
    let before = done(&app, "POST", RULES, with(simple("r"), more)).await["rule"].clone();
    let path = format!("{EARLIER}/{}", before["id"].as_str().unwrap());
    let answer = done(&app, "PUT", &path, json!({ "name": "" })).await;
    assert_eq!(answer["message"], "Routing rule updated successfully");
    let unchanged = with(before.clone(), json!({ "updated_at": answer["rule"]["updated_at"] }));
    assert_eq!(answer["rule"], unchanged);
    let targets = json!([{ "model": "x", "weight": 0.5 }, { "model": "y", "weight": 0.5 }]);
    let edit = json!({ "name": "s", "enabled": false, "targets": targets, "query": null, "fallbacks": [] });
    let after = done(&app, "PUT", &path, edit).await["rule"].clone();
    let mut expected =
        with(before, json!({ "name": "s", "enabled": false, "targets": targets, "updated_at": after["updated_at"] }));
    let members = expected.as_object_mut().unwrap();
    members.remove("query");
    members.remove("fallbacks");
    assert_eq!(after, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_carried_out_changes_nothing() {
    let app = App::start().await;
    made(&app, simple("taken")).await;
    let id = made(&app, simple("r")).await;
    let path = format!("{RULES}/{id}");
    let before = app.raw("GET", &path).send().await.json();
    for (body, status, param, message) in [
        (json!({ "targets": [] }), 400, "/targets", "at least one routing target is required"),
        (json!({ "targets": [{ "weight": 2 }] }), 400, "/targets", "target weights must sum to 1, got 2.0000"),
        (json!({ "scope": "team" }), 400, "/scope_id", "scope_id field is required when scope is not global"),
        (json!({ "fallbacks": ["x/y"] }), 400, "/fallbacks/0", "fallbacks[0] has an unknown provider prefix: x"),
        (json!({ "name": "taken" }), 409, "/name", "A routing rule with this name already exists"),
    ] {
        let told = told(&app, "PUT", &path, &body).await;
        assert_eq!(told, (status, param.to_owned(), message.to_owned()), "{body}");
    }
    let broken = told(&app, "PUT", &path, &json!({ "cel_expression": "1 +" })).await;
    assert_eq!((broken.0, broken.1.as_str()), (400, "/cel_expression"));
    assert_eq!(app.raw("GET", &path).send().await.json(), before);
    let unknown = told(&app, "PUT", &format!("{RULES}/none"), &json!({})).await;
    assert_eq!(unknown, (404, String::new(), "Routing rule not found".to_owned()));
}
