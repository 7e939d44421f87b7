//! MCP clients of the file, and the MCP configs of its virtual keys.

use keyward_client::{McpClient, McpClientQuery, VirtualKey};
use serde_json::{Value, json};

use super::{apply, exported, request, start};
use crate::harness::Database;

fn file() -> Value {
    json!({
        "mcp": {"client_configs": [
            {"name": "weather", "connection_type": "http", "connection_string": "https://weather.example/mcp-12345",
             "headers": {"Authorization": "Bearer fake-secret-1"}, "tools_to_execute": ["forecast", "alerts"],
             "tool_sync_interval": "-10m", "tool_execution_timeout": "1m30s", "tool_pricing": {"forecast": 0.0015}},
            {"client_id": "files-1", "name": "files", "connection_type": "stdio",
             "stdio_config": {"command": "npx", "args": ["files"], "envs": ["HOME"]}, "tools_to_execute": ["*"]},
        ]},
        "governance": {"virtual_keys": [{"id": "vk", "name": "app", "provider_configs": [], "mcp_configs": [
            {"mcp_client_name": "weather", "tools_to_execute": ["forecast"]},
            {"mcp_client_id": "files-1", "tools_to_execute": ["*"]},
        ]}]},
    })
}

async fn clients(client: &keyward_client::Client) -> Vec<McpClient> {
    let listed = client.mcp_client_list(&McpClientQuery::default()).await.unwrap();
    listed.clients.into_iter().map(|entry| entry.config).collect()
}

/// The clients that a virtual key may use, with the tools.
fn tools(key: &VirtualKey) -> Vec<(&str, Vec<&str>)> {
    let configs = key.mcp_configs.iter();
    let tools = configs.map(|config| {
        let entries = config.tools_to_execute.entries().iter().map(String::as_str).collect();
        (config.mcp_client_name.as_str(), entries)
    });
    tools.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_makes_clients_and_gives_them_to_virtual_keys() {
    let database = Database::fresh().await;
    let served = start(&file(), &database).await.unwrap();
    let made = clients(&served.client).await;
    assert_eq!(made.iter().map(|client| client.name.as_str()).collect::<Vec<_>>(), ["weather", "files"]);
    assert_eq!((made[0].tool_sync_interval, made[0].tool_execution_timeout), (-600_000_000_000, 90));
    assert_eq!((made[1].client_id.as_str(), made[0].config_hash.len()), ("files-1", 64));
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!(tools(&key), [("weather", vec!["forecast"]), ("files", vec!["*"])]);
    let text = serde_json::to_string(&served.audit().await).unwrap();
    assert!(!text.contains("fake-secret-1") && !text.contains("mcp-12345"));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_clients_survive_until_the_file_changes() {
    let database = Database::fresh().await;
    let served = start(&file(), &database).await.unwrap();
    let weather = clients(&served.client).await[0].clone();
    let by_api = r#"{"tools_to_execute":["alerts"],"tool_pricing":{},"is_ping_available":false,"disabled":true,
        "headers":{"x-other":"other-secret"}}"#;
    served.client.mcp_client_update(&weather.client_id, &request(by_api)).await.unwrap();
    let own = r#"{"name":"own","connection_type":"sse","connection_string":"env.PATH"}"#;
    served.client.mcp_client_create(&request(own)).await.unwrap();
    served.client.virtual_key_update(&"vk".into(), &request(r#"{"mcp_configs":[]}"#)).await.unwrap();
    let entries = served.audit().await.len();
    served.stop().await;

    let served = start(&file(), &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, Vec::<String>::new());
    assert!(clients(&served.client).await[0].disabled);
    served.stop().await;

    let mut changed = file();
    changed["mcp"]["client_configs"][0]["is_code_mode_client"] = json!(true);
    let served = start(&changed, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, ["mcp_client_update"]);
    let after = clients(&served.client).await;
    assert_eq!(after.iter().map(|client| client.name.as_str()).collect::<Vec<_>>(), ["weather", "files", "own"]);
    let (config_hash, updated_at) = (after[0].config_hash.clone(), after[0].updated_at);
    assert_eq!(after[0], McpClient { is_code_mode_client: true, config_hash, updated_at, ..weather });
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!(tools(&key), [], "the definition of the key is what it was");
    served.stop().await;

    changed["governance"]["virtual_keys"][0]["mcp_configs"] = json!([{"mcp_client_id": after[2].id}]);
    let served = start(&changed, &database).await.unwrap();
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!(tools(&key), [("own", vec!["*"])], "a number is that of the row");
    served.stop().await;

    changed["governance"]["virtual_keys"][0].as_object_mut().unwrap().remove("mcp_configs");
    let served = start(&changed, &database).await.unwrap();
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!(tools(&key), [], "what the file no longer gives is taken away");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_of_a_client_is_a_change_even_when_it_looks_the_same() {
    let database = Database::fresh().await;
    let mut short = file();
    short["mcp"]["client_configs"][0]["headers"] = json!({"x-key": "secret-a"});
    apply(&short, &database).await;
    short["mcp"]["client_configs"][0]["headers"] = json!({"x-key": "secret-b"});
    let served = start(&short, &database).await.unwrap();
    assert_eq!(served.audit().await[0].action, "mcp_client_update");
    let entries = served.audit().await.len();
    served.stop().await;
    short["mcp"]["client_configs"][0]["disabled"] = json!(false);
    let served = start(&short, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, Vec::<String>::new(), "another way to say the same");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authoritative_file_deletes_clients_that_it_does_not_name() {
    let database = Database::fresh().await;
    let served = start(&file(), &database).await.unwrap();
    let own = r#"{"name":"own","connection_type":"http","connection_string":"https://own.example"}"#;
    served.client.mcp_client_create(&request(own)).await.unwrap();
    served.client.mcp_client_update(&"files-1".into(), &request(r#"{"disabled":true}"#)).await.unwrap();
    let entries = served.audit().await.len();
    served.stop().await;

    let mut sole = file();
    sole["source_of_truth"] = json!("config.json");
    let served = start(&sole, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, ["mcp_client_delete", "mcp_client_update"]);
    assert!(!clients(&served.client).await[1].disabled, "it wins whatever the hash says");
    let entries = served.audit().await.len();
    served.stop().await;

    let silent = json!({"source_of_truth": "config.json", "mcp": {}});
    let served = start(&silent, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, Vec::<String>::new(), "the file does not speak of clients");
    served.stop().await;

    let none = json!({"source_of_truth": "config.json", "mcp": {"client_configs": []}});
    let served = start(&none, &database).await.unwrap();
    let mut done = served.done_since(entries).await;
    done.sort();
    done.dedup();
    assert_eq!(done, ["mcp_client_delete"]);
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!((clients(&served.client).await.len(), tools(&key)), (0, Vec::new()));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_clients_is_told_at_once() {
    let database = Database::fresh().await;
    let mut wrong = file();
    wrong["mcp"]["clients"] = json!([]);
    wrong["mcp"]["client_configs"] = json!([
        {"name": "a-b", "connection_type": "http", "connection_string": "https://a.example"},
        {"name": "a", "connection_type": "http", "connection_string": "ftp://a.example", "unheard_of": 1},
        {"name": "b", "connection_type": "http", "connection_string": "env.NOT_SET_1", "tool_sync_interval": "often"},
        {"name": "c", "connection_type": "stdio", "stdio_config": {"command": "x"}, "tool_execution_timeout": "10ms"},
        {"name": "d", "connection_type": "stdio", "stdio_config": {"command": "x"}, "client_id": "../d"},
        {"name": "e", "connection_type": "stdio", "stdio_config": {"command": "x"}, "client_id": "same"},
        {"name": "e", "connection_type": "pigeon", "client_id": "same"},
    ]);
    wrong["governance"]["virtual_keys"][0]["mcp_configs"] = json!([
        {"tools_to_execute": ["*"]}, {"mcp_client_id": true}, {"mcp_client_name": "gone", "unheard_of": 1},
    ]);
    let said = start(&wrong, &database).await.map(|_| ()).unwrap_err();
    for expected in [
        "/mcp/clients: unknown field 'clients'",
        "/mcp/client_configs/0/name: Invalid client name: client name cannot contain hyphens",
        "/mcp/client_configs/1/unheard_of: unknown field",
        "/mcp/client_configs/2/connection_string: it names the environment variable NOT_SET_1, which is not set",
        "/mcp/client_configs/2/tool_sync_interval: tool_sync_interval must be a Go duration",
        "/mcp/client_configs/3/tool_execution_timeout: tool_execution_timeout must be a Go duration in whole seconds",
        "/mcp/client_configs/4/client_id: client_id must be",
        "/mcp/client_configs/6/name: the name 'e' is there twice",
        "/mcp/client_configs/6/client_id: the client_id 'same' is there twice",
        "/mcp/client_configs/6/connection_type: connection_type must be http, sse or stdio, not 'pigeon'",
        "/governance/virtual_keys/0/mcp_configs/1/mcp_client_id: invalid type",
        "/governance/virtual_keys/0/mcp_configs/0/mcp_client_name: mcp_client_name is required",
        "/governance/virtual_keys/0/mcp_configs/2/unheard_of: unknown field",
    ] {
        assert!(said.contains(expected), "{expected} is missing in:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_database_can_tell_of_clients_is_told_by_its_place() {
    let database = Database::fresh().await;
    apply(&file(), &database).await;
    let before = exported(&database).await;
    let mut wrong = file();
    wrong["mcp"]["client_configs"][0]["client_id"] = json!("another");
    wrong["governance"]["virtual_keys"][0]["mcp_configs"] = json!([
        {"mcp_client_name": "left_out", "tools_to_execute": ["*"]}, {"mcp_client_id": "gone", "tools_to_execute": ["*"]},
    ]);
    wrong["mcp"]["client_configs"].as_array_mut().unwrap().push(
        json!({"name": "left_out", "connection_type": "http", "connection_string": "https://x.example", "auth_type": "oauth"}),
    );
    let said = start(&wrong, &database).await.map(|_| ()).unwrap_err();
    for expected in [
        "/mcp/client_configs/0: MCP client with this name, id or value exists already",
        "/governance/virtual_keys/0/mcp_configs/1/mcp_client_id: failed to get MCP client: 'gone' not found",
    ] {
        assert!(said.contains(expected), "{expected} is missing in:\n{said}");
    }
    assert!(said.contains("2 errors"), "{said}");
    assert_eq!(exported(&database).await, before, "a refused file changes nothing");
}
