//! What the compatible product's file has and Keyward has no use for: accepted, said, and left out.

use keyward_core::invalid::Pointer;

use super::node::Node;
use super::reader::Reader;

/// Places of what has no effect; `*` is any member or element.
const WITHOUT_EFFECT: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "access_profiles",
            "alerting",
            "audit_logs",
            "circuit_breaker_config",
            "cluster_config",
            "config_store",
            "encryption_key",
            "env_label",
            "feature_flags",
            "framework",
            "guardrails_config",
            "large_payload_optimization",
            "load_balancer_config",
            "logs_store",
            "plugins",
            "saml_config",
            "scim_config",
            "vector_store",
            "webhooks",
            "websocket",
        ],
    ),
    ("mcp", &["tool_groups", "tool_manager_config", "tool_sync_interval"]),
    (
        "mcp/client_configs/*",
        &[
            "config_hash",
            "created_at",
            "needs_session_stickiness",
            "oauth_config_id",
            "per_user_header_keys",
            "tls_config",
            "updated_at",
        ],
    ),
    // Those of rows, which mean nothing outside of the database that they are from.
    ("governance/virtual_keys/*/mcp_configs/*", &["id", "virtual_key_id"]),
    ("governance/virtual_keys/*/provider_configs/*", &["virtual_key_id"]),
    ("server", &["read_buffer_size"]),
    (
        "client",
        &[
            "allow_direct_keys",
            "allow_per_request_content_storage_override",
            "allow_per_request_raw_override",
            "allowed_headers",
            "async_job_result_ttl",
            "compat",
            "delete_expired_virtual_keys",
            "disable_content_logging",
            "disable_db_pings_in_health",
            "drop_excess_requests",
            "dual_credential_conflict_behavior",
            "dump_errors_in_console_logs",
            "enable_governance",
            "enable_litellm_fallbacks",
            "enable_logging",
            "enforce_scim_auth",
            "header_filter_config",
            "hidden_request_types",
            "hide_deleted_virtual_keys_in_filters",
            "initial_pool_size",
            "log_retention_days",
            "logging_headers",
            "max_request_body_size_mb",
            "mcp_agent_depth",
            "mcp_code_mode_binding_level",
            "mcp_disable_auto_tool_inject",
            "mcp_enable_temp_token_auth",
            "mcp_external_client_url",
            "mcp_server_auth_mode",
            "mcp_tool_execution_timeout",
            "mcp_tool_sync_interval",
            "oauth2_server_config",
            "prometheus_labels",
            "required_headers",
            "retain_content_in_object_storage",
            "routing_chain_max_depth",
            "webhook_config",
            "whitelisted_routes",
        ],
    ),
    ("governance", &["business_units", "complexity_analyzer_config", "projects", "roles"]),
    ("governance/auth_config", &["disable_auth_on_inference"]),
    ("auth_config", &["disable_auth_on_inference"]),
    ("governance/*/*", &["config_hash", "created_at", "updated_at"]),
    ("governance/budgets/*", &["current_usage", "last_reset"]),
    (
        "governance/rate_limits/*",
        &["request_current_usage", "request_last_reset", "token_current_usage", "token_last_reset"],
    ),
    ("governance/teams/*", &["business_unit_id", "claims", "config", "profile", "source_id", "virtual_key_count"]),
    ("governance/virtual_keys/*", &["access_profile_id"]),
    (
        "governance/providers/*",
        &[
            "concurrency_and_buffer_size",
            "custom_provider_config",
            "description",
            "id",
            "network_config",
            "openai_config",
            "proxy_config",
            "send_back_raw_request",
            "send_back_raw_response",
            "store_raw_request_response",
        ],
    ),
    ("providers/*", &["config_hash", "meta_config", "openai_config", "prompt_cache", "provider_status", "status"]),
    (
        "providers/*/network_config",
        &[
            "allow_private_network",
            "beta_header_overrides",
            "enforce_http2",
            "keep_alive_timeout_in_seconds",
            "max_conns_per_host",
            "retry_backoff_initial_ms",
            "retry_backoff_max_ms",
            "stream_idle_timeout_in_seconds",
        ],
    ),
    ("providers/*/keys/*", &["bedrock_mantle_key_config", "config_hash", "status"]),
    ("providers/*/keys/*/bedrock_key_config", &["external_id", "project_id", "role_arn", "session_name"]),
    ("providers/*/keys/*/vertex_key_config", &["force_single_region"]),
    ("providers/*/keys/*/azure_key_config", &["anthropic_version"]),
];

/// Takes out what has no effect, and says so.
pub(super) fn strip(file: &mut Node, reader: &mut Reader) {
    // Where the schema is, is for editors and needs no word.
    file.take("$schema");
    required_anyway(file, reader);
    for (place, names) in WITHOUT_EFFECT {
        let way: Vec<&str> = place.split('/').filter(|step| !step.is_empty()).collect();
        each(file, &way, &Pointer::ROOT, &mut |node, at| {
            for name in *names {
                if node.take(name).is_some() {
                    reader.warn(&at.member(name), "without effect");
                }
            }
        });
    }
}

/// Calls for every node at the end of the way.
pub(super) fn each(node: &mut Node, way: &[&str], at: &Pointer, call: &mut dyn FnMut(&mut Node, &Pointer)) {
    let Some((step, rest)) = way.split_first() else { return call(node, at) };
    for (name, child) in node.children_mut() {
        if *step == "*" || *step == name {
            each(child, rest, &at.member(&name), call);
        }
    }
}

/// Switches that let requests in without a virtual key: here one is always required.
fn required_anyway(file: &mut Node, reader: &mut Reader) {
    each(file, &["client"], &Pointer::ROOT, &mut |client, at| {
        for name in ["enable_governance", "enforce_auth_on_inference", "enforce_governance_header"] {
            if client.member(name).and_then(Node::literal) == Some("false") {
                client.take(name);
                reader.warn(&at.member(name), "without effect: a virtual key is always required");
            }
        }
    });
}
