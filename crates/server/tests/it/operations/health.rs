//! Health and metrics.

use crate::gateway::{chat, with_budget};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_serves_is_live_and_ready() {
    let app = App::start().await;
    for path in ["/livez", "/readyz", "/health"] {
        assert_eq!(app.raw("GET", path).send().await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_attempts_and_refusals_without_names_of_anyone() {
    let app = App::start().await;
    let key = app.key(with_budget("0.005")).await;
    let caller = app.caller(&key);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    caller.chat_completion_create(&chat("demo/echo", &"long ".repeat(200))).await.unwrap_err();
    let reply = app.raw("GET", "/metrics").send().await;
    let text = String::from_utf8(reply.body).unwrap();
    for line in [
        "keyward_attempts_total{outcome=\"completed\"} 1",
        "keyward_attempts_in_flight 0",
        "keyward_refusals_total{code=\"budget_exceeded\"} 1",
        "keyward_tokens_total{class=\"output\"} 4",
        "keyward_cost_usd_total 0.00018",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(key.id.as_str()) && !text.contains(&key.name) && !text.contains("echo"));
}
