//! Successful answers, as far as the client does something with them; the server's own tests cover the rest.

use keyward_client::{ChatCompletionRequest, NanoUsd, TeamQuery};

use crate::loopback::Loopback;

const TEAM: &str = r#"{
    "id": "t", "name": "Research", "calendar_aligned": false, "virtual_key_count": 2, "config_hash": "",
    "budgets": [{
        "id": "b", "max_limit": 0.3, "reset_duration": "1M", "calendar_aligned": true, "timezone": "Europe/Berlin",
        "last_reset": "2026-10-31T23:00:00Z", "resets_at": "2026-11-30T23:00:00Z", "current_usage": 0.100000001,
        "config_hash": "", "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z"
    }],
    "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z", "from_a_newer_server": 1
}"#;

#[tokio::test]
async fn an_entity_comes_out_of_its_envelope_with_exact_money() {
    let server = Loopback::answering("200 OK", "", &format!(r#"{{"team":{TEAM}}}"#)).await;
    let team = server.client().team_get(&"t".into()).await.unwrap();
    let [budget] = team.budgets.as_slice() else { panic!("{team:?}") };
    assert_eq!(budget.current_usage, NanoUsd::from_nanos(100_000_001));
    assert_eq!(budget.max_limit.to_string(), "0.3");
}

#[tokio::test]
async fn a_list_comes_with_its_counts() {
    let body = format!(r#"{{"teams":[{TEAM}],"count":1,"total_count":7,"limit":1,"offset":3}}"#);
    let server = Loopback::answering("200 OK", "", &body).await;
    let list = server.client().team_list(&TeamQuery::default()).await.unwrap();
    assert_eq!((list.teams.len(), list.total_count, list.offset), (1, 7, 3));
}

#[tokio::test]
async fn a_virtual_key_is_read_from_the_answer_that_has_it_twice() {
    let key = r#""id":"k","name":"first","value":"sk-bf-hunter2","description":"","is_active":true,
        "allow_all_providers":true,"provider_configs":[],"mcp_configs":[],"keys":[],"budgets":[],
        "calendar_aligned":false,"config_hash":"","created_at":"2026-11-01T10:00:00Z",
        "updated_at":"2026-11-01T10:00:00Z""#;
    let server = Loopback::answering("200 OK", "", &format!(r#"{{"virtual_key":{{{key}}},{key}}}"#)).await;
    let key = server.client().virtual_key_get(&"k".into()).await.unwrap();
    assert_eq!((key.name.as_str(), key.value.expose()), ("first", "sk-bf-hunter2"));
    assert!(!format!("{key:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_answer_keeps_what_the_provider_added() {
    let body = r#"{"id":"c","object":"chat.completion","model":"echo","service_tier":"default",
        "choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
    let server = Loopback::answering("200 OK", "", body).await;
    let answer = server.client().chat_completion_create(&ChatCompletionRequest::default()).await.unwrap();
    assert_eq!(answer.usage.map(|usage| usage.total_tokens), Some(4));
    assert_eq!(answer.other.get("service_tier").and_then(|tier| tier.as_str()), Some("default"));
}
