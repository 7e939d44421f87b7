//! An export leaves the database as it is, and applying twice is applying once.

use keyward_client::{ClientConfig, UpdateConfig};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{apply, exported, request, start, start_with};
use crate::harness::Database;

/// Applies an export, and gives what was recorded meanwhile and the next export.
async fn fed_back(text: &str, database: &Database) -> (Vec<String>, String) {
    let served = start(&json!({}), database).await.unwrap();
    let entries = served.audit().await.len();
    served.stop().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("export.json");
    std::fs::write(&path, text).unwrap();
    let served = start_with(&path, database).await.unwrap();
    let done = served.done_since(entries).await;
    served.stop().await;
    (done, exported(database).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_made_is_exported_without_secrets_and_fed_back_without_a_trace() {
    let database = Database::fresh().await;
    let served = start(&json!({}), &database).await.unwrap();
    let client = &served.client;
    client
        .provider_create(&request(
            r#"{"name":"openai","network_config":{"extra_headers":{"x-api-key":"fake-header-secret-1"},"max_retries":1},
                "keys":[{"name":"a","value":"sk-fake-1234567890","aliases":{"m":"m-2026"}},{"name":"b","value":"short"}]}"#,
        ))
        .await
        .unwrap();
    client
        .provider_create(&request(
            r#"{"name":"azure","keys":[{"name":"z","value":"fake-azure-secret","azure_key_config":
                {"endpoint":"https://example.openai.azure.com","client_id":"i","client_secret":"fake-client-secret","tenant_id":"t"}}]}"#,
        ))
        .await
        .unwrap();
    for mcp_client in [
        r#"{"name":"web","connection_type":"http","connection_string":"https://fake-address.example/mcp",
            "headers":{"x-api-key":"fake-mcp-secret-1","x-ref":"env.PATH"},"tool_pricing":{"a":0.0025},"tool_sync_interval":-1}"#,
        r#"{"client_id":"prog","name":"program","connection_type":"stdio","stdio_config":{"command":"x"},"tools_to_execute":[],
            "allow_on_all_virtual_keys":true,"disabled":true}"#,
    ] {
        client.mcp_client_create(&request(mcp_client)).await.unwrap();
    }
    let customer = client
        .customer_create(&request(
            r#"{"name":"C","calendar_aligned":true,"budgets":[{"max_limit":0.1,"reset_duration":"1d","output_clamp":"never"},
                {"max_limit":9,"reset_duration":"1M","calendar_aligned":false,"timezone":"Europe/Berlin"},
                {"max_limit":9,"reset_duration":"2Q","reset_config":{"quarter_start_month":7}},
                {"max_limit":9,"reset_duration":"never","enforcement":"soft"}],
                "rate_limit":{"token_max_limit":5,"token_reset_duration":"1d","calendar_aligned":false}}"#,
        ))
        .await
        .unwrap()
        .customer;
    let team = format!(r#"{{"name":"T","customer_id":"{}"}}"#, customer.id);
    let team = client.team_create(&request(&team)).await.unwrap().team;
    let key = format!(
        r#"{{"name":"K","team_id":"{}","max_parallel_requests":3,"metadata":{{"env":"prod"}},"expires_at":"2099-01-01T00:00:00Z",
            "budget":{{"max_limit":3,"reset_duration":"1h"}},
            "provider_configs":[{{"provider":"openai","weight":null,"allowed_models":[],"budget":{{"max_limit":1,"reset_duration":"1d"}},
              "rate_limit":{{"request_max_limit":2,"request_reset_duration":"1d","calendar_aligned":true,"enforcement":"shadow","output_clamp":"always"}},
              "model_budgets":[{{"model":"m","budget":{{"max_limit":1,"reset_duration":"1d","enforcement":"shadow"}},
                "rate_limit":{{"token_max_limit":2,"token_reset_duration":"1w","calendar_aligned":true}}}}]}},{{"provider":"azure","key_ids":[]}}],
            "mcp_configs":[{{"mcp_client_name":"web","tools_to_execute":["a"]}},{{"mcp_client_name":"program","tools_to_execute":[]}}]}}"#,
        team.id
    );
    let key = client.virtual_key_create(&request(&key)).await.unwrap().virtual_key;
    client.virtual_key_create(&request(r#"{"name":"open"}"#)).await.unwrap();
    let model = format!(
        r#"{{"model_name":"*","scope":"virtual_key","scope_id":"{}","budget":{{"max_limit":1,"reset_duration":"1d"}}}}"#,
        key.id
    );
    client.model_config_create(&request(&model)).await.unwrap();
    client.model_config_create(&request(r#"{"model_name":"*","provider":"openai"}"#)).await.unwrap();
    let pinned = key_id(client, "a").await;
    let rule = format!(
        r#"{{"name":"R","cel_expression":"model == 'm'","targets":[{{"provider":"openai","key_id":"{pinned}","weight":1}}],"query":{{"a":[1.50]}}}}"#
    );
    client.routing_rule_create(&request(&rule)).await.unwrap();
    let price = format!(
        r#"{{"name":"P","scope_kind":"provider_key","provider_key_id":"{pinned}","match_type":"exact","pattern":"m",
            "request_types":["chat_completion"],"patch":{{"input_cost_per_token":0.000000000123,"output_cost_per_token":1}}}}"#
    );
    client.pricing_override_create(&request(&price)).await.unwrap();
    let config: UpdateConfig = request(r#"{"client_config":{"vk_rotation_cooldown":"90m","allowed_origins":["*"]}}"#);
    let ClientConfig { vk_rotation_cooldown, .. } = client.config_update(&config).await.unwrap().client_config;
    let before = client.virtual_key_get(&key.id).await.unwrap();
    served.stop().await;

    let text = exported(&database).await;
    for secret in [
        "sk-fake-1234567890",
        "fake-header-secret-1",
        "fake-azure-secret",
        "fake-client-secret",
        "fake-address",
        "fake-mcp-secret-1",
        "\"short\"",
        key.value.expose(),
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains(&vk_rotation_cooldown.nanoseconds().to_string()));
    let elsewhere = fed_elsewhere(&text).await;
    let refused = "this is the redacted form of a secret, and not of the one that is stored here";
    for at in [
        "/providers/openai/network_config/extra_headers/x-api-key",
        "/providers/azure/keys/0/azure_key_config/client_secret",
        "/connection_string",
    ] {
        assert!(elsewhere.contains(&format!("{at}: {refused}")), "{elsewhere}");
    }
    let (done, again) = fed_back(&text, &database).await;
    assert_eq!((done, again), (Vec::new(), text));
    let served = start(&json!({}), &database).await.unwrap();
    let after = served.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!((after.updated_at, after.value), (before.updated_at, before.value));
    assert_eq!(after.budgets[0].updated_at, before.budgets[0].updated_at);
    served.stop().await;
}

/// Why a database without the secrets does not take an export.
async fn fed_elsewhere(text: &str) -> String {
    let (database, directory) = (Database::fresh().await, tempfile::tempdir().unwrap());
    let path = directory.path().join("export.json");
    std::fs::write(&path, text).unwrap();
    start_with(&path, &database).await.map(|_| ()).unwrap_err()
}

async fn key_id(client: &keyward_client::Client, name: &str) -> String {
    let keys = client.key_list().await.unwrap();
    keys.iter().find(|key| key.name == name).unwrap().key_id.to_string()
}

/// Files of all kinds of owners, limits and settings.
fn files() -> impl Strategy<Value = Value> {
    let durations = proptest::sample::subsequence(vec!["30m", "1d", "1w", "1M", "1Q", "never"], 0..6);
    let owner = (durations, any::<bool>(), any::<bool>(), 1..1_000_000_u32);
    (prop::collection::vec(owner, 1..5), any::<bool>(), any::<bool>()).prop_map(|(owners, sole, limited)| {
        let (mut budgets, mut rate_limits) = (Vec::new(), Vec::new());
        let (mut customers, mut teams, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (durations, aligned, with_rate, cap)) in owners.into_iter().enumerate() {
            let kind = ["customer_id", "team_id", "virtual_key_id"][index % 3];
            let id = format!("{kind} {index}");
            for duration in durations {
                let cap = f64::from(cap) / 1000.0;
                budgets.push(json!({"id": format!("{id} {duration}"), "max_limit": cap, "reset_duration": duration, kind: id}));
            }
            let mut owner = json!({"id": id, "name": format!("n {index}"), "calendar_aligned": aligned});
            if with_rate {
                rate_limits.push(json!({"id": format!("r {index}"), "token_max_limit": cap, "token_reset_duration": "1d"}));
                owner["rate_limit_id"] = json!(format!("r {index}"));
            }
            match index % 3 {
                0 => customers.push(owner),
                1 => {
                    owner["customer_id"] = customers[0]["id"].clone();
                    teams.push(owner);
                }
                _ => {
                    owner["team_id"] = teams[0]["id"].clone();
                    if limited {
                        owner["provider_configs"] = json!([{"provider": "openai", "weight": 0.5, "key_ids": ["k"]}]);
                    }
                    keys.push(owner);
                }
            }
        }
        json!({
            "source_of_truth": if sole { "config.json" } else { "split" },
            "providers": {"openai": {"keys": [{"name": "k", "value": "sk-fake-1234567890", "weight": cap_weight(limited)}]}},
            "governance": {
                "budgets": budgets, "rate_limits": rate_limits, "customers": customers, "teams": teams, "virtual_keys": keys,
            },
        })
    })
}

fn cap_weight(limited: bool) -> f64 {
    if limited { 0.25 } else { 1.0 }
}

/// One file after the other on one database: each changes what it says, and nothing when it says it again.
#[tokio::test(flavor = "multi_thread")]
async fn applying_twice_is_applying_once() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let database = Database::fresh().await;
    for _ in 0..8 {
        let mut file = files().new_tree(&mut runner).unwrap().current();
        // Durations of a budget move about between files, so each begins from nothing.
        let mut nothing =
            json!({"source_of_truth": "config.json", "governance": {"customers": [], "teams": [], "virtual_keys": []}});
        nothing["governance"]["model_configs"] = json!([]);
        apply(&nothing, &database).await;
        apply(&file, &database).await;
        let once = exported(&database).await;
        let (done, again) = fed_back(&once, &database).await;
        assert_eq!((done, &again), (Vec::new(), &once), "{file}");
        file["version"] = json!(2);
        let (done, again) = fed_back(&file.to_string(), &database).await;
        assert_eq!((done, again), (Vec::new(), once), "{file}");
    }
}
