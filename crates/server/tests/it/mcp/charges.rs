//! What calls of tools cost, and which limits they meet.

use futures_util::future::join_all;
use keyward_client::{CreateVirtualKey, RateLimitInput, ResetDuration};
use serde_json::json;

use super::*;
use crate::gateway::with_budget;

fn requests(most: i64) -> RateLimitInput {
    RateLimitInput {
        request_max_limit: most.into(),
        request_reset_duration: "1h".parse::<ResetDuration>().unwrap().into(),
        ..RateLimitInput::default()
    }
}

/// What a virtual key has used: nano-dollars.
async fn used(app: &App, key: &VirtualKey) -> i64 {
    app.caller(key).virtual_key_quota().await.unwrap().budgets[0].current_usage.nanos()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_price_of_a_tool_is_charged_once_for_each_call() {
    let (app, _server, _) = with_files(json!({ "tool_pricing": { "echo": 0.25, "sorry": 0.1, "fail": 0.5 } })).await;
    let key = key_with(&app, &[("files", &["*"])], with_budget("10")).await;
    let caller = connect(&app, &key, &[]).await;
    listed(&caller).await;
    assert_eq!(used(&app, &key).await, 0, "a list is free");
    for (tool, so_far) in [("echo", 250_000_000), ("echo", 500_000_000), ("count", 500_000_000), ("sorry", 600_000_000)]
    {
        call(&caller, &format!("files-{tool}"), json!({})).await.unwrap();
        assert_eq!(used(&app, &key).await, so_far, "{tool}");
    }
    // The server did not do it.
    assert_eq!(refused(&caller, "files-fail").await.1, "the disk is full");
    assert_eq!(used(&app, &key).await, 600_000_000);
    let id = key.id.clone();
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(id).await.unwrap();
    assert_eq!((totals.entries, totals.cost.nanos()), (5, 600_000_000));
    let check = store.ledger_check().await.unwrap();
    assert!(check.differences.is_empty() && check.faults.is_empty(), "{check:?}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_refuses_what_it_cannot_pay_and_says_so_in_the_protocols_form() {
    let (app, server, _) = with_files(json!({ "tool_pricing": { "echo": 0.4 } })).await;
    let key = key_with(&app, &[("files", &["*"])], with_budget("1")).await;
    let caller = connect(&app, &key, &[]).await;
    let answers = join_all((0..20).map(|_| call(&caller, "files-echo", json!({})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2, "a cap is a cap");
    let (code, message, data) = refused(&caller, "files-echo").await;
    assert!(code == -32000 && message.contains("budget limit"), "{code} {message}");
    assert_eq!((&data["status_code"], &data["type"]), (&402.into(), &"budget_exceeded".into()));
    assert_eq!(
        (&data["error"]["details"]["limit_value"], &data["error"]["details"]["requested"]),
        (&1.into(), &0.4.into())
    );
    assert_eq!(
        (&data["extra_fields"]["provider"], &data["extra_fields"]["request_type"]),
        (&"mcp:files".into(), &"mcp_tool_call".into())
    );
    assert_eq!(used(&app, &key).await, 800_000_000);
    call(&caller, "files-count", json!({})).await.unwrap();
    assert_eq!(server.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn request_limits_count_calls_and_no_lists() {
    let (app, server, _) = with_files(json!({})).await;
    let limited = CreateVirtualKey { rate_limit: requests(3).into(), ..CreateVirtualKey::default() };
    let key = key_with(&app, &[("files", &["*"])], limited).await;
    let caller = connect(&app, &key, &[]).await;
    for _ in 0..5 {
        listed(&caller).await;
    }
    let answers = join_all((0..30).map(|_| call(&caller, "files-echo", json!({})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    let (_, _, data) = refused(&caller, "files-echo").await;
    assert_eq!((&data["status_code"], &data["type"]), (&429.into(), &"request_limited".into()));
    assert_eq!(data["error"]["details"]["scope"]["id"], key.id.as_str());
    assert_eq!(server.calls().len(), 3);
}
