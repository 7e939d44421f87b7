//! Explanations agree with what happens, and change nothing.

use keyward_client::{CreateVirtualKey, ExplainRequest, Explanation, StreamExt, VirtualKey};
use serde_json::{Value, json};

use super::{called, chat, rule};
use crate::harness::{Absent, App, Reply, Scripted, Step};

/// A key, what it calls before anything is asked, what it asks for then, and the error that it gets; none: it is served.
struct Situation {
    key: Value,
    before: usize,
    ask: Value,
    error: Option<&'static str>,
}

fn situation(key: Value, model: &str, error: Option<&'static str>) -> Situation {
    let ask = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] });
    Situation { key, before: 0, ask, error }
}

fn situations() -> Vec<Situation> {
    let budget = |dollars: f64| json!({ "budget": { "max_limit": dollars, "reset_duration": "1d" } });
    let rate = |limit: Value| json!({ "rate_limit": limit });
    let hour = |request: i64| json!({ "request_max_limit": request, "request_reset_duration": "1h" });
    let tokens = |most: i64, how: &str| {
        rate(json!({ "token_max_limit": most, "token_reset_duration": "1h", "enforcement": how }))
    };
    let mut capped = situation(budget(0.003), "demo/echo", Some("budget_exceeded"));
    capped.ask["max_completion_tokens"] = 5_000.into();
    let mut tiered = situation(budget(1.0), "demo/echo", Some("model_price_unknown"));
    tiered.ask["service_tier"] = "priority".into();
    vec![
        situation(json!({}), "demo/echo", None),
        situation(budget(1.0), "demo/echo", None),
        // Clamped: the whole of the model's output does not fit.
        situation(budget(0.003), "demo/echo", None),
        capped,
        situation(budget(0.000_001), "demo/echo", Some("budget_exceeded")),
        Situation { before: 1, ..situation(rate(hour(1)), "demo/echo", Some("request_limited")) },
        situation(rate(hour(1)), "demo/echo", None),
        situation(tokens(5, "hard"), "demo/echo", Some("token_limited")),
        situation(tokens(5, "soft"), "demo/echo", None),
        Situation { before: 1, ..situation(tokens(5, "soft"), "demo/echo", Some("token_limited")) },
        situation(tokens(5, "shadow"), "demo/echo", None),
        situation(budget(1.0), "openai/no-such-model", Some("model_price_unknown")),
        situation(
            json!({ "provider_configs": [{ "provider": "demo", "allowed_models": ["echo"] }] }),
            "demo/other",
            Some("model_blocked"),
        ),
        situation(json!({ "provider_configs": [] }), "demo/echo", Some("provider_blocked")),
        situation(json!({}), "nobody/echo", Some("provider_not_found")),
        situation(json!({}), "unheard-of", Some("invalid_request")),
        situation(json!({}), "", Some("invalid_request")),
        situation(json!({ "is_active": false }), "demo/echo", Some("virtual_key_blocked")),
        tiered,
    ]
}

async fn explained(app: &App, key: &VirtualKey, body: &Value) -> Explanation {
    app.client.request_explain(&ExplainRequest::of_chat(key.id.clone(), body).unwrap()).await.unwrap()
}

async fn sent(app: &App, key: &VirtualKey, body: &Value) -> Reply {
    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    raw.body(body.to_string()).send().await
}

async fn made(app: &App, key: Value) -> VirtualKey {
    app.key(serde_json::from_value::<CreateVirtualKey>(with_name(key)).unwrap()).await
}

fn with_name(mut key: Value) -> Value {
    key["name"] = "any".into();
    key
}

/// The error without what differs from request to request.
fn nameless(mut body: Value) -> Value {
    body["event_id"] = Value::Null;
    body["error"]["event_id"] = Value::Null;
    body
}

/// The refusal word for word, else the same cap, provider and model.
fn agrees(explanation: &Explanation, reply: &Reply) {
    assert_eq!(explanation.admitted, reply.status == 200, "{explanation:#?}");
    match &explanation.refusal {
        Some(refusal) => {
            assert_eq!(nameless(serde_json::to_value(refusal).unwrap()), nameless(reply.json()));
            assert_eq!((&explanation.hold, explanation.output_cap), (&None, None));
        }
        None => {
            let destination = explanation.destination.as_ref().unwrap();
            let told = [reply.header("x-keyward-provider"), reply.header("x-keyward-model")];
            assert_eq!(told, [destination.provider.as_str(), destination.model.as_str()]);
            let cap = explanation.output_cap.map(|cap| cap.to_string()).unwrap_or_default();
            assert_eq!(reply.header("x-keyward-output-cap"), cap);
            let rule = destination.routing_rule.as_ref().map_or("", |rule| rule.as_str());
            assert_eq!(reply.header("x-keyward-routing-rule"), rule);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_is_what_happens_and_asking_for_it_changes_nothing() {
    let app = App::start().await;
    let absent = Absent::reserve();
    app.provider("openai", absent.base_url()).await;
    for Situation { key, before, ask, error } in situations() {
        let key = made(&app, key).await;
        for _ in 0..before {
            assert_eq!(called(&app, &key, "demo/echo").await.status, 200);
        }
        let (bill, usage) = (app.simulator.bill().requests, app.caller(&key).virtual_key_quota().await.unwrap());
        let explanation = explained(&app, &key, &ask).await;
        let again = explained(&app, &key, &ask).await;
        assert_eq!(
            (again.admitted, &again.hold, &again.meters),
            (explanation.admitted, &explanation.hold, &explanation.meters)
        );
        assert_eq!(app.simulator.bill().requests, bill);
        assert_eq!(app.caller(&key).virtual_key_quota().await.unwrap(), usage);
        let code = explanation.refusal.as_ref().map(|refusal| refusal.kind.as_str());
        assert_eq!(code, error, "{ask}");
        agrees(&explanation, &sent(&app, &key, &ask).await);
    }
}

/// Every meter in checking order, with what it reads and what the request would reserve on it.
#[tokio::test(flavor = "multi_thread")]
async fn every_meter_is_shown() {
    let app = App::start().await;
    let key = made(
        &app,
        json!({
            "budget": { "max_limit": 0.000_001, "reset_duration": "never", "enforcement": "shadow" },
            "rate_limit": { "token_max_limit": 9000, "token_reset_duration": "1h", "output_clamp": "never" },
            "max_parallel_requests": 2,
        }),
    )
    .await;
    let body = json!({ "model": "demo/echo", "max_tokens": 10, "messages": [{ "role": "user", "content": "hi" }] });
    let explanation = explained(&app, &key, &body).await;
    let hold = explanation.hold.unwrap();
    assert_eq!((hold.output_tokens, hold.input_tokens), (10, body.to_string().len() as u64 + 64));
    assert_eq!(hold.cost, super::demo_cost(hold.input_tokens, 10));
    let meters = serde_json::to_value(&explanation.meters).unwrap();
    let shown = |at: usize, names: &[&str]| names.iter().map(|name| meters[at][*name].clone()).collect::<Vec<_>>();
    let names = ["metric", "enforcement", "output_clamp", "limit_value", "requested", "would_refuse", "window_end"];
    assert_eq!(
        shown(0, &names[..6]),
        [json!("parallel_requests"), json!("hard"), json!("never"), json!(2), json!(1), json!(false)]
    );
    let tokens = hold.input_tokens + 10;
    assert_eq!(
        shown(1, &names[..6]),
        [json!("tokens"), json!("soft"), json!("never"), json!(9000), json!(tokens), json!(false)]
    );
    assert_eq!(shown(2, &names[..3]), [json!("cost"), json!("shadow"), json!("when_absent")]);
    assert_eq!(shown(2, &names[5..]), [json!(true), Value::Null]);
    assert_eq!(meters.as_array().unwrap().len(), 3);
    assert_eq!(explanation.destination.unwrap().provider.as_str(), "demo");
}

/// The cap is said that the request would get, and what is held with it fits what is left.
#[tokio::test(flavor = "multi_thread")]
async fn a_clamp_is_shown_with_what_it_makes_of_the_hold() {
    let app = App::start().await;
    let key = made(&app, json!({ "budget": { "max_limit": 0.003, "reset_duration": "1d" } })).await;
    let body = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": "hi" }] });
    let explanation = explained(&app, &key, &body).await;
    let hold = explanation.hold.unwrap();
    assert_eq!(explanation.output_cap, Some(hold.output_tokens));
    assert!(hold.cost <= "0.003".parse().unwrap() && hold.output_tokens > 0);
}

/// What runs takes its slot, and is seen as held.
#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_are_counted() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let piece = "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[]}\n\n";
    let script = [head, piece].map(|text| Step::Send(text.as_bytes().to_vec()));
    let upstream = Scripted::start([&script[..], &[Step::Wait]].concat()).await;
    let app = App::start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = made(&app, json!({ "max_parallel_requests": 1 })).await;
    let model = "openai/gpt-4o-mini";
    let mut running = app.caller(&key).chat_completion_stream(&chat(model, "hi")).await.unwrap();
    assert!(running.next().await.is_some());
    let body = json!({ "model": model, "messages": [] });
    let explanation = explained(&app, &key, &body).await;
    assert_eq!(serde_json::to_value(explanation.meters[0].held).unwrap(), 1);
    let reply = sent(&app, &key, &body).await;
    assert_eq!((reply.status, reply.header("retry-after"), reply.header("retry-after-ms")), (429, "1", "1000"));
    assert_eq!(reply.header("x-should-retry"), "true");
    agrees(&explanation, &reply);
    upstream.go_on();
}

/// Rules are asked as for a real request, and the next place is tried where that would be; a rule that fails is not remembered.
#[tokio::test(flavor = "multi_thread")]
async fn routes_are_the_gateways_own() {
    let app = App::start().await;
    let absent = Absent::reserve();
    app.provider("openai", absent.base_url()).await;
    let broken = json!({ "name": "broken", "cel_expression": "headers[\"x-none\"] == \"a\"", "priority": 1, "targets": [{ "provider": "openai", "weight": 1 }] });
    let broken = rule(&app, broken).await;
    let moved = json!({
        "name": "moved", "cel_expression": "model == \"routed\"", "priority": 2,
        "targets": [{ "provider": "openai", "model": "no-such-model", "weight": 1 }], "fallbacks": ["demo/echo"],
    });
    let moved = rule(&app, moved).await;
    let key = made(&app, json!({ "budget": { "max_limit": 1, "reset_duration": "1d" } })).await;
    let body = json!({ "model": "demo/routed", "messages": [{ "role": "user", "content": "hi" }] });
    let explanation = explained(&app, &key, &body).await;
    assert_eq!(explanation.destination.as_ref().unwrap().routing_rule, Some(moved.id));
    assert_eq!(app.client.routing_rule_get(&broken.id).await.unwrap().last_error, None);
    agrees(&explanation, &sent(&app, &key, &body).await);
    assert!(app.client.routing_rule_get(&broken.id).await.unwrap().last_error.is_some());
}

/// Each dialect's own cap bounds what is held.
#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_is_understood() {
    let app = App::start().await;
    let nobody = Absent::reserve();
    app.provider("anthropic", nobody.base_url()).await;
    app.provider("gemini", nobody.base_url()).await;
    let key = made(&app, json!({})).await;
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let config = json!({ "maxOutputTokens": 9 });
    for (dialect, model, body, output) in [
        ("chat_completions", None, json!({ "model": "demo/echo", "max_tokens": 9, "messages": messages }), 9),
        ("completions", None, json!({ "model": "demo/echo", "max_tokens": 9, "prompt": "hi" }), 9),
        ("responses", None, json!({ "model": "demo/echo", "max_output_tokens": 9, "input": "hi" }), 9),
        ("messages", None, json!({ "model": "claude-haiku-4-5", "max_tokens": 9, "messages": messages }), 9),
        ("embeddings", None, json!({ "model": "demo/echo", "input": "hi" }), 0),
        (
            "generate_content",
            Some("gemini-2.5-flash"),
            json!({ "contents": [{ "parts": [{ "text": "hi" }] }], "generationConfig": config }),
            9,
        ),
    ] {
        let mut request = json!({ "virtual_key_id": key.id, "dialect": dialect, "body": body });
        if let Some(model) = model {
            request["model"] = model.into();
        }
        let explanation =
            app.client.request_explain(&serde_json::from_str(&request.to_string()).unwrap()).await.unwrap();
        let hold = explanation.hold.unwrap_or_else(|| panic!("{dialect}: {:?}", explanation.refusal));
        assert_eq!(hold.output_tokens, output, "{dialect}");
        assert!(hold.input_tokens > 0, "{dialect}");
    }
    let misplaced =
        json!({ "virtual_key_id": key.id, "model": "demo/echo", "body": { "model": "demo/echo", "messages": [] } });
    let explanation = app.client.request_explain(&serde_json::from_str(&misplaced.to_string()).unwrap()).await.unwrap();
    assert_eq!(explanation.refusal.unwrap().error.param, "/model");
}

/// What is wrong with the question, and not with the request that it is about.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_read_is_refused() {
    let app = App::start().await;
    let key = made(&app, json!({})).await;
    let id = key.id.as_str();
    for (body, expected) in [
        (json!({ "virtual_key_id": "none", "body": {} }), (404, "not_found", "")),
        (json!({ "virtual_key_id": id }), (400, "invalid_request", "/body")),
        (json!({ "body": {} }), (400, "invalid_request", "/virtual_key_id")),
        (json!({ "virtual_key_id": id, "body": {}, "dialekt": "messages" }), (400, "unknown_field", "/dialekt")),
        (json!({ "virtual_key_id": id, "body": {}, "dialect": "morse" }), (400, "invalid_request", "/dialect")),
    ] {
        let reply = app.raw("POST", "/api/governance/explain").body(body.to_string()).send().await;
        let (status, code, param) = reply.error();
        assert_eq!((status, code.as_str(), param.as_str()), expected, "{body}");
    }
}
