//! One golden answer per view of a resource. A redaction checks the kind of what it replaces.

use insta::internals::{Content, ContentPath};
use insta::{assert_json_snapshot, dynamic_redaction};
use keyward_client::{CreateVirtualKey, VirtualKey};
use serde_json::{Value, json};
use uuid::Uuid;

use super::mcp_clients::{CLIENT, files, made};
use super::routing_rules::RULES;
use super::{
    CUSTOMERS, MODEL_CONFIGS, PRICING_OVERRIDES, PROVIDER_GOVERNANCE, PROVIDERS, TEAMS, VIRTUAL_KEYS, done, send,
};
use crate::gateway::called;
use crate::harness::App;

fn text(content: &Content, path: &ContentPath<'_>) -> String {
    content.as_str().unwrap_or_else(|| panic!("{path}: {content:?} is no text")).to_owned()
}

fn uuid(content: Content, path: ContentPath<'_>) -> Content {
    let text = text(&content, &path);
    assert!(text.parse::<Uuid>().is_ok(), "{path}: {text}");
    "[uuid]".into()
}

fn timestamp(content: Content, path: ContentPath<'_>) -> Content {
    let text = text(&content, &path);
    // RFC 3339 in UTC.
    assert!(text.parse::<jiff::Timestamp>().is_ok() && text.ends_with('Z'), "{path}: {text}");
    "[timestamp]".into()
}

fn secret(content: Content, path: ContentPath<'_>) -> Content {
    let text = text(&content, &path);
    assert!(text.strip_prefix("sk-bf-").is_some_and(|uuid| uuid.parse::<Uuid>().is_ok()), "{path}: no virtual key");
    "[virtual key]".into()
}

/// Compares an answer with its golden file.
fn golden(name: &str, answer: &Value) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for selector in [
        "budget_id",
        "rate_limit_id",
        "team_id",
        "customer_id",
        "virtual_key_id",
        "key_id",
        "event_id",
        "scope_id",
        "model_config_id",
        "model_budget_id",
        "provider_key_id",
    ] {
        settings.add_redaction(&format!(".**.{selector}"), dynamic_redaction(uuid));
    }
    for selector in [
        "last_reset",
        "token_last_reset",
        "request_last_reset",
        "resets_at",
        "created_at",
        "updated_at",
        "at",
        "window_start",
        "window_end",
    ] {
        settings.add_redaction(&format!(".**.{selector}"), dynamic_redaction(timestamp));
    }
    // Provider configs and attached keys have row numbers for ids, which count up from one.
    settings.add_redaction(
        ".**.id",
        dynamic_redaction(|content, path| match content.as_i64() {
            Some(_) => content,
            None => uuid(content, path),
        }),
    );
    // At MCP clients a text; at provider keys a setting.
    settings.add_redaction(
        ".**.client_id",
        dynamic_redaction(|content, path| match content.as_str() {
            Some(_) => uuid(content, path),
            None => content,
        }),
    );
    // In pages a number; at meters an id.
    settings.add_redaction(
        ".**.limit",
        dynamic_redaction(|content, path| match content.as_str() {
            Some(_) => uuid(content, path),
            None => content,
        }),
    );
    // `value` is the secret of a virtual key, or an object or redacted text at provider keys.
    settings.add_redaction(
        ".**.value",
        dynamic_redaction(|content, path| match content.as_str() {
            Some(text) if text.starts_with("sk-bf-") => secret(content, path),
            Some(text) if text.starts_with("sk-kw-") => "[management key]".into(),
            Some(_) | None => content,
        }),
    );
    settings.bind(|| assert_json_snapshot!(name, answer));
}

fn limits() -> Value {
    json!({
        "calendar_aligned": true,
        "budgets": [
            { "max_limit": 0.25, "reset_duration": "1d", "timezone": "Europe/Berlin" },
            { "max_limit": 100, "reset_duration": "1h" },
        ],
        "rate_limit": {
            "token_max_limit": 1000, "token_reset_duration": "1m",
            "request_max_limit": 60, "request_reset_duration": "1h",
        },
    })
}

fn with(mut members: Value, more: Value) -> Value {
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    members
}

/// A virtual key with everything that it can have.
async fn dressed(app: &App) -> Value {
    let team = done(app, "POST", TEAMS, json!({ "name": "red" })).await;
    let literal = json!({ "name": "literal", "value": "fake-provider-secret" });
    let reference = json!({ "name": "reference", "value": "env.PATH", "models": ["echo"], "weight": 0.5 });
    let mut ids = Vec::new();
    for key in [literal, reference] {
        ids.push(done(app, "POST", &format!("{PROVIDERS}/demo/keys"), key).await["id"].clone());
    }
    made(app, files()).await;
    let config = json!({
        "provider": "demo", "weight": 0.5, "allowed_models": ["echo"], "blacklisted_models": ["slow"], "key_ids": ids,
        "budget": { "max_limit": 1e-9, "reset_duration": "1M" },
        "rate_limit": { "request_max_limit": 5, "request_reset_duration": "1m" },
        "model_budgets": [{ "model": "echo", "budget": { "max_limit": 3, "reset_duration": "1d" } }],
    });
    let own = json!({
        "name": "dressed", "description": "with everything", "team_id": team["team"]["id"],
        "provider_configs": [config], "mcp_configs": [{ "mcp_client_name": "files", "tools_to_execute": ["read"] }],
        "expires_at": "2099-01-01T00:00:00Z",
    });
    done(app, "POST", VIRTUAL_KEYS, with(limits(), own)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn virtual_keys() {
    let app = App::start().await;
    let created = dressed(&app).await;
    golden("VirtualKey", &created);
    let id = created["virtual_key"]["id"].as_str().unwrap();
    golden("VirtualKeyDetail", &app.raw("GET", &format!("{VIRTUAL_KEYS}/{id}")).send().await.json());
    let bare = CreateVirtualKey { name: "bare".to_owned(), ..CreateVirtualKey::default() };
    app.client.virtual_key_create(&bare).await.unwrap();
    golden("VirtualKeyList", &app.raw("GET", &format!("{VIRTUAL_KEYS}?limit=1&offset=1")).send().await.json());
    let key: VirtualKey = serde_json::from_value(created["virtual_key"].clone()).unwrap();
    let quota = app.raw("GET", &format!("{VIRTUAL_KEYS}/quota")).header("x-bf-vk", key.value.expose());
    golden("VirtualKeyQuota", &quota.send().await.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn owners() {
    let app = App::start().await;
    let customer = done(&app, "POST", CUSTOMERS, with(limits(), json!({ "name": "acme" }))).await;
    golden("Customer", &customer);
    let team = json!({ "name": "red", "customer_id": customer["customer"]["id"] });
    golden("Team", &done(&app, "POST", TEAMS, with(limits(), team)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn providers() {
    let app = App::start().await;
    let body = json!({
        "name": "own",
        "network_config": {
            "base_url": "https://llm.example/v1", "default_request_timeout_in_seconds": 60, "max_retries": 2,
            "retry_backoff_initial": "500ms", "retry_backoff_max": 5000,
            "extra_headers": { "X-Team": "red", "x-api-token": "fake-header-secret", "x-region": "env.PATH" },
        },
        "concurrency_and_buffer_size": { "concurrency": 10, "buffer_size": 100 },
        "custom_provider_config": {
            "base_provider_type": "openai", "is_key_less": false, "allowed_requests": { "chat_completion": true },
        },
        "description": "for everyone", "send_back_raw_response": true,
        "keys": [{ "name": "literal", "value": "fake-provider-secret" }],
    });
    golden("Provider", &done(&app, "POST", PROVIDERS, body).await);
    let key = json!({
        "name": "reference", "value": "env.PATH", "models": ["a", "b"], "weight": 0.5, "enabled": false,
        "use_for_batch_api": true, "description": "for batches", "blacklisted_models": ["c"],
        "azure_key_config": {
            "endpoint": "https://fake.openai.azure.com", "api_version": "2024-10-21", "client_id": "fake-client",
            "client_secret": "fake-client-secret", "tenant_id": "fake-tenant", "scopes": ["fake-scope"],
            "deployments": { "a": "a-deployment" },
        },
        "vertex_key_config": { "project_id": "fake-project", "region": "us-central1", "auth_credentials": "env.PATH" },
        "bedrock_key_config": {
            "access_key": "fake-access-key", "secret_key": "fake-secret-key", "region": "us-east-1",
            "batch_s3_config": { "buckets": [{ "bucket_name": "fake-bucket", "is_default": true }] },
        },
        "vllm_key_config": { "url": "http://127.0.0.1:1" }, "ollama_key_config": { "url": "http://127.0.0.1:2" },
        "sgl_key_config": { "url": "http://127.0.0.1:3" }, "replicate_key_config": { "use_deployments_endpoint": true },
        "openai_key_config": { "use_responses_api": true },
    });
    golden("ProviderKey", &done(&app, "POST", &format!("{PROVIDERS}/own/keys"), key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn model_limits() {
    let app = App::start().await;
    let key = done(&app, "POST", VIRTUAL_KEYS, json!({ "name": "mine" })).await["virtual_key"]["id"].clone();
    let body = json!({ "model_name": "echo", "provider": "demo", "scope": "virtual_key", "scope_id": key });
    golden("ModelConfig", &done(&app, "POST", MODEL_CONFIGS, with(limits(), body)).await);
    golden("ProviderGovernance", &done(&app, "PUT", &format!("{PROVIDER_GOVERNANCE}/demo"), limits()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_clients() {
    let app = App::start().await;
    let body = json!({
        "is_code_mode_client": true, "allowed_extra_headers": ["x-user"], "tools_to_execute": ["read", "list"],
        "tools_to_auto_execute": ["list"], "tool_pricing": { "read": 0.001 }, "allow_on_all_virtual_keys": true,
    });
    let client = done(&app, "POST", CLIENT, with(files(), body)).await;
    golden("McpClient", &client);
    let configs = json!([{ "mcp_client_name": "files", "tools_to_execute": ["read"] }]);
    done(&app, "POST", VIRTUAL_KEYS, json!({ "name": "mine", "mcp_configs": configs })).await;
    golden("McpClientList", &app.raw("GET", "/api/mcp/clients").send().await.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn pricing_overrides() {
    let app = App::start().await;
    let body = json!({
        "name": "ours", "scope_kind": "provider", "provider_id": "demo", "match_type": "wildcard", "pattern": "ec*",
        "request_types": ["chat_completion"], "patch": { "input_cost_per_token": 0.0000025, "output_cost_per_token": 1 },
    });
    golden("PricingOverride", &send(&app, "POST", PRICING_OVERRIDES, &body).await.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn routing_rules() {
    let app = App::start().await;
    let team = done(&app, "POST", TEAMS, json!({ "name": "red" })).await["team"]["id"].clone();
    let key = json!({ "name": "pinned", "value": "fake-provider-secret" });
    let key = done(&app, "POST", &format!("{PROVIDERS}/demo/keys"), key).await["id"].clone();
    let body = json!({
        "name": "gold", "description": "gold goes first", "chain_rule": true, "priority": -1,
        "cel_expression": "'x-tier' in headers && headers['x-tier'] == 'gold'", "scope": "team", "scope_id": team,
        "targets": [
            { "provider": "demo", "model": "echo", "key_id": key, "weight": 0.75 }, { "model": "echo", "weight": 0.25 },
        ],
        "fallbacks": ["demo/echo-2", { "provider": "openai", "model": "gpt-4o-mini" }],
        "query": { "combinator": "and", "rules": [] }, "ttft_timeout_ms": 2500,
    });
    golden("RoutingRule", &done(&app, "POST", RULES, body).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn management() {
    let app = App::start().await;
    let body = json!({
        "name": "ci", "description": "makes virtual keys", "expires_at": "2099-01-01T00:00:00Z",
        "permissions": [{ "resource": "virtual_keys", "access": "write" }, { "resource": "audit", "access": "read" }],
    });
    golden("ManagementKeyIssued", &done(&app, "POST", "/api/management-keys", body).await);
    let body = json!({ "client_config": { "vk_rotation_cooldown": "24h", "allowed_origins": ["https://a.example"] } });
    golden("ServerConfig", &done(&app, "PUT", "/api/config", body).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations() {
    let app = App::start().await;
    let key = done(&app, "POST", VIRTUAL_KEYS, with(limits(), json!({ "name": "mine" }))).await;
    let body = json!({ "model": "demo/echo", "max_tokens": 10, "messages": [{ "role": "user", "content": "hi" }] });
    let asked = json!({ "virtual_key_id": key["virtual_key"]["id"], "body": body });
    golden("Explanation", &done(&app, "POST", "/api/governance/explain", asked).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn events() {
    let app = App::start().await;
    let limit = json!({ "request_max_limit": 1, "request_reset_duration": "1d" });
    let key = done(&app, "POST", VIRTUAL_KEYS, json!({ "name": "mine", "rate_limit": limit })).await;
    let key: VirtualKey = serde_json::from_value(key["virtual_key"].clone()).unwrap();
    assert_eq!(called(&app, &key, "demo/echo").await.status, 200);
    golden("EventList", &app.raw("GET", "/api/governance/events?limit=1").send().await.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn errors() {
    let app = App::start().await;
    let body = json!({ "name": "x", "budget": { "max_limt": 1, "reset_duration": "1d" } });
    golden("ErrorBody", &send(&app, "POST", VIRTUAL_KEYS, &body).await.json());
}
