//! MCP servers that fail: the caller is told, and charged for what reached them.

use serde_json::json;

use super::*;
use crate::gateway::with_budget;
use crate::harness::{Absent, Scripted};

async fn used(app: &App, key: &VirtualKey) -> i64 {
    app.caller(key).virtual_key_quota().await.unwrap().budgets[0].current_usage.nanos()
}

/// One call of a tool at $0.25: the reason that it failed for, how many entries the books have, and what they come to.
async fn failed(url: &str, more: Value) -> (String, i64, i64) {
    let app = App::start().await;
    let mut settings = json!({ "tool_pricing": { "never": 0.25 } });
    settings.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    register(&app, "files", url, settings).await;
    let key = key_with(&app, &[("files", &["*"])], with_budget("10")).await;
    let reason = reason(&connect(&app, &key, &[]).await, "files-never").await;
    let used = used(&app, &key).await;
    let id = key.id.clone();
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(id).await.unwrap();
    let check = store.ledger_check().await.unwrap();
    assert!(check.differences.is_empty() && check.faults.is_empty(), "{check:?}");
    store.close().await.unwrap();
    assert_eq!(totals.cost.nanos(), used);
    (reason, totals.entries, used)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_left_is_not_charged() {
    let absent = Absent::reserve();
    let url = format!("{}/mcp", absent.base_url().as_str());
    assert_eq!(failed(&url, json!({})).await, ("upstream_unreachable".into(), 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_is_free() {
    for (status, kind, body) in [
        ("500 Oops", "text/plain", "fake-mcp-secret"),
        ("200 OK", "application/json", "no JSON"),
        ("200 OK", "text/html", "<p>"),
        ("200 OK", "text/event-stream", "data: nothing\n\n"),
    ] {
        let server = Scripted::answering(status, kind, body).await;
        let url = format!("{}/mcp", server.base_url().as_str());
        let more = json!({ "tool_execution_timeout": 1 });
        let (reason, entries, used) = failed(&url, more).await;
        let is_timeout = reason == "upstream_timeout";
        assert!(is_timeout || reason == "upstream_unreachable", "{status} {kind}: {reason}");
        assert_eq!((entries, used), (1, if is_timeout { 250_000_000 } else { 0 }), "{status} {kind}");
    }
}

/// Nobody knows whether the tool was used, so it counts as used.
#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_takes_too_long_is_charged() {
    let server = McpServer::start();
    let more = json!({ "tool_execution_timeout": 1 });
    assert_eq!(failed(&server.url(), more).await, ("upstream_timeout".into(), 1, 250_000_000));
}

/// The others are still listed, and what is known of it too.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_hides_no_other() {
    let (app, _server, _) =
        with_files(json!({ "allow_on_all_virtual_keys": true, "tools_to_execute": ["echo"] })).await;
    let (absent, gone) = (Absent::reserve(), McpServer::start());
    let all = json!({ "allow_on_all_virtual_keys": true, "tools_to_execute": ["count"] });
    register(&app, "absent", &format!("{}/mcp", absent.base_url().as_str()), all.clone()).await;
    register(&app, "gone", &gone.url(), all.clone()).await;
    let stdio = json!({ "name": "program", "connection_type": "stdio", "stdio_config": { "command": "true" }, "allow_on_all_virtual_keys": true });
    made(&app, "POST", "/api/mcp/client", stdio).await;
    let caller = connect(&app, &key_for(&app, &[]).await, &[]).await;
    assert_eq!(listed(&caller).await, ["files-echo", "gone-count"]);
    gone.stop().await;
    assert_eq!(listed(&caller).await, ["files-echo", "gone-count"]);
    assert_eq!(reason(&caller, "gone-count").await, "upstream_unreachable");
    // Programs are not started.
    assert_eq!(reason(&caller, "program-run").await, "provider_not_supported");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_guarded_as_those_of_providers() {
    let server = McpServer::start();
    for host in ["127.0.0.1", "localhost"] {
        let app = App::builder().settings(|settings| settings.block_private_upstreams = true).start().await;
        let url = server.url().replace("127.0.0.1", host);
        register(&app, "files", &url, json!({ "allow_on_all_virtual_keys": true })).await;
        let caller = connect(&app, &key_for(&app, &[]).await, &[]).await;
        assert_eq!(listed(&caller).await, [""; 0], "{host}");
        call(&caller, "files-echo", json!({})).await.unwrap_err();
    }
    assert_eq!((server.lists(), server.calls().len()), (0, 0));
    let app = App::start().await;
    let metadata = json!({ "name": "m", "connection_type": "http", "connection_string": "http://169.254.169.254/" });
    let reply = app.raw("POST", "/api/mcp/client").body(metadata.to_string()).send().await;
    assert_eq!(reply.error(), (400, "invalid_request".into(), "/connection_string".into()));
}
