//! Batches: refused where they cannot be bounded, and charged once, when what they used is known.

use std::time::Duration;

use jiff::Timestamp;
use keyward_client::{BudgetInput, CreateVirtualKey, Enforcement, NanoUsd, RateLimitInput, ResetDuration, VirtualKey};
use keyward_core::provider_object::{ObjectKind, ObjectState};
use serde_json::json;

use super::{call, upload};
use crate::gateway::with_budget;
use crate::harness::{App, Database, Routed, open};

const FILE: &str = r#"{"id":"file-1","object":"file","purpose":"batch"}"#;
const BEGUN: &str = r#"{"id":"batch_1","object":"batch","status":"validating"}"#;
const DONE: &str = r#"{"id":"batch_1","object":"batch","status":"completed","output_file_id":"file-2"}"#;
const LINE: &str =
    r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o-mini","messages":[]}}"#;
const WANTED: &str = r#"{"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h"}"#;

/// Two answers, which used 1,000 tokens of input and 100 of output together, and one that failed.
fn output() -> String {
    let answer = |usage: &str| {
        format!(
            "{{\"custom_id\":\"a\",\"response\":{{\"status_code\":200,\"body\":{{\"model\":\"gpt-4o-mini-2024-07-18\",\
             \"usage\":{usage}}}}},\"error\":null}}\n"
        )
    };
    [
        answer(r#"{"prompt_tokens":400,"completion_tokens":30,"total_tokens":430}"#),
        answer(r#"{"prompt_tokens":600,"completion_tokens":70,"total_tokens":670}"#),
        "{\"custom_id\":\"c\",\"response\":{\"status_code\":400,\"body\":{\"error\":{}}},\"error\":null}\n".to_owned(),
    ]
    .concat()
}

/// Half of what they cost at once: 15 and 60 cents for a million tokens.
const COST: i64 = (1_000 * 150 + 100 * 600) / 2;

async fn provider(app: &App) -> Routed {
    let upstream = Routed::start(&[
        ("POST /v1/files ", FILE),
        ("POST /v1/batches ", BEGUN),
        ("GET /v1/batches/batch_1 ", BEGUN),
        ("GET /v1/files/file-2/content ", &output()),
        ("DELETE /v1/files/file-2 ", r#"{"deleted":true}"#),
    ])
    .await;
    app.provider("openai", upstream.base_url()).await;
    upstream
}

/// A server that asks so often what became of batches.
async fn asking(interval: Duration) -> App {
    App::builder().settings(move |settings| settings.batch_interval = interval).start().await
}

fn with_soft_budget() -> CreateVirtualKey {
    let budget = BudgetInput::new("1".parse().unwrap(), ResetDuration::days(1));
    let budget = BudgetInput { enforcement: Enforcement::Soft.into(), ..budget };
    CreateVirtualKey { budget: budget.into(), ..CreateVirtualKey::default() }
}

/// Begins a batch with one line.
async fn begun(app: &App, key: &VirtualKey) {
    assert_eq!(upload(app, key, "batch", LINE).await.status, 200);
    let begun = call(app, key, "POST", "/v1/batches", WANTED).await;
    assert_eq!(begun.status, 200, "{}", String::from_utf8_lossy(&begun.body));
}

async fn used(app: &App, key: &VirtualKey) -> NanoUsd {
    app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage
}

/// Returns when usage was charged.
async fn charged(app: &App, key: &VirtualKey) {
    let charged = async { while used(app, key).await.nanos() == 0 {} };
    tokio::time::timeout(Duration::from_secs(20), charged).await.unwrap();
}

/// Returns when the file with the usage may be deleted, which is when all of it was charged.
async fn deleted(app: &App, key: &VirtualKey) {
    let deleted = async { while call(app, key, "DELETE", "/v1/files/file-2", "").await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(20), deleted).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_refused_under_a_hard_budget_and_under_a_hard_token_limit() {
    let limit = RateLimitInput {
        token_max_limit: 1_000_000.into(),
        token_reset_duration: ResetDuration::days(1).into(),
        enforcement: Enforcement::Hard.into(),
        ..RateLimitInput::default()
    };
    let limited = CreateVirtualKey { rate_limit: limit.into(), ..CreateVirtualKey::default() };
    for request in [with_budget("1"), limited] {
        let app = App::start().await;
        let upstream = provider(&app).await;
        let key = app.key(request).await;
        assert_eq!(upload(&app, &key, "batch", LINE).await.status, 200);
        let refused = call(&app, &key, "POST", "/v1/batches", WANTED).await;
        assert_eq!(refused.error(), (403, "batch_not_bounded".to_owned(), String::new()));
        assert!(refused.json()["error"]["message"].as_str().unwrap().contains(key.id.as_str()));
        assert_eq!(upstream.count("POST /v1/batches"), 0);
    }
}

/// What is used up for a model is used up for it in batches too, whichever model the first line is for.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_refused_when_a_soft_limit_of_any_of_its_models_is_used_up() {
    let app = App::start().await;
    let upstream = provider(&app).await;
    let used = r#"{"id":"a","object":"chat.completion","created":1,"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10}}"#;
    upstream.answer("POST /v1/chat/completions ", used);
    let limited = json!({"model_name": "gpt-4o", "rate_limit": {"token_max_limit": 10, "token_reset_duration": "1d"}});
    app.client.model_config_create(&serde_json::from_value(limited).unwrap()).await.unwrap();
    let key = app.key(CreateVirtualKey::default()).await;
    let both = format!("{LINE}\n{}", LINE.replace("gpt-4o-mini", "gpt-4o").replace("\"a\"", "\"b\""));
    assert_eq!(upload(&app, &key, "batch", &both).await.status, 200);
    assert_eq!(call(&app, &key, "POST", "/v1/batches", WANTED).await.status, 200, "it is not used up yet");
    let chat = r#"{"model":"openai/gpt-4o","messages":[]}"#;
    assert_eq!(call(&app, &key, "POST", "/v1/chat/completions", chat).await.status, 200);
    let refused = call(&app, &key, "POST", "/v1/batches", WANTED).await;
    assert_eq!((refused.status, refused.error().1.as_str()), (429, "token_limited"));
    assert_eq!(upstream.count("POST /v1/batches"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_made_of_a_file_of_ones_own_and_of_nothing_else() {
    let app = App::start().await;
    let upstream = provider(&app).await;
    let (key, other) = (app.key(CreateVirtualKey::default()).await, app.key(CreateVirtualKey::default()).await);
    begun(&app, &key).await;
    let refused = call(&app, &other, "POST", "/v1/batches", WANTED).await.error();
    assert_eq!(refused, (404, "not_found".to_owned(), "/input_file_id".to_owned()));
    for (method, path) in [("GET", "/v1/batches/batch_1"), ("POST", "/v1/batches/batch_1/cancel")] {
        assert_eq!(call(&app, &other, method, path, "").await.error().0, 404);
    }
    let endpoint = WANTED.replace("chat/completions", "embeddings");
    assert_eq!(call(&app, &key, "POST", "/v1/batches", &endpoint).await.error().2, "/endpoint");
    let inline = WANTED.replace("{\"input", "{\"requests\":[],\"input");
    assert_eq!(call(&app, &key, "POST", "/v1/batches", &inline).await.error().1, "unknown_field");
    assert_eq!(upstream.count("POST /v1/batches"), 1);
    let page = call(&app, &key, "GET", "/v1/batches", "").await.json();
    assert_eq!((page["data"][0]["id"].as_str(), page["has_more"].as_bool()), (Some("batch_1"), Some(false)));
    assert_eq!(call(&app, &other, "GET", "/v1/batches", "").await.json()["data"].as_array().map(Vec::len), Some(0));
}

/// Polls and clients see the end at the same time, and after a restart again: the usage is charged once.
#[tokio::test(flavor = "multi_thread")]
async fn i2_i4_a_batch_is_charged_once_whoever_sees_its_end() {
    let app = asking(Duration::from_millis(5)).await;
    let upstream = provider(&app).await;
    let key = app.key(with_soft_budget()).await;
    begun(&app, &key).await;
    assert_eq!(used(&app, &key).await.nanos(), 0);
    upstream.answer("GET /v1/batches/batch_1 ", DONE);
    let look = || call(&app, &key, "GET", "/v1/batches/batch_1", "");
    futures_util::future::join_all((0..10).map(|_| look())).await;
    charged(&app, &key).await;
    let app = app.restarted().await;
    assert_eq!(call(&app, &key, "GET", "/v1/batches/batch_1", "").await.status, 200);
    assert_eq!(used(&app, &key).await.nanos(), COST);
    // What it brought forth belongs to whoever made it.
    assert_eq!(call(&app, &key, "GET", "/v1/files/file-2/content", "").await.body, output().as_bytes());
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.cost.nanos(), totals.tokens), (COST, 1_100));
    assert_eq!(totals.unreported.nanos(), 0);
    let findings = store.ledger_check().await.unwrap();
    assert!(findings.differences.is_empty() && findings.faults.is_empty(), "{findings:?}");
}

/// Between the books and the note that all is charged, the server may end.
#[tokio::test(flavor = "multi_thread")]
async fn i2_a_batch_whose_charging_was_interrupted_is_charged_once() {
    let app = asking(Duration::from_secs(3_600)).await;
    let upstream = provider(&app).await;
    let key = app.key(with_soft_budget()).await;
    begun(&app, &key).await;
    upstream.answer("GET /v1/batches/batch_1 ", DONE);
    assert_eq!(call(&app, &key, "GET", "/v1/batches/batch_1", "").await.status, 200);
    deleted(&app, &key).await;
    let asked = upstream.count("GET /v1/files/file-2/content");
    let forget = async |database: &Database| {
        let store = open(&database.url).await;
        let batch = store.provider_object_find(ObjectKind::Batch, "batch_1".to_owned(), key.id.clone()).await;
        let batch = batch.unwrap().unwrap();
        assert_eq!(batch.state, ObjectState::Charged);
        store.provider_object_close(batch, ObjectState::Open, Timestamp::UNIX_EPOCH).await.unwrap();
        store.close().await.unwrap();
    };
    let app = app.restarted_around(forget).await;
    assert_eq!(call(&app, &key, "GET", "/v1/batches/batch_1", "").await.status, 200);
    deleted(&app, &key).await;
    assert!(upstream.count("GET /v1/files/file-2/content") > asked, "it was read again");
    assert_eq!(used(&app, &key).await.nanos(), COST);
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().cost.nanos(), COST);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_with_the_usage_stays_until_the_batch_is_charged() {
    let app = asking(Duration::from_secs(3_600)).await;
    let upstream = provider(&app).await;
    let key = app.key(with_soft_budget()).await;
    begun(&app, &key).await;
    // The end is seen, and the content is not there yet.
    upstream.answer("GET /v1/batches/batch_1 ", &DONE.replace("completed", "finalizing"));
    assert_eq!(call(&app, &key, "GET", "/v1/batches/batch_1", "").await.status, 200);
    let refused = call(&app, &key, "DELETE", "/v1/files/file-2", "").await;
    assert_eq!((refused.error().1.as_str(), refused.header("x-should-retry")), ("batch_not_charged", "true"));
    upstream.answer("GET /v1/batches/batch_1 ", DONE);
    assert_eq!(call(&app, &key, "GET", "/v1/batches/batch_1", "").await.status, 200);
    deleted(&app, &key).await;
    assert_eq!(used(&app, &key).await.nanos(), COST);
}
