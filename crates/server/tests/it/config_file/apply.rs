//! File against API: hashes decide.

use keyward_client::{ActorKind, ProviderStatus, UpdateConfig, UpdateTeam, UpdateVirtualKey};
use serde_json::{Value, json};

use super::{apply, request, start};
use crate::harness::Database;

const VALUE: &str = "sk-bf-00000000-0000-4000-8000-00000000000a";
const OTHER: &str = "sk-bf-00000000-0000-4000-8000-00000000000b";

fn file() -> Value {
    json!({
        "providers": {"openai": {"keys": [{"name": "main", "value": "sk-fake-1234567890", "weight": 1}]}},
        "governance": {
            "customers": [{"id": "c/1", "name": "Acme"}],
            "teams": [{"id": "t", "name": "Search", "customer_id": "c/1"}],
            "virtual_keys": [{
                "id": "vk", "name": "app", "description": "of the file", "value": VALUE, "team_id": "t",
                "provider_configs": [
                    {"provider": "openai", "weight": 0.5, "allowed_models": ["gpt-4o"], "key_ids": ["main"]}
                ],
            }],
        },
        "client": {"vk_rotation_cooldown": "1h"},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_makes_what_it_declares_and_says_who_did_it() {
    let database = Database::fresh().await;
    let served = start(&file(), &database).await.unwrap();
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!((key.value.expose(), key.description.as_str()), (VALUE, "of the file"));
    let config = &key.provider_configs[0];
    assert_eq!((config.weight, config.allow_all_keys, config.keys[0].name.as_str()), (Some(0.5), false, "main"));
    assert_eq!(key.team.as_ref().unwrap().customer_id.as_ref().unwrap().as_str(), "c/1");
    assert_eq!(served.client.customer_get(&"c/1".into()).await.unwrap().name, "Acme");
    assert_eq!(key.config_hash.len(), 64);
    let entries = served.audit().await;
    assert!(entries.iter().all(|entry| entry.actor.kind == ActorKind::ConfigFile));
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains(VALUE) && !text.contains("sk-fake-1234567890"));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_over_the_api_survive_until_the_file_changes() {
    let database = Database::fresh().await;
    let served = start(&file(), &database).await.unwrap();
    let by_api: UpdateVirtualKey = request(r#"{"description":"of the API"}"#);
    served.client.virtual_key_update(&"vk".into(), &by_api).await.unwrap();
    let renamed: UpdateTeam = request(r#"{"name":"Research"}"#);
    served.client.team_update(&"t".into(), &renamed).await.unwrap();
    let cooldown: UpdateConfig = request(r#"{"client_config":{"vk_rotation_cooldown":"2h"}}"#);
    served.client.config_update(&cooldown).await.unwrap();
    let own = served.client.customer_create(&request(r#"{"name":"By the API"}"#)).await.unwrap().customer;
    assert_eq!(own.config_hash, "");
    let entries = served.audit().await.len();
    served.stop().await;

    let served = start(&file(), &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, Vec::<String>::new());
    assert_eq!(served.client.virtual_key_get(&"vk".into()).await.unwrap().description, "of the API");
    served.stop().await;

    let mut changed = file();
    changed["governance"]["virtual_keys"][0]["is_active"] = json!(false);
    let served = start(&changed, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, ["virtual_key_update"]);
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!((key.description.as_str(), key.is_active), ("of the file", false));
    assert_eq!(served.client.team_get(&"t".into()).await.unwrap().name, "Research", "its definition is what it was");
    assert_eq!(served.client.customer_get(&own.id).await.unwrap(), own, "only the database has it");
    let config = served.client.config_get().await.unwrap().client_config;
    assert_eq!(config.vk_rotation_cooldown.duration().as_hours(), 2);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_value_is_a_rotation() {
    let database = Database::fresh().await;
    apply(&file(), &database).await;
    let mut changed = file();
    changed["governance"]["virtual_keys"][0]["value"] = json!(OTHER);
    let served = start(&changed, &database).await.unwrap();
    let key = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!(key.value.expose(), OTHER);
    assert!(key.rotated_at.is_some() && key.previous_value_expires_at.is_some());
    for value in [VALUE, OTHER] {
        let quota = served.client.with_virtual_key(value).unwrap().virtual_key_quota().await.unwrap();
        assert_eq!(quota.virtual_key_name, "app");
    }
    served.stop().await;

    // Without a value the key keeps its own.
    let mut silent = file();
    silent["governance"]["virtual_keys"][0].as_object_mut().unwrap().remove("value");
    let served = start(&silent, &database).await.unwrap();
    assert_eq!(served.client.virtual_key_get(&"vk".into()).await.unwrap().value.expose(), OTHER);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authoritative_file_deletes_what_it_does_not_name() {
    let database = Database::fresh().await;
    let served = start(&file(), &database).await.unwrap();
    served.client.customer_create(&request(r#"{"name":"By the API"}"#)).await.unwrap();
    served.client.team_update(&"t".into(), &request(r#"{"name":"Research"}"#)).await.unwrap();
    let entries = served.audit().await.len();
    served.stop().await;

    let mut sole = file();
    sole["source_of_truth"] = json!("config.json");
    sole["governance"]["virtual_keys"] = json!([]);
    let served = start(&sole, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, ["virtual_key_delete", "customer_delete", "team_update"]);
    assert_eq!(served.client.virtual_key_list(&Default::default()).await.unwrap().total_count, 0);
    assert_eq!(served.client.team_get(&"t".into()).await.unwrap().name, "Search", "it wins whatever the hash says");
    let entries = served.audit().await.len();
    served.stop().await;

    let served = start(&sole, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, Vec::<String>::new());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_is_a_change_even_when_it_looks_the_same() {
    let database = Database::fresh().await;
    let mut short = file();
    short["providers"]["openai"]["keys"][0]["value"] = json!("secret-a");
    apply(&short, &database).await;
    short["providers"]["openai"]["keys"][0]["value"] = json!("secret-b");
    let served = start(&short, &database).await.unwrap();
    assert_eq!(served.audit().await[0].action, "provider_update");
    let entries = served.audit().await.len();
    served.stop().await;
    short["providers"]["openai"]["keys"][0]["description"] = json!("");
    let served = start(&short, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, Vec::<String>::new(), "another way to say the same");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_compatible_product_starts_a_server() {
    let database = Database::fresh().await;
    let file = json!({
        "$schema": "https://www.getbifrost.ai/schema", "version": 1, "encryption_key": "not-used",
        "server": {"read_buffer_size": 65536},
        "client": {"enforce_governance_header": false, "enable_governance": true, "allowed_origins": ["*"], "initial_pool_size": 300},
        "plugins": [{"name": "governance", "enabled": true, "config": {}}],
        "mcp": {
            "client_configs": [
                {"name": "w", "connection_type": "http", "connection_string": "https://w.example", "tls_config": {},
                 "tools_to_execute": []},
                {"name": "u", "connection_type": "http", "connection_string": "https://u.example",
                 "auth_type": "per_user_oauth", "oauth_config_id": "o"},
            ],
            "tool_manager_config": {"max_agent_depth": 10},
        },
        "providers": {
            "azure": {"keys": [{"id": "key-az", "name": "az", "models": [], "weight": 1,
                "azure_key_config": {"endpoint": "https://example.openai.azure.com/", "deployments": {"gpt-4o": "prod"}}}]},
            "bedrock_mantle": {"keys": [{"name": "mantle", "weight": 1, "models": ["*"],
                "bedrock_mantle_key_config": {"region": "us-east-1"}}]},
            "elevenlabs": {"keys": [{"name": "voice", "value": "fake-voice", "weight": 1}],
                "network_config": {"enforce_http2": true}},
        },
        "governance": {
            "auth_config": {"is_enabled": false, "admin_username": "env.NOBODY", "disable_auth_on_inference": true},
            "virtual_keys": [
                {"id": "vk-1", "name": "one", "value": "sk-bf-test-key", "key_ids": ["az"]},
                {"id": "vk-2", "name": "two", "provider_configs": [
                    {"provider": "azure", "allowed_models": [], "key_ids": ["key-az"], "weight": 0.5},
                    {"virtual_key_id": "vk-2", "provider": "elevenlabs", "keys": [{"key_id": "voice", "value": "fake-voice"}]},
                    {"provider": "bedrock_mantle", "allowed_models": ["*"], "key_ids": ["*"]},
                ], "mcp_configs": [{"mcp_client_name": "u"},
                    {"id": 7, "mcp_client_name": "w", "mcp_client_id": 3, "tools_to_execute": ["*"]}]},
            ],
        },
    });
    let served = start(&file, &database).await.unwrap();
    let uncallable = served.client.provider_get(&"elevenlabs".into()).await.unwrap();
    assert_eq!(uncallable.provider_status, ProviderStatus::Error);
    let two = served.client.virtual_key_get(&"vk-2".into()).await.unwrap();
    assert!(two.provider_configs[0].allowed_models.allows("gpt-4o"), "version 1 leaves lists empty to say: everything");
    assert_eq!(served.client.virtual_key_get(&"vk-1".into()).await.unwrap().provider_configs.len(), 1);
    let given = two.mcp_configs.iter().map(|config| config.mcp_client_name.as_str()).collect::<Vec<_>>();
    assert_eq!(given, ["w"], "Keyward keeps no client that signs in by itself");
    let entries = served.audit().await.len();
    served.stop().await;

    let mut sole = file.clone();
    sole["source_of_truth"] = json!("config.json");
    let served = start(&sole, &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, Vec::<String>::new());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_another_key_had_is_refused() {
    let database = Database::fresh().await;
    apply(&file(), &database).await;
    let mut moved = file();
    moved["governance"]["virtual_keys"][0]["value"] = json!(OTHER);
    moved["governance"]["virtual_keys"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "vk2", "name": "app 2", "value": VALUE}));
    let said = start(&moved, &database).await.map(|_| ()).unwrap_err();
    let expected = "/governance/virtual_keys/1/value: another virtual key had this value before it was rotated";
    assert!(said.contains(expected) && !said.contains(VALUE), "{said}");
    let served = start(&file(), &database).await.unwrap();
    assert_eq!(served.client.virtual_key_get(&"vk".into()).await.unwrap().value.expose(), VALUE, "nothing stays of it");
    served.stop().await;
}
