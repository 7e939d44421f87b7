//! The gateway's door for MCP: rmcp's own client on one side, its server on the other.

mod calls;
mod charges;
mod failures;
mod lists;
mod message;
mod offers;

use keyward_client::{CreateVirtualKey, VirtualKey};
use rmcp::model::{CallToolRequestParams, ClientConfig, ContentBlock};
use rmcp::service::{RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, serve_client};
use serde_json::{Value, json};

use crate::harness::{App, McpServer};

/// A client of MCP.
type Caller = RunningService<RoleClient, ClientConfig>;

/// The headers that narrow.
const CLIENTS: &str = "x-bf-mcp-include-clients";
const TOOLS: &str = "x-bf-mcp-include-tools";

/// Registers an MCP server as `name`, with more that is said of it.
async fn register(app: &App, name: &str, url: &str, more: Value) -> Value {
    let mut client = json!({ "name": name, "connection_type": "http", "connection_string": url });
    client.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    made(app, "POST", "/api/mcp/client", client).await["client"]["config"].clone()
}

/// What a successful request of the management API is answered.
async fn made(app: &App, method: &str, path: &str, body: Value) -> Value {
    let reply = app.raw(method, path).body(body.to_string()).send().await;
    assert_eq!(reply.status, 200, "{method} {path}: {}", reply.json());
    reply.json()
}

/// Edits a registered client.
async fn edited(app: &App, client: &Value, body: Value) {
    made(app, "PUT", &format!("/api/mcp/client/{}", client["client_id"].as_str().unwrap()), body).await;
}

/// A virtual key that may use these tools of each client.
async fn key_for(app: &App, configs: &[(&str, &[&str])]) -> VirtualKey {
    key_with(app, configs, CreateVirtualKey::default()).await
}

async fn key_with(app: &App, configs: &[(&str, &[&str])], request: CreateVirtualKey) -> VirtualKey {
    let configs: Vec<Value> =
        configs.iter().map(|(client, tools)| json!({ "mcp_client_name": client, "tools_to_execute": tools })).collect();
    let mcp_configs = serde_json::from_value(json!(configs)).unwrap();
    app.key(CreateVirtualKey { mcp_configs: Some(mcp_configs), ..request }).await
}

/// rmcp's client with this virtual key.
async fn connect(app: &App, key: &VirtualKey, headers: &[(&'static str, &str)]) -> Caller {
    // The client's own TLS, which is not used, wants one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own = ("authorization", format!("Bearer {}", key.value.expose()));
    let more = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let headers = std::iter::once(own).chain(more).map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", app.url));
    let transport =
        StreamableHttpClientTransport::with_client(reqwest::Client::new(), config.custom_headers(headers.collect()));
    serve_client(ClientConfig::default(), transport).await.unwrap()
}

/// The names of the tools that a caller is told of.
async fn listed(caller: &Caller) -> Vec<String> {
    caller.peer().list_all_tools().await.unwrap().into_iter().map(|tool| tool.name.into_owned()).collect()
}

/// Calls a tool: the text that it answers.
async fn call(caller: &Caller, tool: &str, arguments: Value) -> Result<String, ServiceError> {
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments.as_object().cloned().unwrap());
    let result = caller.peer().call_tool(params).await?;
    let [ContentBlock::Text(text)] = &result.content[..] else { panic!("{result:?}") };
    Ok(text.text.clone())
}

/// Code, message and data of the error that a call ends with.
async fn refused(caller: &Caller, tool: &str) -> (i32, String, Value) {
    match call(caller, tool, json!({})).await {
        Err(ServiceError::McpError(error)) => {
            (error.code.0, error.message.into_owned(), error.data.unwrap_or_default())
        }
        other => panic!("{other:?}"),
    }
}

/// The machine-readable reason that a call is refused for.
async fn reason(caller: &Caller, tool: &str) -> String {
    refused(caller, tool).await.2["error"]["code"].as_str().unwrap().to_owned()
}

/// A server with one registered MCP server, `files`.
async fn with_files(more: Value) -> (App, McpServer, Value) {
    let (app, server) = (App::start().await, McpServer::start());
    let client = register(&app, "files", &server.url(), more).await;
    (app, server, client)
}
