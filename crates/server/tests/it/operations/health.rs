//! Health and metrics.

use futures_util::StreamExt;
use serde_json::json;

use crate::gateway::{called, chat, with_budget};
use crate::harness::{App, Scripted, Step};

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
        "keyward_attempts_total{provider=\"demo\",operation=\"chat_completion\",outcome=\"completed\"} 1",
        "keyward_attempts_in_flight 0",
        "keyward_refusals_total{code=\"budget_exceeded\",scope=\"virtual_key\"} 1",
        "keyward_tokens_total{provider=\"demo\",class=\"output\"} 4",
        "keyward_cost_usd_total{provider=\"demo\"} 0.00018",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(key.id.as_str()) && !text.contains(&key.name) && !text.contains("echo"));
}

/// The value of a metric.
async fn figure(app: &App, name: &str) -> Option<i64> {
    let text = String::from_utf8(app.raw("GET", "/metrics").send().await.body).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Each limit that only watches and has no room counts once for each attempt; one with room does not.
#[tokio::test(flavor = "multi_thread")]
async fn limits_that_only_watch_are_counted_when_they_would_have_refused() {
    let app = App::start().await;
    let budget = |dollars: f64, duration: &str| json!({ "max_limit": dollars, "reset_duration": duration, "enforcement": "shadow" });
    let key = json!({
        "name": "any",
        "budgets": [budget(0.000_001, "1d"), budget(1.0, "1M")],
        "rate_limit": { "request_max_limit": 1, "request_reset_duration": "1h", "enforcement": "shadow" },
    });
    let key = app.key(serde_json::from_value(key).unwrap()).await;
    let cost = "keyward_shadow_refusals_total{scope=\"virtual_key\",metric=\"cost\"}";
    let requests = "keyward_shadow_refusals_total{scope=\"virtual_key\",metric=\"requests\"}";
    assert_eq!((figure(&app, cost).await, figure(&app, requests).await), (None, None));
    for _ in 0..2 {
        assert_eq!(called(&app, &key, "demo/echo").await.status, 200);
    }
    assert_eq!((figure(&app, cost).await, figure(&app, requests).await), (Some(2), Some(1)));
}

/// What runs holds, and what holds is in the journal.
#[tokio::test(flavor = "multi_thread")]
async fn holds_and_the_journal_are_shown() {
    let events = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
                  data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[]}\n\n";
    let done = "data: [DONE]\n\n";
    let script = [Step::Send(events.as_bytes().to_vec()), Step::Wait, Step::Send(done.as_bytes().to_vec())];
    let upstream = Scripted::start(script.to_vec()).await;
    let app = App::start().await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let shown = async |name| figure(&app, name).await.unwrap();
    assert_eq!((shown("keyward_open_attempts").await, shown("keyward_journal_available").await), (0, 1));
    let before = shown("keyward_journal_bytes").await;
    let mut running = app.caller(&key).chat_completion_stream(&chat("openai/gpt-4o-mini", "hi")).await.unwrap();
    assert!(running.next().await.is_some());
    assert_eq!(shown("keyward_open_attempts").await, 1);
    assert!(shown("keyward_journal_bytes").await > before);
    upstream.go_on();
    assert!(running.next().await.is_none());
    assert_eq!(shown("keyward_open_attempts").await, 0);
}
