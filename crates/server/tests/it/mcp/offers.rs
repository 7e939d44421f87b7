//! Tools that requests offer to models: those of MCP clients must be the virtual key's to use.

use serde_json::json;

use super::*;

/// Status, code, and the tool that is named, of a chat completion with these members.
async fn offered(app: &App, key: &VirtualKey, more: Value) -> (u16, String) {
    let mut body = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": "hi" }] });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    let reply = raw.body(body.to_string()).send().await;
    let message = reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    (reply.status, message)
}

fn function(name: &str) -> Value {
    json!({ "tools": [{ "type": "function", "function": { "name": name, "parameters": {} } }] })
}

fn blocked(tool: &str) -> (u16, String) {
    (403, format!("Virtual key may not use tool '{tool}'"))
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_are_tools_of_registered_clients_must_be_allowed() {
    let (app, _server, _) = with_files(json!({})).await;
    let key = key_for(&app, &[("files", &["echo"])]).await;
    for name in ["files-echo", "get_weather", "other-tool"] {
        assert_eq!(offered(&app, &key, function(name)).await.0, 200, "{name}");
    }
    assert_eq!(offered(&app, &key, function("files-count")).await, blocked("files-count"));
    let shouted =
        json!({ "tools": [{ "Type": "function", "type": "function", "Function": { "NAME": "files-count" } }] });
    assert_eq!(offered(&app, &key, shouted).await, blocked("files-count"), "a member in a spelling of its own");
    let older = json!({ "functions": [{ "name": "files-count" }] });
    assert_eq!(offered(&app, &key, older).await, blocked("files-count"));
    assert_eq!(app.simulator.bill().requests, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_the_provider_reaches_must_be_registered_and_allowed() {
    let (app, server, _) = with_files(json!({})).await;
    let some = key_for(&app, &[("files", &["echo"])]).await;
    let every = key_for(&app, &[("files", &["*"])]).await;
    let tool = |label: &str, url: &str, allowed: Value| json!({ "tools": [{ "type": "mcp", "server_label": label, "server_url": url, "allowed_tools": allowed }] });
    let url = server.url();
    let elsewhere = "https://elsewhere.example/mcp";
    for (key, offer, refused) in [
        (&some, tool("files", &url, json!(["echo", "count"])), "files-count"),
        (&some, tool("files", &url, json!({ "tool_names": ["count"] })), "files-count"),
        (&some, tool("files", &url, Value::Null), "files-*"),
        (&every, tool("files", elsewhere, json!(["echo"])), "files-echo"),
        (&every, tool("nobody", elsewhere, json!([])), "nobody-*"),
        (&every, json!({ "tools": [{ "type": "mcp", "server_label": "files", "connector_id": "c" }] }), "files-*"),
    ] {
        assert_eq!(offered(&app, key, offer.clone()).await, blocked(refused), "{offer}");
    }
    let body = json!({
        "model": "anthropic/claude", "max_tokens": 1, "messages": [{ "role": "user", "content": "hi" }],
        "mcp_servers": [{ "type": "url", "name": "files", "url": url }],
    });
    let asked = json!({ "virtual_key_id": some.id, "dialect": "messages", "body": body });
    let explained = made(&app, "POST", "/api/governance/explain", asked).await;
    assert_eq!(explained["refusal"]["error"]["message"], "Virtual key may not use tool 'files-*'");
    // What is allowed here is still the provider's to run, at a cost that nobody could hold.
    for (key, allowed) in [(&some, json!(["echo"])), (&every, Value::Null)] {
        let (status, message) = offered(&app, key, tool("files", &url, allowed)).await;
        assert!(status == 400 && message.contains("cannot be metered"), "{status} {message}");
    }
}

/// A list that is looked at is read into memory: one that nobody would write is refused before.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_tools_has_a_greatest_length() {
    let (app, _server, _) = with_files(json!({})).await;
    let key = key_for(&app, &[("files", &["echo"])]).await;
    for (length, status) in [(1 << 20, 200), (4 << 20, 400)] {
        let described = json!({ "name": "files-echo", "description": "x".repeat(length), "parameters": {} });
        let offer = json!({ "tools": [{ "type": "function", "function": described }] });
        let (told, message) = offered(&app, &key, offer).await;
        assert_eq!((told, message.contains("tools must have at most 4194304 bytes")), (status, status == 400));
    }
    assert_eq!(app.simulator.bill().requests, 1);
}
