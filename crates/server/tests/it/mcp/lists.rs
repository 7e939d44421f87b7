//! Lists: what a virtual key may use, and nothing else, at once after each edit.

use keyward_client::CreateVirtualKey;
use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn only_what_client_and_key_allow_is_listed() {
    let (app, server, _) = with_files(json!({ "tools_to_execute": ["echo", "count", "read-all"] })).await;
    register(&app, "search", &server.url(), json!({ "allow_on_all_virtual_keys": true, "tools_to_execute": ["echo"] }))
        .await;
    register(&app, "hidden", &server.url(), json!({ "disabled": true, "allow_on_all_virtual_keys": true })).await;
    for (configs, expected) in [
        (&[][..], &["search-echo"][..]),
        (&[("files", &["*"][..])], &["files-echo", "files-count", "files-read-all", "search-echo"]),
        (&[("files", &["read-all", "fail"])], &["files-read-all", "search-echo"]),
        (&[("files", &["regex:e.*"]), ("search", &[])], &["files-echo"]),
        (&[("search", &["count"])], &[]),
    ] {
        let key = key_for(&app, configs).await;
        let caller = connect(&app, &key, &[]).await;
        assert_eq!(listed(&caller).await, expected, "{configs:?}");
    }
    // However many ask, a server is asked once.
    assert_eq!(server.lists(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_only_narrow() {
    let (app, server, _) = with_files(json!({})).await;
    register(&app, "search", &server.url(), json!({})).await;
    let key = key_for(&app, &[("files", &["echo", "count"])]).await;
    let all: &[&str] = &["files-echo", "files-count"];
    for (headers, expected) in [
        (&[][..], all),
        (&[(CLIENTS, "*"), (TOOLS, "*")][..], all),
        (&[(CLIENTS, "search, files")], all),
        (&[(CLIENTS, "search")], &[]),
        (&[(CLIENTS, "")], &[]),
        (&[(TOOLS, "files-count,files-fail,search-echo")], &["files-count"]),
        (&[(TOOLS, "files-*")], all),
        (&[(CLIENTS, "files"), (TOOLS, "search-*")], &[]),
    ] {
        let caller = connect(&app, &key, headers).await;
        assert_eq!(listed(&caller).await, expected, "{headers:?}");
    }
    let caller = connect(&app, &key, &[(TOOLS, "files-count,search-echo")]).await;
    assert_eq!(call(&caller, "files-count", json!({})).await.unwrap(), "1");
    assert_eq!(reason(&caller, "files-echo").await, "mcp_tool_blocked");
    assert_eq!(reason(&caller, "search-echo").await, "mcp_tool_blocked");
}

/// For a list and for a call of one connection: what is edited is in force with the next message.
#[tokio::test(flavor = "multi_thread")]
async fn edits_are_in_force_at_once() {
    let (app, server, client) = with_files(json!({})).await;
    let key = key_for(&app, &[]).await;
    let caller = connect(&app, &key, &[]).await;
    let may = async |expected: bool| {
        let tools = listed(&caller).await;
        assert_eq!(tools.contains(&"files-echo".to_owned()), expected, "{tools:?}");
        match expected {
            true => drop(call(&caller, "files-echo", json!({})).await.unwrap()),
            false => assert_eq!(reason(&caller, "files-echo").await, "mcp_tool_blocked"),
        }
    };
    may(false).await;
    edited(&app, &client, json!({ "vk_configs": [{ "virtual_key_id": key.id, "tools_to_execute": ["echo"] }] })).await;
    may(true).await;
    edited(&app, &client, json!({ "tools_to_execute": ["count"] })).await;
    may(false).await;
    edited(&app, &client, json!({ "tools_to_execute": ["*"], "disabled": true })).await;
    may(false).await;
    edited(&app, &client, json!({ "disabled": false })).await;
    may(true).await;
    edited(&app, &client, json!({ "vk_configs": [] })).await;
    may(false).await;
    edited(&app, &client, json!({ "allow_on_all_virtual_keys": true })).await;
    may(true).await;
    let path = format!("/api/governance/virtual-keys/{}", key.id);
    let none = json!([{ "mcp_client_name": "files", "tools_to_execute": [] }]);
    made(&app, "PUT", &path, json!({ "mcp_configs": none })).await;
    may(false).await;
    made(&app, "PUT", &path, json!({ "mcp_configs": [{ "mcp_client_name": "files" }] })).await;
    edited(&app, &client, json!({ "allow_on_all_virtual_keys": false })).await;
    may(false).await;
    made(&app, "PUT", &path, json!({ "mcp_configs": [{ "mcp_client_name": "files", "tools_to_execute": ["*"] }] }))
        .await;
    may(true).await;
    // A client that is made again under the same name and id is another one: nothing is left of what was granted.
    let id = client["client_id"].as_str().unwrap();
    made(&app, "DELETE", &format!("/api/mcp/client/{id}"), json!({})).await;
    may(false).await;
    register(&app, "files", &server.url(), json!({ "client_id": id })).await;
    may(false).await;
}

/// What was granted before a restart is granted after it.
#[tokio::test(flavor = "multi_thread")]
async fn grants_survive_a_restart() {
    let (app, _server, _) = with_files(json!({})).await;
    let key = key_with(&app, &[("files", &["echo"])], CreateVirtualKey::default()).await;
    let app = app.restarted().await;
    assert_eq!(listed(&connect(&app, &key, &[]).await).await, ["files-echo"]);
}
