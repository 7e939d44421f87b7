//! `POST /mcp`, as HTTP sees it.

use serde_json::json;

use super::*;
use crate::harness::Reply;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn posted(app: &App, headers: &[(&str, &str)], body: &'static str) -> Reply {
    let raw = app.raw("POST", "/mcp").header("content-type", "application/json");
    headers.iter().fold(raw, |raw, (name, value)| raw.header(name, value)).body(body).send().await
}

/// Who asks is found out before anything else, in every form that the gateway knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_is_asked_for() {
    let app = App::start().await;
    let key = key_for(&app, &[]).await;
    let secret = key.value.expose();
    let accept = ("accept", "application/json, text/event-stream");
    assert_eq!(posted(&app, &[accept], PING).await.error().0, 401);
    assert_eq!(posted(&app, &[accept, ("x-bf-vk", "sk-bf-nobody")], PING).await.error().0, 401);
    assert_eq!(posted(&app, &[accept, ("x-bf-vk", secret), ("x-api-key", "sk-bf-b")], PING).await.error().0, 400);
    assert_eq!(posted(&app, &[accept, ("x-api-key", secret)], PING).await.status, 200);
    made(&app, "PUT", &format!("/api/governance/virtual-keys/{}", key.id), json!({ "is_active": false })).await;
    assert_eq!(posted(&app, &[accept, ("x-bf-vk", secret)], PING).await.error().1, "virtual_key_blocked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused_and_there_are_no_sessions() {
    let app = App::start().await;
    let key = key_for(&app, &[]).await;
    let own = ("x-bf-vk", key.value.expose());
    assert_eq!(posted(&app, &[own, ("accept", "application/json")], PING).await.status, 406);
    for method in ["GET", "DELETE"] {
        let reply = app.raw(method, "/mcp").header(own.0, own.1).header("accept", "text/event-stream").send().await;
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    }
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let reply = posted(&app, &[own, ("accept", "application/json, text/event-stream")], initialize).await;
    assert_eq!((reply.status, reply.header("mcp-session-id")), (200, ""));
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains("2025-06-18") && text.contains("\"tools\""), "{text}");
}

/// A message is read into memory whole, and a name is recorded: both have an end.
#[tokio::test(flavor = "multi_thread")]
async fn messages_and_names_have_a_greatest_length() {
    const MOST: usize = 4 * 1024 * 1024;
    let (app, server, _) = with_files(json!({})).await;
    let key = key_for(&app, &[("files", &["*"])]).await;
    let posted = async |length: usize| {
        let padding = " ".repeat(length - PING.len());
        let raw = app.raw("POST", "/mcp").header("content-type", "application/json");
        let raw = raw.header("accept", "application/json, text/event-stream").header("x-bf-vk", key.value.expose());
        raw.body(format!("{PING}{padding}")).send().await
    };
    assert_eq!(posted(MOST).await.status, 200);
    assert_eq!(posted(MOST + 1).await.error(), (413, "payload_too_large".to_owned(), String::new()));
    let caller = connect(&app, &key, &[]).await;
    for name in [format!("files-{}", "x".repeat(251)), "files-\u{1}".to_owned()] {
        let (_, _, data) = refused(&caller, &name).await;
        assert_eq!((&data["status_code"], &data["error"]["param"]), (&400.into(), &"/params/name".into()), "{name}");
    }
    assert_eq!(reason(&caller, &format!("none-{}", "x".repeat(251))).await, "mcp_tool_blocked", "256 bytes are a name");
    assert_eq!(server.calls(), [""; 0]);
}
