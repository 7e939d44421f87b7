//! What is wrong with a file stops the start, all of it told by JSON pointers, and nothing is changed.

use serde_json::json;

use super::{apply, exported, start};
use crate::harness::Database;

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_told_at_once() {
    let database = Database::fresh().await;
    let file = json!({
        "sever": {},
        "client": {"vk_rotation_cooldown": "40d", "unheard_of": 1},
        "providers": {
            "own": {"keys": [{"value": "sk-fake-1234567890"}]},
            "openai": {"keys": [{"name": "a", "value": "env.NOT_SET_1"}], "network_config": {"insecure_skip_verify": true}},
        },
        "governance": {
            "budgets": [
                {"id": "b", "max_limit": "5", "reset_duration": "1x"},
                {"id": "b2", "max_limit": 1, "reset_duration": "1d", "team_id": "nobody"},
            ],
            "customers": [{"id": "c", "name": ""}, {"id": "c", "name": "again"}, {"name": "no id"}],
            "teams": [{"id": "t", "name": "T", "budget_id": "missing", "rate_limit_id": "missing", "nmae": 1}],
            "virtual_keys": [
                {"id": "vk", "name": "a", "value": "env.NOT_SET_2", "provider_configs": [{"provider": "openai", "weight": -1}]},
                {"id": "vk2", "name": "a", "value": "sk-b************************0001"},
            ],
            "routing_rules": [{"id": "r", "name": "r", "cel_expression": "1 +", "targets": []}],
            "pricing_overrides": [{"id": "p", "name": "p", "scope_kind": "global", "match_type": "exact", "pattern": "m",
                "request_types": ["chat_completion"], "pricing_patch": "{\"input_cost_per_token\": -1}"}],
            "unheard_of": [],
        },
    });
    let said = start(&file, &database).await.map(|_| ()).unwrap_err();
    for expected in [
        "/sever: unknown field 'sever'; did you mean 'server'?",
        "/client/unheard_of: unknown field",
        "/client/vk_rotation_cooldown: Invalid vk_rotation_cooldown",
        "/providers/own/network_config/base_url: provider own is not a known one",
        "/providers/openai/network_config/insecure_skip_verify: ",
        "/providers/openai/keys/0/value: it names the environment variable NOT_SET_1, which is not set",
        "/governance/budgets/0/max_limit: invalid type",
        "/governance/budgets/0/reset_duration: ",
        "/governance/budgets/1/team_id: team 'nobody' is not in this file",
        "/governance/customers/0/name: Customer name is required",
        "/governance/customers/1/id: the id 'c' is there twice",
        "/governance/customers/2/id: id is required",
        "/governance/teams/0/budget_id: budget 'missing' is not in this file",
        "/governance/teams/0/rate_limit_id: rate limit 'missing' is not in this file",
        "/governance/teams/0/nmae: unknown field 'nmae'; did you mean 'name'?",
        "/governance/virtual_keys/0/value: it names the environment variable NOT_SET_2, which is not set",
        "/governance/virtual_keys/0/provider_configs/0/weight: weight cannot be negative",
        "/governance/virtual_keys/1/name: the name 'a' is there twice",
        "/governance/virtual_keys/1/value: this is the redacted form",
        "/governance/routing_rules/0/cel_expression: invalid CEL expression",
        "/governance/routing_rules/0/targets: at least one target is required",
        "/governance/pricing_overrides/0/patch/input_cost_per_token: a cost cannot be negative",
        "/governance/unheard_of: unknown field 'unheard_of'",
    ] {
        assert!(said.contains(expected), "{expected} is missing in:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_database_can_tell_is_told_at_once_too_and_undone() {
    let database = Database::fresh().await;
    let first = json!({"governance": {
        "budgets": [{"id": "b", "max_limit": 1, "reset_duration": "1d", "customer_id": "c"}],
        "customers": [{"id": "c", "name": "Acme"}],
        "teams": [{"id": "t", "name": "T"}],
    }});
    apply(&first, &database).await;
    let before = exported(&database).await;
    let second = json!({"governance": {
        "customers": [{"id": "new", "name": "New"}, {"id": "d", "name": "Acme"}],
        "budgets": [{"id": "b", "max_limit": 1, "reset_duration": "1d", "team_id": "u"}],
        "teams": [{"id": "u", "name": "U"}, {"id": "t", "name": "T", "customer_id": "nobody"}],
        "virtual_keys": [
            {"id": "vk", "name": "key", "provider_configs": [{"provider": "openai", "key_ids": ["nobody's"]}]},
            {"id": "vk2", "name": "key 2", "team_id": "t"},
        ],
    }});
    let said = start(&second, &database).await.map(|_| ()).unwrap_err();
    for expected in [
        "/governance/customers/1: Customer with this name, id or value exists already",
        "/governance/teams/0: Budget with this name, id or value exists already",
        "/governance/teams/1/customer_id: customer 'nobody' not found",
        "/governance/virtual_keys/0/provider_configs/0/provider: invalid provider name: openai",
    ] {
        assert!(said.contains(expected), "{expected} is missing in:\n{said}");
    }
    assert!(said.contains("4 errors"), "the team is there, though not in the file: {said}");
    assert_eq!(exported(&database).await, before, "a refused file changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_has_one_owner() {
    let database = Database::fresh().await;
    let file = json!({"governance": {
        "rate_limits": [{"id": "r", "request_max_limit": 9, "request_reset_duration": "1m"}],
        "customers": [{"id": "c", "name": "C", "rate_limit_id": "r"}, {"id": "d", "name": "D", "rate_limit_id": "r"}],
    }});
    let said = start(&file, &database).await.map(|_| ()).unwrap_err();
    assert!(said.contains("/governance/customers/1/rate_limit_id: rate limit 'r' is that of"), "{said}");
}
