//! `PUT /api/mcp/client/{client_id}`

use keyward_client::{CreateMcpClient, McpClientQuery, McpClientState, SecretSource, UpdateMcpClient, Versioned};
use serde_json::{Value, json};

use super::{CLIENT, actions, files, key, made, path, simple, told};
use crate::api::{VIRTUAL_KEYS, done, refused};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays_and_what_was_read_may_be_sent_back() {
    let app = App::start().await;
    let before = made(&app, files()).await;
    let after = done(&app, "PUT", &path(&before), json!({ "name": "documents" })).await;
    assert_eq!(after["message"], "MCP client updated successfully");
    let mut expected = before["config"].clone();
    expected["name"] = json!("documents");
    expected["updated_at"] = after["client"]["config"]["updated_at"].clone();
    assert_eq!(after["client"]["config"], expected);
    let back = done(&app, "PUT", &path(&before), after["client"]["config"].clone()).await;
    expected["updated_at"] = back["client"]["config"]["updated_at"].clone();
    assert_eq!(back["client"]["config"], expected);
    assert_eq!(actions(&app, "mcp_client", &expected["client_id"]).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_can_be_set_and_cleared() {
    let app = App::start().await;
    let client = made(&app, files()).await;
    let body = json!({
        "name": "documents", "is_code_mode_client": true, "connection_type": "sse", "auth_type": "none",
        "connection_string": "env.PATH", "headers": { "x-team": "fake-red-team" }, "allowed_extra_headers": ["x-user"],
        "tools_to_execute": ["read", "list"], "tools_to_auto_execute": ["list"], "is_ping_available": false,
        "tool_sync_interval": -1, "tool_execution_timeout": 30, "tool_pricing": { "read": 0.001 },
        "allow_on_all_virtual_keys": true, "disabled": true,
    });
    let after = done(&app, "PUT", &path(&client), body.clone()).await["client"].clone();
    for (member, value) in body.as_object().unwrap() {
        match member.as_str() {
            "connection_string" => assert_eq!(after["config"][member]["env_var"], *value),
            "headers" => assert_eq!(after["config"][member]["x-team"]["value"], "fake************************team"),
            _ => assert_eq!(after["config"][member], *value, "{member}"),
        }
    }
    assert_eq!((&after["state"], after["config"]["headers"].as_object().unwrap().len()), (&json!("disabled"), 1));
    let none = json!({ "tools_to_execute": [], "headers": null, "tool_pricing": null });
    let after = done(&app, "PUT", &path(&client), none).await["client"]["config"].clone();
    assert_eq!((&after["tools_to_execute"], &after["tools_to_auto_execute"]), (&json!([]), &json!([])));
    assert_eq!((&after["headers"], &after["tool_pricing"]), (&json!({}), &json!({})));
    let program = json!({ "connection_type": "stdio", "stdio_config": { "command": "mcp-files" } });
    let after = done(&app, "PUT", &path(&client), program).await["client"]["config"].clone();
    assert_eq!((after.get("connection_string"), &after["stdio_config"]["command"]), (None, &json!("mcp-files")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_carried_out_changes_nothing() {
    let app = App::start().await;
    let client = made(&app, files()).await;
    made(&app, simple("taken")).await;
    let at = path(&client);
    for (body, status, param) in [
        (json!({ "client_id": "other" }), 400, "/client_id"),
        (json!({ "name": "taken" }), 409, "/name"),
        (json!({ "connection_string": null }), 400, "/connection_string"),
        (json!({ "connection_string": "fake************************path" }), 400, "/connection_string"),
        (json!({ "headers": { "x-token": "Bear************************cret" } }), 400, "/headers/x-token"),
        (json!({ "headers": { "x-a": "1", "X-A": "2" } }), 400, "/headers/x-a"),
        (
            json!({ "vk_configs": [{ "virtual_key_id": "nobody", "tools_to_execute": [] }] }),
            400,
            "/vk_configs/0/virtual_key_id",
        ),
        (
            json!({ "vk_configs": vec![json!({ "virtual_key_id": "a", "tools_to_execute": [] }); 2] }),
            400,
            "/vk_configs/1/virtual_key_id",
        ),
        (
            json!({ "vk_configs": [{ "virtual_key_id": "a", "tools_to_execute": ["*", "a"] }] }),
            400,
            "/vk_configs/0/tools_to_execute",
        ),
        (
            json!({ "vk_configs": vec![json!({ "virtual_key_id": "a", "tools_to_execute": [] }); 1_001] }),
            400,
            "/vk_configs",
        ),
        (json!({ "oauth_config": {} }), 400, "/oauth_config"),
    ] {
        let (told_status, told_param, message) = told(&app, "PUT", &at, &body).await;
        assert_eq!((told_status, told_param.as_str()), (status, param), "{body}: {message}");
    }
    let stale = app.raw("PUT", &at).header("if-match", "\"0\"").body(r#"{"disabled":true}"#).send().await;
    assert_eq!(stale.status, 412);
    assert_eq!(app.raw("GET", &at).send().await.json()["client"], client);
    let missing = told(&app, "PUT", &format!("{CLIENT}/nobody"), &json!({})).await;
    assert_eq!(missing, (404, String::new(), "MCP client not found".to_owned()));
}

async fn read(app: &App, key: &Value) -> Value {
    app.raw("GET", &format!("{VIRTUAL_KEYS}/{}", key["id"].as_str().unwrap())).send().await.json()["virtual_key"]
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn vk_configs_are_the_full_set_and_each_key_is_recorded() {
    let app = App::start().await;
    let client = made(&app, simple("files")).await;
    let kept = key(&app, "kept", json!([{ "mcp_client_name": "files", "tools_to_execute": ["read"] }])).await;
    let edited = key(&app, "edited", json!([{ "mcp_client_name": "files" }])).await;
    let gone = key(&app, "gone", json!([{ "mcp_client_name": "files" }])).await;
    let new = key(&app, "new", json!([])).await;
    let assign = |key: &Value, tools: Value| json!({ "virtual_key_id": key["id"], "tools_to_execute": tools });
    let body = json!({
        "vk_configs": [assign(&kept, json!(["read"])), assign(&edited, json!(["list"])), assign(&new, json!(["*"]))],
    });
    let after = done(&app, "PUT", &path(&client), body).await["client"].clone();
    let shown: Vec<_> = after["vk_configs"].as_array().unwrap().iter().map(|key| &key["virtual_key_name"]).collect();
    assert_eq!(shown, ["kept", "edited", "new"]);
    for (key, tools, entries) in [
        (&kept, Some(json!(["read"])), 1),
        (&edited, Some(json!(["list"])), 2),
        (&gone, None, 2),
        (&new, Some(json!(["*"])), 2),
    ] {
        let now = read(&app, key).await;
        assert_eq!(now["mcp_configs"][0].get("tools_to_execute"), tools.as_ref(), "{now}");
        assert_eq!(now["updated_at"] == key["updated_at"], entries == 1, "{now}");
        let actions = actions(&app, "virtual_key", &key["id"]).await;
        assert_eq!(
            (actions.len(), actions[0].as_str()),
            (entries, if entries == 1 { "virtual_key_create" } else { "mcp_client_update" })
        );
    }
    let edited_config = &read(&app, &edited).await["mcp_configs"][0];
    assert_eq!(edited_config["id"], edited["mcp_configs"][0]["id"], "an edit keeps the config");
    done(&app, "PUT", &path(&client), json!({ "vk_configs": [] })).await;
    assert_eq!(read(&app, &kept).await["mcp_configs"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_virtual_keys_gives_no_client_to_any() {
    let app = App::start().await;
    let client = made(&app, simple("files")).await;
    let body = json!({ "name": "mcp", "permissions": [{ "resource": "mcp_clients", "access": "write" }] });
    let token = done(&app, "POST", "/api/management-keys", body).await["value"].as_str().unwrap().to_owned();
    let put = |body: &str| {
        app.raw("PUT", &path(&client)).header("authorization", format!("Bearer {token}")).body(body.to_owned())
    };
    let refused = put(r#"{"vk_configs":[]}"#).send().await.error();
    assert_eq!(refused, (403, "permission_denied".to_owned(), "/vk_configs".to_owned()));
    assert_eq!(put(r#"{"disabled":true}"#).send().await.status, 200);
}

/// The same through the typed client.
#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_makes_reads_edits_and_removes_a_client() {
    let app = App::start().await;
    let request = CreateMcpClient {
        name: "files".to_owned(),
        connection_type: Some("http".to_owned()),
        connection_string: SecretSource::from_text("https://mcp.example").into(),
        ..CreateMcpClient::default()
    };
    let made = app.client.mcp_client_create(&request).await.unwrap().client;
    let id = &made.config.client_id;
    let off = UpdateMcpClient { disabled: Some(true), ..UpdateMcpClient::default() };
    let edited = app.client.if_match(made.version()).unwrap().mcp_client_update(id, &off).await.unwrap().client;
    assert_eq!(edited.state, McpClientState::Disabled);
    assert_eq!(app.client.mcp_client_get(id).await.unwrap(), edited);
    let query = McpClientQuery { disabled: Some("true".to_owned()), ..McpClientQuery::default() };
    assert_eq!(app.client.mcp_client_list(&query).await.unwrap().clients, [edited]);
    app.client.mcp_client_delete(id).await.unwrap();
    assert_eq!(refused(app.client.mcp_client_get(id).await).status, 404);
}
