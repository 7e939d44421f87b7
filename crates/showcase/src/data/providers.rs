//! Providers with their keys, what limits them, where requests go, and what is paid otherwise than by the list.

use anyhow::Result;
use keyward_core::model_config::ModelConfig;
use keyward_core::provider::Provider;
use serde_json::json;

use super::hostile;
use super::maker::Maker;
use super::organisation::Organisation;

/// The provider of one's own, whose models have no list price.
pub(super) const OWN: &str = "house-llm";

pub(super) async fn make(maker: &mut Maker<'_>) -> Result<Vec<Provider>> {
    let key = |name: &str| json!({ "name": name, "value": "not-a-real-provider-secret" });
    let mut providers = Vec::new();
    for request in [
        json!({ "name": "openai", "keys": [
            key("openai-production"),
            { "name": "openai-batch", "value": "not-a-real-provider-secret", "weight": 0.25, "use_for_batch_api": true },
            { "name": "openai-leaked", "value": "not-a-real-provider-secret", "enabled": false, "description": "Revoked by security" },
        ] }),
        json!({ "name": "anthropic", "keys": [key("anthropic-eu"), key("anthropic-us")] }),
        json!({ "name": "gemini", "keys": [
            { "name": hostile::SCRIPT, "value": "not-a-real-provider-secret", "models": ["gemini-2.5-flash", "gemini-2.5-pro"] },
        ] }),
        json!({ "name": "mistral", "keys": [key("mistral-research")], "description": hostile::IMAGE }),
        json!({ "name": OWN, "description": "Models in our own racks", "keys": [key("house")],
            "network_config": { "base_url": "http://127.0.0.1:9", "default_request_timeout_in_seconds": 20 },
            "custom_provider_config": { "base_provider_type": "openai" } }),
    ] {
        providers.push(maker.provider(request).await?);
    }
    Ok(providers)
}

/// Limits of models and providers, rules and prices. Gives the model configs.
pub(super) async fn limit(maker: &mut Maker<'_>, organisation: &Organisation) -> Result<Vec<ModelConfig>> {
    let mut limits = Vec::new();
    for request in [
        json!({ "model_name": "*", "provider": "openai", "budget": { "max_limit": 2_500, "reset_duration": "1M" } }),
        json!({ "model_name": "*", "provider": "anthropic", "budget": { "max_limit": 40, "reset_duration": "1d", "enforcement": "shadow" } }),
        json!({ "model_name": "gpt-4.1", "budget": { "max_limit": 400, "reset_duration": "1M" },
            "rate_limit": { "request_max_limit": 600, "request_reset_duration": "1m" } }),
        json!({ "model_name": hostile::SCRIPT, "provider": OWN,
            "rate_limit": { "token_max_limit": 90_000, "token_reset_duration": "1h" } }),
    ] {
        limits.push(maker.model_config(request).await?);
    }
    rules(maker, organisation).await?;
    prices(maker).await?;
    Ok(limits)
}

async fn rules(maker: &mut Maker<'_>, organisation: &Organisation) -> Result<()> {
    let team = organisation.teams.first().map(|team| team.id.clone());
    let customer = organisation.customers.first().map(|customer| customer.id.clone());
    for request in [
        json!({ "name": "Small questions to small models", "description": "Most of them are", "priority": 10,
            "cel_expression": "model == \"gpt-4.1\" && headers[\"x-size\"] == \"small\"",
            "targets": [
                { "provider": "openai", "model": "gpt-4.1-mini", "weight": 0.75 },
                { "provider": "gemini", "model": "gemini-2.5-flash", "weight": 0.25 },
            ],
            "fallbacks": ["mistral/mistral-small-latest", "anthropic/claude-haiku-4-5"] }),
        json!({ "name": "Support stays with one provider", "scope": "team", "scope_id": team,
            "targets": [{ "provider": "anthropic" }], "ttft_timeout_ms": 2_500 }),
        json!({ "name": "Night shift in our own racks", "scope": "customer", "scope_id": customer, "enabled": false,
            "cel_expression": "budget_used > 80.0", "targets": [{ "provider": OWN, "model": "llama" }], "chain_rule": true }),
        json!({ "name": hostile::IMAGE, "description": hostile::SCRIPT, "priority": 90,
            "cel_expression": "model == \"<b>bold</b>\"", "targets": [{ "provider": "openai" }] }),
    ] {
        maker.routing_rule(request).await?;
    }
    Ok(())
}

async fn prices(maker: &mut Maker<'_>) -> Result<()> {
    for request in [
        json!({ "name": "Agreed with OpenAI", "scope_kind": "provider", "provider_id": "openai", "match_type": "wildcard",
            "pattern": "gpt-4.1*", "request_types": ["chat_completion", "responses"],
            "patch": { "input_cost_per_token": 0.0000017, "output_cost_per_token": 0.0000068 } }),
        json!({ "name": hostile::QUOTES, "scope_kind": "global", "match_type": "exact", "pattern": hostile::SCRIPT,
            "request_types": ["chat_completion"],
            "patch": { "input_cost_per_token": 0.000001, "output_cost_per_token": 0.000002 } }),
    ] {
        maker.pricing_override(request).await?;
    }
    Ok(())
}
