//! Budgets and rate limits: sections of their own, in both generations, with definitions of their own.

use keyward_client::{Budget, ChatCompletionRequest, ChatMessage, UpdateCustomer, VirtualKey};
use keyward_server::demo::simulator::Simulator;
use serde_json::{Value, json};

use super::{request, start};
use crate::harness::Database;

fn file(cap: &Value) -> Value {
    json!({
        "providers": {"openai": {"keys": [{"name": "main", "value": "sk-fake-1234567890"}]}},
        "governance": {
            "budgets": [
                {"id": "b-old", "max_limit": cap, "reset_duration": "1M"},
                {"id": "b-day", "max_limit": 1.5, "reset_duration": "1d", "customer_id": "c"},
                {"id": "b-key", "max_limit": 2, "reset_duration": "1h", "virtual_key_id": "vk"},
                {"id": "b-config", "max_limit": 3, "reset_duration": "1h", "provider_config_id": 7},
                {"id": "b-model", "max_limit": 4, "reset_duration": "1h"},
                {"id": "b-provider", "max_limit": 5, "reset_duration": "1h"},
            ],
            "rate_limits": [{"id": "r", "request_max_limit": 9, "request_reset_duration": "1m"}],
            "customers": [{"id": "c", "name": "Acme", "budget_id": "b-old", "rate_limit_id": "r"}],
            "virtual_keys": [{"id": "vk", "name": "app", "customer_id": "c", "provider_configs": [
                {"id": 7, "provider": "openai", "allowed_models": ["*"], "key_ids": ["*"]},
            ]}],
            "model_configs": [{"id": "m", "model_name": "gpt-4o", "budget_ids": ["b-model"]}],
            "providers": [{"name": "openai", "budget_id": "b-provider"}],
        },
    })
}

fn ids(budgets: &[Budget]) -> Vec<&str> {
    budgets.iter().map(|budget| budget.id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_get_to_their_owners_in_both_generations() {
    let database = Database::fresh().await;
    let served = start(&file(&json!(100)), &database).await.unwrap();
    let customer = served.client.customer_get(&"c".into()).await.unwrap();
    assert_eq!(ids(&customer.budgets), ["b-day", "b-old"]);
    assert_eq!(customer.rate_limit.as_ref().unwrap().id.as_str(), "r");
    assert!(customer.budgets.iter().all(|budget| budget.config_hash.len() == 64));
    let key: VirtualKey = served.client.virtual_key_get(&"vk".into()).await.unwrap();
    assert_eq!((ids(&key.budgets), ids(&key.provider_configs[0].budgets)), (vec!["b-key"], vec!["b-config"]));
    let model = served.client.model_config_get(&"m".into()).await.unwrap();
    assert_eq!(ids(&model.budgets), ["b-model"]);
    let governed = served.client.provider_governance_list().await.unwrap().providers;
    assert_eq!((governed[0].provider.as_str(), ids(&governed[0].budgets)), ("openai", vec!["b-provider"]));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_budget_leaves_its_owner_and_the_other_limits_alone() {
    let database = Database::fresh().await;
    let served = start(&file(&json!(100)), &database).await.unwrap();
    let by_api: UpdateCustomer =
        request(r#"{"name":"Renamed","budgets":[{"id":"b-day","max_limit":7},{"id":"b-old"}]}"#);
    let before = served.client.customer_update(&"c".into(), &by_api).await.unwrap().customer;
    let entries = served.audit().await.len();
    served.stop().await;

    let served = start(&file(&json!(200)), &database).await.unwrap();
    assert_eq!(served.done_since(entries).await, ["customer_update"]);
    let after = served.client.customer_get(&"c".into()).await.unwrap();
    let caps = |customer: &keyward_client::Customer| {
        customer.budgets.iter().map(|budget| budget.max_limit.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (after.name.as_str(), caps(&before), caps(&after)),
        ("Renamed", vec!["7".to_owned(), "100".to_owned()], vec!["7".to_owned(), "200".to_owned()],)
    );
    assert_eq!(after.budgets[1].created_at, before.budgets[1].created_at, "the window stays where it is");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_the_file_changes_has_the_limits_of_the_file() {
    let database = Database::fresh().await;
    let served = start(&file(&json!(100)), &database).await.unwrap();
    let more: UpdateCustomer =
        request(r#"{"budgets":[{"id":"b-day"},{"id":"b-old"},{"max_limit":1,"reset_duration":"1w"}]}"#);
    served.client.customer_update(&"c".into(), &more).await.unwrap();
    served.stop().await;
    let mut changed = file(&json!(100));
    let served = start(&changed, &database).await.unwrap();
    assert_eq!(served.client.customer_get(&"c".into()).await.unwrap().budgets.len(), 3);
    served.stop().await;

    changed["governance"]["customers"][0]["name"] = json!("Acme Inc.");
    changed["governance"]["customers"][0].as_object_mut().unwrap().remove("rate_limit_id");
    let served = start(&changed, &database).await.unwrap();
    let customer = served.client.customer_get(&"c".into()).await.unwrap();
    assert_eq!((ids(&customer.budgets), customer.rate_limit), (vec!["b-day", "b-old"], None));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cap_keeps_what_was_used() {
    let (database, simulator) = (Database::fresh().await, Simulator::start().unwrap());
    let file = |cap: i64| {
        json!({
            "providers": {"own": {
                "keys": [{"name": "main", "value": "sk-fake-1234567890"}],
                "network_config": {"base_url": simulator.base_url().as_str()},
            }},
            "governance": {
                "rate_limits": [{"id": "r", "request_max_limit": cap, "request_reset_duration": "1h"}],
                "virtual_keys": [{"id": "vk", "name": "app", "rate_limit_id": "r",
                    "value": "sk-bf-00000000-0000-4000-8000-00000000000a"}],
            },
        })
    };
    let served = start(&file(5), &database).await.unwrap();
    let caller = served.client.with_virtual_key("sk-bf-00000000-0000-4000-8000-00000000000a").unwrap();
    let ask = ChatCompletionRequest {
        model: "own/gpt-4o-mini".into(),
        messages: vec![ChatMessage::user("hello")],
        ..ChatCompletionRequest::default()
    };
    caller.chat_completion_create(&ask).await.unwrap();
    served.stop().await;

    let served = start(&file(1), &database).await.unwrap();
    let limit = served.client.virtual_key_get(&"vk".into()).await.unwrap().rate_limit.unwrap();
    assert_eq!((limit.request_max_limit, limit.request_current_usage), (Some(1), 1));
    let caller = served.client.with_virtual_key("sk-bf-00000000-0000-4000-8000-00000000000a").unwrap();
    assert!(caller.chat_completion_create(&ask).await.is_err(), "the new cap is in force, and used up");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_providers_rules_over_limits_of_providers_alone() {
    let database = Database::fresh().await;
    let served = start(&file(&json!(100)), &database).await.unwrap();
    served.stop().await;
    let sole = json!({"source_of_truth": "config.json", "governance": {"providers": []}});
    let served = start(&sole, &database).await.unwrap();
    let left = served.client.model_config_list(&Default::default()).await.unwrap().model_configs;
    assert_eq!(left.iter().map(|config| config.id.as_str()).collect::<Vec<_>>(), ["m"]);
    served.stop().await;
}

/// What an owner's setting is does not reach limits that the file gives one of their own, and reaches the others.
#[tokio::test(flavor = "multi_thread")]
async fn limits_with_a_calendar_setting_of_their_own_keep_it() {
    let database = Database::fresh().await;
    let file = |name: &str, aligned: bool| {
        json!({"governance": {
            "budgets": [
                {"id": "own", "max_limit": 1, "reset_duration": "1Q", "calendar_aligned": true,
                    "reset_config": {"quarter_start_month": 4}, "customer_id": "c"},
                {"id": "owners", "max_limit": 1, "reset_duration": "1d", "customer_id": "c"},
            ],
            "rate_limits": [
                {"id": "r", "request_max_limit": 9, "request_reset_duration": "1d", "calendar_aligned": true},
                {"id": "r-team", "request_max_limit": 9, "request_reset_duration": "1d"},
            ],
            "customers": [{"id": "c", "name": name, "calendar_aligned": aligned, "rate_limit_id": "r"}],
            "teams": [{"id": "t", "name": name, "calendar_aligned": aligned, "rate_limit_id": "r-team"}],
        }})
    };
    for (name, aligned) in [("one", false), ("two", false), ("three", true), ("four", false)] {
        let served = start(&file(name, aligned), &database).await.unwrap();
        let customer = served.client.customer_get(&"c".into()).await.unwrap();
        let budgets: Vec<_> =
            customer.budgets.iter().map(|budget| (budget.id.as_str(), budget.calendar_aligned)).collect();
        assert_eq!(budgets, [("owners", aligned), ("own", true)], "{name}");
        assert!(customer.budgets[1].reset_config.is_some() && customer.rate_limit.unwrap().calendar_aligned, "{name}");
        let team = served.client.team_get(&"t".into()).await.unwrap();
        assert_eq!(team.rate_limit.unwrap().calendar_aligned, aligned, "{name}");
        served.stop().await;
    }
}

#[test]
fn how_strictly_limits_are_held_by_default_is_the_servers_to_say() {
    use keyward_client::{Enforcement, Metric};
    use keyward_core::meter::EnforcementDefaults;
    use keyward_server::config::{Overrides, Settings};

    let loaded = |server: Value| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, json!({ "server": server }).to_string()).unwrap();
        Settings::load(Overrides { config: Some(path), ..Overrides::default() })
    };
    assert_eq!(loaded(json!({})).unwrap().default_enforcement, EnforcementDefaults::default());
    let told = loaded(json!({"default_enforcement": {"tokens": "hard", "budgets": "shadow"}})).unwrap();
    let defaults = told.default_enforcement;
    assert_eq!(
        [Metric::Cost, Metric::Tokens, Metric::Requests].map(|metric| defaults.of(metric)),
        [Enforcement::Shadow, Enforcement::Hard, Enforcement::Hard]
    );
    let error = loaded(json!({"default_enforcement": {"token": "hard"}})).unwrap_err().to_string();
    assert!(error.contains("/server/default_enforcement/token") && error.contains("tokens"), "{error}");
}
