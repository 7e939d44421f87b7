//! `/api/mcp/clients`, `/api/mcp/client`

mod create;
mod delete;
mod list;
mod update;

use serde_json::{Value, json};

use super::{VIRTUAL_KEYS, done, send};
use crate::harness::App;

pub(super) const CLIENTS: &str = "/api/mcp/clients";
pub(super) const CLIENT: &str = "/api/mcp/client";

/// A client that is reached over HTTP, with a secret in its address and in a header.
pub(super) fn files() -> Value {
    json!({
        "name": "files", "connection_type": "http", "connection_string": "https://mcp.example/fake-path-secret",
        "headers": { "Authorization": "Bearer fake-token-secret", "x-region": "env.PATH" },
    })
}

/// A client with nothing but what it needs.
pub(super) fn simple(name: &str) -> Value {
    json!({ "name": name, "connection_type": "http", "connection_string": "https://mcp.example" })
}

/// Makes a client, and gives it as it is answered.
pub(super) async fn made(app: &App, body: Value) -> Value {
    done(app, "POST", CLIENT, body).await["client"].clone()
}

fn path(client: &Value) -> String {
    format!("{CLIENT}/{}", client["config"]["client_id"].as_str().unwrap())
}

/// Status, member at fault, and the reason in words.
async fn told(app: &App, method: &str, path: &str, body: &Value) -> (u16, String, String) {
    let reply = send(app, method, path, body).await;
    let (status, _, param) = reply.error();
    (status, param, reply.json()["error"]["message"].as_str().unwrap().to_owned())
}

/// Makes a virtual key with these MCP configs, and gives it as it is answered.
async fn key(app: &App, name: &str, mcp_configs: Value) -> Value {
    done(app, "POST", VIRTUAL_KEYS, json!({ "name": name, "mcp_configs": mcp_configs })).await["virtual_key"].clone()
}

/// The actions on one thing that the audit log tells of, newest first.
async fn actions(app: &App, resource: &str, id: &Value) -> Vec<String> {
    let query = format!("/api/audit?resource={resource}&resource_id={}", id.as_str().unwrap());
    let log = app.raw("GET", &query).send().await.json();
    let entries = log["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}
