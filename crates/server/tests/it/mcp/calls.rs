//! Calls: what may be called, as whom, and how long the right to it lasts.

use futures_util::future::join_all;
use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_tool_is_called_with_its_own_name_and_the_servers_credential() {
    let more = json!({ "headers": { "Authorization": "Bearer fake-mcp-secret" } });
    let (app, server, _) = with_files(more).await;
    let key = key_for(&app, &[("files", &["read-all"])]).await;
    let caller = connect(&app, &key, &[]).await;
    let text = call(&caller, "files-read-all", json!({ "path": "a" })).await.unwrap();
    assert_eq!(text, r#"read-all {"path":"a"}"#);
    assert_eq!(server.calls(), [r#"read-all {"path":"a"}"#]);
    assert_eq!(server.authorizations(), ["Bearer fake-mcp-secret"]);
}

/// Neither the answer nor anything else tells a tool that is there from one that is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_called_is_refused_alike_whether_it_is_there_or_not() {
    let (app, server, _) = with_files(json!({})).await;
    register(&app, "search", &server.url(), json!({})).await;
    let key = key_for(&app, &[("files", &["echo"])]).await;
    let caller = connect(&app, &key, &[]).await;
    for tool in ["files-count", "files-nothing", "search-echo", "nobody-echo", "echo", "files-"] {
        let (code, message, data) = refused(&caller, tool).await;
        assert_eq!((code, message), (-32602, format!("Virtual key may not use tool '{tool}'")));
        assert_eq!((&data["status_code"], &data["error"]["code"]), (&403.into(), &"mcp_tool_blocked".into()));
        assert_eq!(data["error"]["param"], "/params/name");
    }
    assert_eq!(server.calls(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_what_its_session_may_do() {
    let (app, server, _) = with_files(json!({})).await;
    let key = key_for(&app, &[("files", &["*"])]).await;
    let caller = connect(&app, &key, &[]).await;
    call(&caller, "files-echo", json!({})).await.unwrap();
    made(&app, "PUT", &format!("/api/governance/virtual-keys/{}", key.id), json!({ "is_active": false })).await;
    assert!(call(&caller, "files-echo", json!({})).await.is_err());
    assert!(caller.peer().list_all_tools().await.is_err());
    made(&app, "DELETE", &format!("/api/governance/virtual-keys/{}", key.id), json!({})).await;
    assert!(call(&caller, "files-echo", json!({})).await.is_err());
    assert_eq!(server.calls().len(), 1);
}

/// A server may keep things in a session: no other virtual key ever sees them.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_server_belongs_to_one_virtual_key() {
    let (app, _server, client) = with_files(json!({ "allow_on_all_virtual_keys": true })).await;
    let (one, other) = (key_for(&app, &[]).await, key_for(&app, &[]).await);
    let count = async |key: &VirtualKey| {
        let caller = connect(&app, key, &[]).await;
        call(&caller, "files-count", json!({})).await.unwrap()
    };
    assert_eq!([count(&one).await, count(&one).await, count(&other).await, count(&one).await], ["1", "2", "1", "3"]);
    edited(&app, &client, json!({ "is_ping_available": true })).await;
    assert_eq!(count(&one).await, "1", "another version of a server has sessions of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_calls_at_the_same_time_each_get_their_own_answer() {
    let (app, server, _) = with_files(json!({})).await;
    let key = key_for(&app, &[("files", &["echo"])]).await;
    let caller = connect(&app, &key, &[]).await;
    let answers = join_all((0..50).map(|number| call(&caller, "files-echo", json!({ "n": number })))).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), format!(r#"echo {{"n":{number}}}"#));
    }
    assert_eq!(server.calls().len(), 50);
}
