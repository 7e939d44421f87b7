//! The kinds of resources. What could touch the traffic of others is confined to what the run has made itself.

use serde_json::{Value, json};

use super::Ground;
use super::resource::Resource;

/// A kind whose resource is a member of its answers.
fn kind(stem: &'static str, parameter: &'static str, at: &'static str, items: &'static str, body: Value) -> Resource {
    Resource {
        stem,
        suffix: "",
        parameter,
        parents: Vec::new(),
        at,
        id: "/id",
        name: "name",
        items,
        in_item: "",
        is_searched: true,
        body,
        edit: json!({ "description": "edited" }),
        is_named_once: true,
        is_renamed: true,
        changes: Vec::new(),
    }
}

pub(super) fn customer() -> Resource {
    let budget = json!({ "max_limit": 1.5, "reset_duration": "1d" });
    Resource {
        edit: json!({ "calendar_aligned": true }),
        ..kind("customer", "customer_id", "/customer", "customers", json!({ "budget": budget }))
    }
}

pub(super) fn team() -> Resource {
    let budget = json!({ "max_limit": 1.5, "reset_duration": "1d" });
    Resource {
        edit: json!({ "calendar_aligned": true }),
        ..kind("team", "team_id", "/team", "teams", json!({ "budget": budget }))
    }
}

pub(super) fn virtual_key() -> Resource {
    let limit = json!({ "request_max_limit": 10, "request_reset_duration": "1h" });
    Resource {
        changes: vec![("rotate", None)],
        ..kind("virtual_key", "vk_id", "/virtual_key", "virtual_keys", json!({ "rate_limit": limit }))
    }
}

pub(super) fn management_key() -> Resource {
    let permissions = json!([{ "resource": "events", "access": "read" }]);
    Resource {
        changes: vec![("rotate", None)],
        ..kind("management_key", "key_id", "/management_key", "management_keys", json!({ "permissions": permissions }))
    }
}

pub(super) fn model_config(ground: &Ground) -> Resource {
    let body =
        json!({ "scope": "virtual_key", "scope_id": ground.key, "budget": { "max_limit": 1, "reset_duration": "1d" } });
    Resource {
        name: "model_name",
        edit: json!({ "calendar_aligned": true }),
        ..kind("model_config", "mc_id", "/model_config", "model_configs", body)
    }
}

pub(super) fn pricing_override(ground: &Ground) -> Resource {
    let patch = json!({ "input_cost_per_token": 0.000_002_5 });
    let body = json!({
        "scope_kind": "provider", "provider_id": ground.provider, "match_type": "exact", "pattern": "none",
        "request_types": ["chat_completion"], "patch": patch,
    });
    Resource {
        edit: json!({ "pattern": "nothing" }),
        is_named_once: false,
        changes: vec![("patch", Some(json!({ "pattern": "neither" })))],
        ..kind("pricing_override", "override_id", "/pricing_override", "pricing_overrides", body)
    }
}

/// A rule that holds for one virtual key of the run, and never fits.
pub(super) fn routing_rule(ground: &Ground, suffix: &'static str) -> Resource {
    let body = json!({
        "scope": "virtual_key", "scope_id": ground.key, "cel_expression": "false",
        "targets": [{ "provider": ground.provider, "model": "none" }],
    });
    Resource { suffix, ..kind("routing_rule", "rule_id", "/rule", "rules", body) }
}

pub(super) fn mcp_client() -> Resource {
    let body = json!({ "connection_type": "http", "connection_string": "https://mcp.invalid/mcp" });
    Resource {
        id: "/client_id",
        in_item: "/config",
        edit: json!({ "disabled": true }),
        ..kind("mcp_client", "client_id", "/client/config", "clients", body)
    }
}

pub(super) fn provider(base_url: &str) -> Resource {
    Resource {
        id: "/name",
        is_searched: false,
        is_renamed: false,
        ..kind("provider", "provider", "", "providers", json!({ "network_config": { "base_url": base_url } }))
    }
}

pub(super) fn provider_key(ground: &Ground) -> Resource {
    Resource {
        parents: vec![("provider".to_owned(), ground.provider.clone())],
        is_searched: false,
        ..kind("provider_key", "key_id", "", "keys", json!({ "value": "no-real-secret" }))
    }
}
