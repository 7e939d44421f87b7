//! Routing rules in force: which one decides, what it may say, and what it may not.

use keyward_client::{
    CreateCustomer, CreateTeam, CreateVirtualKey, ErrorCode, ProviderConfigInput, UpdateRoutingRule, VirtualKey,
};
use serde_json::{Value, json};

use super::{called, rule, served, with_budget};
use crate::harness::App;

fn to(name: &str, model: &str, more: Value) -> Value {
    let mut body = json!({ "name": name, "provider": "demo", "model": model });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A key of a team of a customer.
async fn member(app: &App) -> (VirtualKey, String, String) {
    let customer = CreateCustomer { name: "acme".to_owned(), ..CreateCustomer::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer.id;
    let team = CreateTeam { name: "red".to_owned(), customer_id: Some(customer.clone()), ..CreateTeam::default() };
    let team = app.client.team_create(&team).await.unwrap().team.id;
    let key = app.key(CreateVirtualKey { team_id: Some(team.clone()), ..CreateVirtualKey::default() }).await;
    (key, team.to_string(), customer.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_narrowest_scope_decides_and_within_it_the_lowest_priority() {
    let app = App::start().await;
    let (key, team, customer) = member(&app).await;
    let stranger = app.key(CreateVirtualKey::default()).await;
    let mut last = String::new();
    for (scope, id, priority, model) in [
        ("global", None, 5, "global-5"),
        ("global", None, 1, "global-1"),
        ("customer", Some(customer), 9, "customer"),
        ("team", Some(team), 9, "team"),
        ("virtual_key", Some(key.id.to_string()), 9, "key-9"),
        ("virtual_key", Some(key.id.to_string()), -3, "key-3"),
    ] {
        let scope = json!({ "scope": scope, "scope_id": id, "priority": priority });
        let made = rule(&app, to(model, model, scope)).await;
        let reply = called(&app, &key, "demo/echo").await;
        assert_eq!(served(&reply), (200, "demo", model));
        assert_eq!(reply.header("x-keyward-routing-rule"), made.id.as_str());
        last = made.id.to_string();
    }
    assert_eq!(served(&called(&app, &stranger, "demo/echo").await), (200, "demo", "global-1"));
    // An edit and a deletion are in force at once, and so is everything after a restart.
    let off = UpdateRoutingRule { enabled: Some(false), ..UpdateRoutingRule::default() };
    app.client.routing_rule_update(&last.as_str().into(), &off).await.unwrap();
    assert_eq!(served(&called(&app, &key, "demo/echo").await).2, "key-9");
    app.client.routing_rule_delete(&last.as_str().into()).await.unwrap();
    let app = app.restarted().await;
    assert_eq!(served(&called(&app, &key, "demo/echo").await).2, "key-9");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rule_that_applies_the_request_goes_where_it_asks() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    rule(&app, to("never", "other", json!({ "cel_expression": "false" }))).await;
    rule(&app, to("off", "other", json!({ "enabled": false }))).await;
    let reply = called(&app, &key, "demo/echo").await;
    assert_eq!(served(&reply), (200, "demo", "echo"));
    assert_eq!(reply.header("x-keyward-routing-rule"), "");
    assert_eq!(reply.json()["model"], "echo");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_reads_request_owner_and_usage() {
    let app = App::start().await;
    let (key, team, customer) = member(&app).await;
    let expressions = [
        "model == 'echo' && provider == 'demo' && request_type == 'chat_completion'".to_owned(),
        "headers['x-tier'] == 'gold' && !('x-bf-vk' in headers)".to_owned(),
        "params['color'] == 'red'".to_owned(),
        format!("virtual_key_id == '{}' && virtual_key_name.startsWith('key ')", key.id),
        format!("team_id == '{team}' && team_name == 'red'"),
        format!("customer_id == '{customer}' && customer_name == 'acme'"),
        "budget_used == 0.0 && tokens_used == 0.0 && request == 0.0 && estimated_input_tokens > 5".to_owned(),
    ];
    for (index, expression) in expressions.iter().enumerate() {
        let model = format!("seen-{index}");
        let made = rule(&app, to(&model, &model, json!({ "cel_expression": expression }))).await;
        let body = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": "hi" }] }).to_string();
        let request = app.raw("POST", "/v1/chat/completions?color=red").header("X-Tier", "gold");
        let reply = request.header("x-bf-vk", key.value.expose()).body(body).send().await;
        assert_eq!(served(&reply), (200, "demo", model.as_str()), "{expression}");
        app.client.routing_rule_delete(&made.id).await.unwrap();
    }
    let spender = app.key(with_budget("0.01")).await;
    rule(&app, to("spent", "cheap", json!({ "cel_expression": "budget_used > 0.0" }))).await;
    let body = json!({ "model": "demo/echo", "max_tokens": 5, "messages": [{ "role": "user", "content": "hi" }] });
    let call = || app.raw("POST", "/v1/chat/completions").header("x-bf-vk", spender.value.expose());
    assert_eq!(served(&call().body(body.to_string()).send().await), (200, "demo", "echo"));
    assert_eq!(call().body(body.to_string()).send().await.error().1, "model_price_unknown", "the rule chose 'cheap'");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_evaluated_is_reported_and_passed_over() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let broken = rule(&app, to("broken", "x", json!({ "cel_expression": "headers['x-none'] == 'a'" }))).await;
    rule(&app, to("next", "next", json!({ "priority": 1 }))).await;
    assert_eq!(served(&called(&app, &key, "demo/echo").await), (200, "demo", "next"));
    let shown = app.client.routing_rule_get(&broken.id).await.unwrap().last_error.unwrap();
    assert!(shown.message.contains("x-none"), "{shown:?}");
    let metrics = app.raw("GET", "/metrics").send().await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("keyward_routing_rule_failures_total 1\n"), "{metrics}");
    // The edit of another rule keeps the failure, its own edit clears it.
    rule(&app, to("other", "x", json!({ "priority": 2 }))).await;
    assert_eq!(app.client.routing_rule_get(&broken.id).await.unwrap().last_error, Some(shown));
    let mended = UpdateRoutingRule { cel_expression: Some("false".to_owned()), ..UpdateRoutingRule::default() };
    app.client.routing_rule_update(&broken.id, &mended).await.unwrap();
    assert_eq!(app.client.routing_rule_get(&broken.id).await.unwrap().last_error, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn chained_rules_look_again_and_a_circle_is_an_error() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let when =
        |model: &str, chain: bool| json!({ "cel_expression": format!("model == '{model}'"), "chain_rule": chain });
    rule(&app, to("one", "b", when("a", true))).await;
    let last = rule(&app, to("two", "c", when("b", false))).await;
    let reply = called(&app, &key, "demo/a").await;
    assert_eq!(served(&reply), (200, "demo", "c"));
    assert_eq!(reply.header("x-keyward-routing-rule"), last.id.as_str());
    rule(&app, to("back", "a", when("b", true)).clone()).await;
    app.client.routing_rule_delete(&last.id).await.unwrap();
    let reply = called(&app, &key, "demo/a").await;
    assert_eq!((reply.status, reply.error().1), (500, ErrorCode::RoutingLoop.to_string()));
    let message = reply.json()["error"]["message"].clone();
    assert_eq!(message, "The routing rules go round in a circle: 'one', 'back'");
    assert_eq!(app.simulator.bill().requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_share_the_requests_by_weight() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let targets = json!([
        { "model": "a", "weight": 0.5 }, { "model": "b", "weight": 0.5 }, { "model": "never", "weight": 0 },
    ]);
    rule(&app, json!({ "name": "shared", "targets": targets })).await;
    let mut models = std::collections::BTreeSet::new();
    for _ in 0..60 {
        models.insert(served(&called(&app, &key, "demo/echo").await).2.to_owned());
    }
    assert_eq!(models, ["a", "b"].map(str::to_owned).into());
}

/// A rule chooses, the virtual key permits.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_never_widens_what_a_key_may_use() {
    let app = App::start().await;
    app.provider("other", app.simulator.base_url()).await;
    let keys = app.client.provider_key_list(&"demo".into()).await.unwrap().keys;
    let only = ProviderConfigInput {
        provider: Some("demo".into()),
        allowed_models: Some(vec!["echo".to_owned()].try_into().unwrap()),
        key_ids: Some(Vec::new()),
        ..ProviderConfigInput::default()
    };
    let free = ProviderConfigInput { key_ids: None, ..only.clone() };
    let with = |config| CreateVirtualKey { provider_configs: Some(vec![config]), ..CreateVirtualKey::default() };
    let (free, keyless) = (app.key(with(free)).await, app.key(with(only)).await);
    for (target, key, status, code) in [
        (json!({ "provider": "other" }), &free, 403, "provider_blocked"),
        (json!({ "model": "echo-2" }), &free, 403, "model_blocked"),
        (json!({ "provider": "demo", "key_id": keys[0].id }), &keyless, 503, "provider_key_unavailable"),
    ] {
        let made = rule(&app, json!({ "name": "wide", "targets": [target] })).await;
        let reply = called(&app, key, "demo/echo").await;
        assert_eq!((reply.status, reply.error().1.as_str()), (status, code));
        app.client.routing_rule_delete(&made.id).await.unwrap();
    }
    let pinned = json!({ "name": "pinned", "targets": [{ "provider": "demo", "key_id": keys[0].id }] });
    rule(&app, pinned).await;
    assert_eq!(served(&called(&app, &free, "demo/echo").await), (200, "demo", "echo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_of_a_deleted_team_is_shown_and_ignored() {
    let app = App::start().await;
    let (key, team, _) = member(&app).await;
    let made = rule(&app, to("team", "team", json!({ "scope": "team", "scope_id": team }))).await;
    assert_eq!(served(&called(&app, &key, "demo/echo").await).2, "team");
    app.client.team_delete(&team.as_str().into()).await.unwrap();
    assert_eq!(served(&called(&app, &key, "demo/echo").await).2, "echo");
    assert_eq!(app.client.routing_rule_get(&made.id).await.unwrap(), made);
    // What was not changed is not checked again.
    let request = UpdateRoutingRule { priority: Some(3), ..UpdateRoutingRule::default() };
    assert_eq!(app.client.routing_rule_update(&made.id, &request).await.unwrap().rule.priority, 3);
}
