//! `POST /api/mcp/client`

use serde_json::json;

use super::{CLIENT, CLIENTS, actions, files, made, path, simple, told};
use crate::api::{done, send};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_kept_with_its_secrets_redacted_and_is_not_connected() {
    let app = App::start().await;
    let answer = done(&app, "POST", CLIENT, files()).await;
    assert_eq!((&answer["status"], &answer["message"]), (&json!("success"), &json!("MCP client created successfully")));
    let client = &answer["client"];
    assert_eq!(
        (&client["state"], &client["tools"], &client["vk_configs"]),
        (&json!("disconnected"), &json!([]), &json!([]))
    );
    let config = &client["config"];
    let address = json!({ "value": "http************************cret", "env_var": "", "from_env": false });
    assert_eq!(config["connection_string"], address);
    assert_eq!(config["headers"]["authorization"]["value"], "Bear************************cret");
    assert_eq!(config["headers"]["x-region"], json!({ "value": "", "env_var": "env.PATH", "from_env": true }));
    assert_eq!((&config["auth_type"], &config["disabled"]), (&json!("headers"), &json!(false)));
    assert_eq!((&config["tools_to_execute"], &config["tools_to_auto_execute"]), (&json!(["*"]), &json!([])));
    let read = app.raw("GET", &path(client)).send().await;
    assert_eq!(read.json(), json!({ "client": client }));
    assert!(!read.header("etag").is_empty());
    assert_eq!(actions(&app, "mcp_client", &config["client_id"]).await, ["mcp_client_create"]);
    let log = app.raw("GET", "/api/audit").send().await;
    assert!(!String::from_utf8_lossy(&log.body).contains("-secret\""), "no secret is in the audit log");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_may_be_chosen_and_names_and_ids_are_unique() {
    let app = App::start().await;
    let mut body = simple("files");
    body["client_id"] = json!("own.id-1");
    assert_eq!(made(&app, body.clone()).await["config"]["client_id"], "own.id-1");
    let taken = told(&app, "POST", CLIENT, &simple("files")).await;
    assert_eq!(taken, (409, "/name".to_owned(), "An MCP client with this name already exists".to_owned()));
    body["name"] = json!("other");
    let taken = told(&app, "POST", CLIENT, &body).await;
    assert_eq!(taken, (409, "/client_id".to_owned(), "An MCP client with this client_id already exists".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_is_sent_again_makes_nothing_new() {
    let app = App::start().await;
    let create = || app.raw("POST", CLIENT).header("idempotency-key", "once").body(files().to_string()).send();
    let (first, second) = (create().await, create().await);
    assert_eq!((first.status, first.json()), (200, second.json()));
    assert_eq!(app.raw("GET", CLIENTS).send().await.json()["total_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_kept_and_not_started() {
    let app = App::start().await;
    let program = json!({ "command": "mcp-files", "args": ["--root", "/srv"], "envs": ["HOME"] });
    let body = json!({ "name": "local", "connection_type": "stdio", "stdio_config": program });
    let client = made(&app, body).await;
    assert_eq!(client["config"]["stdio_config"], program);
    assert_eq!((client["config"].get("connection_string"), &client["config"]["auth_type"]), (None, &json!("none")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused() {
    let app = App::start().await;
    let with = |more: serde_json::Value| {
        let mut body = simple("files");
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, param, message) in [
        (json!({ "name": "" }), "/name", "Invalid client name: client name is required"),
        (json!({ "name": "é" }), "/name", "Invalid client name: name must contain only ASCII characters"),
        (json!({ "name": "a-b" }), "/name", "Invalid client name: client name cannot contain hyphens"),
        (json!({ "name": "a b" }), "/name", "Invalid client name: client name cannot contain spaces"),
        (json!({ "name": "1a" }), "/name", "Invalid client name: client name cannot start with a number"),
        (
            json!({ "client_id": "a/b" }),
            "/client_id",
            "client_id must be at most 255 letters, digits, '-', '_' or '.', and begin with a letter, a digit or '_'",
        ),
        (json!({ "connection_type": null }), "/connection_type", "connection_type is required"),
        (
            json!({ "connection_type": "inprocess" }),
            "/connection_type",
            "connection_type must be http, sse or stdio, not 'inprocess'",
        ),
        (
            json!({ "auth_type": "oauth" }),
            "/auth_type",
            "auth_type must be none or headers, not 'oauth': Keyward signs in nowhere, so there is no other way to ask for",
        ),
        (
            json!({ "connection_string": null }),
            "/connection_string",
            "connection_string is required for connection_type http",
        ),
        (
            json!({ "connection_string": "ftp://mcp.example" }),
            "/connection_string",
            "connection_string must be an http or https URL",
        ),
        (
            json!({ "connection_string": "env.KEYWARD_MCP_IS_NOT_SET" }),
            "/connection_string",
            "environment variable KEYWARD_MCP_IS_NOT_SET is the server's own",
        ),
        (
            json!({ "connection_string": "env.MCP_IS_NOT_SET" }),
            "/connection_string",
            "environment variable MCP_IS_NOT_SET is not set on the server",
        ),
        (
            json!({ "headers": { "x-token": "env.MCP_IS_NOT_SET" } }),
            "/headers/x-token",
            "environment variable MCP_IS_NOT_SET is not set on the server",
        ),
        (
            json!({ "headers": { "Host": "a" } }),
            "/headers/host",
            "the header host cannot be set: it belongs to the connection",
        ),
        (
            json!({ "headers": { "x-token": "fake************************cret" } }),
            "/headers/x-token",
            "this is the redacted form of a secret, and not of the one that is stored here",
        ),
        (json!({ "stdio_config": { "command": "a" } }), "/stdio_config", "connection_type http has no stdio_config"),
        (json!({ "connection_type": "stdio" }), "/connection_string", "connection_type stdio has no connection_string"),
        (
            json!({ "connection_type": "stdio", "connection_string": null }),
            "/stdio_config",
            "stdio_config is required for connection_type stdio",
        ),
        (
            json!({ "connection_type": "stdio", "connection_string": null, "stdio_config": { "command": " " } }),
            "/stdio_config/command",
            "command must be the name of a program",
        ),
        (
            json!({
                "connection_type": "stdio", "connection_string": null,
                "stdio_config": { "command": "a", "envs": ["TOKEN=fake-secret"] },
            }),
            "/stdio_config/envs",
            "envs names environment variables, without their values",
        ),
        (
            json!({ "tools_to_execute": ["*", "read"] }),
            "/tools_to_execute",
            "Invalid tools_to_execute: wildcard '*' cannot be used with other values in the whitelist",
        ),
        (
            json!({ "tools_to_execute": ["read", "READ"] }),
            "/tools_to_execute",
            "Invalid tools_to_execute: duplicate value 'READ' in whitelist",
        ),
        (
            json!({ "tools_to_execute": ["read"], "tools_to_auto_execute": ["write"] }),
            "/tools_to_auto_execute",
            "Invalid tools_to_auto_execute: tool 'write' in tools_to_auto_execute is not in tools_to_execute",
        ),
        (json!({ "tool_pricing": { "read": -1 } }), "/tool_pricing/read", "the price of a tool cannot be negative"),
        (
            json!({ "tool_execution_timeout": -1 }),
            "/tool_execution_timeout",
            "tool_execution_timeout cannot be negative",
        ),
        (json!({ "tls_config": {} }), "/tls_config", "unknown field 'tls_config'; did you mean 'stdio_config'?"),
        (json!({ "stdio_config": ["a"] }), "/stdio_config", "invalid type: sequence, expected an object"),
    ] {
        let (status, at, told) = told(&app, "POST", CLIENT, &with(more.clone())).await;
        assert_eq!((status, at.as_str(), told.as_str()), (400, param, message), "{more}");
    }
    assert_eq!(app.raw("GET", CLIENTS).send().await.json()["total_count"], 0);
}

/// Whoever asks for what every key may do gets at clients only with the permission for them.
#[tokio::test(flavor = "multi_thread")]
async fn clients_have_a_permission_of_their_own() {
    let app = App::start().await;
    made(&app, simple("files")).await;
    let issue = async |resource: &str| {
        let body = json!({ "name": resource, "permissions": [{ "resource": resource, "access": "read" }] });
        done(&app, "POST", "/api/management-keys", body).await["value"].as_str().unwrap().to_owned()
    };
    for (resource, status) in [("mcp_clients", 200), ("virtual_keys", 403)] {
        let token = format!("Bearer {}", issue(resource).await);
        let reply = app.raw("GET", CLIENTS).header("authorization", &token).send().await;
        assert_eq!(reply.status, status, "{resource}");
        let write = app.raw("POST", CLIENT).header("authorization", &token).body(simple("more").to_string());
        assert_eq!(write.send().await.status, 403, "{resource}");
    }
    let limited = json!({
        "name": "limited", "permissions": [{ "resource": "mcp_clients", "access": "read" }],
        "team_id": done(&app, "POST", "/api/governance/teams", json!({ "name": "red" })).await["team"]["id"],
    });
    let refused = send(&app, "POST", "/api/management-keys", &limited).await.error();
    assert_eq!((refused.0, refused.2.as_str()), (400, "/permissions/0/resource"), "a client belongs to nobody");
}
