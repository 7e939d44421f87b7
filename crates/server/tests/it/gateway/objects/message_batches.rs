//! Batches of messages, in Anthropic's dialect.

use std::time::Duration;

use keyward_client::{BudgetInput, CreateVirtualKey, Enforcement, ResetDuration};
use serde_json::{Value, json};

use super::call;
use crate::gateway::with_budget;
use crate::harness::{App, Routed};

const PATH: &str = "/anthropic/v1/messages/batches";
const BEGUN: &str = r#"{"id":"msgbatch_1","type":"message_batch","processing_status":"in_progress"}"#;

fn wanted(model: &str) -> String {
    format!(
        r#"{{"requests":[{{"custom_id":"a","params":{{"model":"{model}","max_tokens":5,"messages":[]}}}}, {{"custom_id":"b","params":{{"model":"{model}","max_tokens":6,"messages":[]}}}}]}}"#
    )
}

fn results() -> String {
    let succeeded = json!({ "custom_id": "a", "result": { "type": "succeeded", "message": {
        "model": "claude-haiku-4-5-20251001", "type": "message",
        // As its own dialect tells it, and as readers of others would.
        "usage": { "input_tokens": 1_000, "output_tokens": 100, "prompt_tokens": 1_000, "completion_tokens": 100 },
    } } });
    let errored = json!({ "custom_id": "b", "result": { "type": "errored", "error": {} } });
    format!("{succeeded}\n{errored}\n")
}

fn code(body: &Value) -> String {
    body.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_messages_is_charged_when_its_owner_sees_its_end() {
    let app = App::builder().settings(|settings| settings.batch_interval = Duration::from_secs(3_600)).start().await;
    let upstream = Routed::start(&[
        ("POST /v1/messages/batches ", BEGUN),
        ("POST /v1/messages/batches/msgbatch_1/cancel ", BEGUN),
        ("GET /v1/messages/batches/msgbatch_1/results ", &results()),
    ])
    .await;
    app.provider("anthropic", upstream.base_url()).await;
    let budget = BudgetInput::new("1".parse().unwrap(), ResetDuration::days(1));
    let budget = BudgetInput { enforcement: Enforcement::Soft.into(), ..budget };
    let request = CreateVirtualKey { budget: budget.into(), ..CreateVirtualKey::default() };
    let (key, other) = (app.key(request).await, app.key(CreateVirtualKey::default()).await);
    let begun = call(&app, &key, "POST", PATH, &wanted("anthropic/claude-haiku-4-5")).await;
    assert_eq!((begun.status, begun.body.as_slice()), (200, BEGUN.as_bytes()));
    let sent = upstream.requests()[0].clone();
    assert!(sent.ends_with(&wanted("claude-haiku-4-5")), "{sent}");
    assert!(sent.contains("anthropic-version: ") && sent.contains("x-api-key: fake-provider-secret"), "{sent}");

    for path in ["/msgbatch_1", "/msgbatch_1/results"] {
        assert_eq!(call(&app, &other, "GET", &format!("{PATH}{path}"), "").await.status, 404);
    }
    assert_eq!(call(&app, &key, "POST", &format!("{PATH}/msgbatch_1/cancel"), "").await.status, 200);
    let page = call(&app, &key, "GET", "/v1/messages/batches?limit=1", "").await.json();
    assert_eq!((page["data"][0]["id"].as_str(), page["first_id"].as_str()), (Some("msgbatch_1"), Some("msgbatch_1")));
    assert!(page.get("object").is_none());

    upstream.answer("GET /v1/messages/batches/msgbatch_1 ", &BEGUN.replace("in_progress", "ended"));
    assert_eq!(call(&app, &key, "GET", "/v1/messages/batches/msgbatch_1", "").await.status, 200);
    let used = async || app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage.nanos();
    let charged = async { while used().await == 0 {} };
    tokio::time::timeout(Duration::from_secs(20), charged).await.unwrap();
    // Half of a dollar and of five dollars for a million tokens.
    assert_eq!(used().await, (1_000 * 1_000 + 100 * 5_000) / 2);
    let told = call(&app, &key, "GET", &format!("{PATH}/msgbatch_1/results"), "").await;
    assert_eq!(told.body, results().as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_on_its_own_is_refused_in_a_batch() {
    let app = App::start().await;
    let upstream = Routed::start(&[("POST /v1/messages/batches ", BEGUN)]).await;
    app.provider("anthropic", upstream.base_url()).await;
    let key = app.key(CreateVirtualKey::default()).await;
    let search = r#"{"requests":[{"custom_id":"a","params":{"model":"claude-haiku-4-5","max_tokens":5,"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]}}]}"#;
    let refused = call(&app, &key, "POST", PATH, search).await;
    assert_eq!(refused.status, 400);
    assert!(code(&refused.json()).contains("request 0: "), "{}", refused.json());
    let budgeted = app.key(with_budget("1")).await;
    let refused = call(&app, &budgeted, "POST", PATH, &wanted("claude-haiku-4-5")).await;
    assert_eq!(refused.status, 403);
    assert!(code(&refused.json()).contains("batch_not_bounded"), "{}", refused.json());
    assert_eq!(call(&app, &key, "POST", PATH, r#"{"requests":[]}"#).await.status, 400);
    assert!(upstream.requests().is_empty());
}
