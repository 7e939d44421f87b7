//! What it takes to replay a fixture: a provider that is the replay, a virtual key that may use it, and the prices of the case.

use std::collections::BTreeMap;

use keyward_client::{
    CreatePricingOverride, CreateProvider, CreateProviderKey, HttpTransport, NanoUsd, NetworkConfigInput, Transport,
    VirtualKey,
};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{App, Fixture, Replay, Reply};

/// Which prices a virtual key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priced {
    /// Those of the fixture.
    ForIt,
    /// Whatever others have set.
    AsItIs,
}

/// Makes a provider of this name that is the replay.
pub async fn provide(app: &App, provider: &str, upstream: &Replay) {
    let network_config = match provider {
        // Their keys say where they are.
        "azure" | "vllm" | "ollama" => NetworkConfigInput::default(),
        _ => NetworkConfigInput::at(upstream.base_url()),
    };
    let request = CreateProvider { name: provider.to_owned(), network_config, ..CreateProvider::default() };
    app.client.provider_create(&request).await.unwrap();
}

/// A virtual key for one fixture, with a provider key of its own: what happens to one says nothing about another.
pub async fn key_for(app: &App, upstream: &Replay, fixture: &Fixture, priced: Priced) -> VirtualKey {
    let limits = json!({ "budgets": [{ "max_limit": 1_000, "reset_duration": "1d" }] });
    let key = key_at(app, upstream, &fixture.case.provider, limits).await;
    if priced == Priced::ForIt {
        price(app, &key, fixture).await;
    }
    key
}

/// A virtual key at a provider, with a provider key of its own: `limits` has members of the virtual key, and `allowed_models`.
pub async fn key_at(app: &App, upstream: &Replay, provider: &str, mut limits: Value) -> VirtualKey {
    let mut provider_key = json!({ "name": format!("key {}", Uuid::new_v4()), "value": "fake-provider-secret" });
    let url = upstream.base_url();
    let (member, config) = match provider {
        "azure" => ("azure_key_config", json!({ "endpoint": url, "api_version": "2024-10-21" })),
        "vllm" => ("vllm_key_config", json!({ "url": url })),
        "ollama" => ("ollama_key_config", json!({ "url": url })),
        "vertex" => ("vertex_key_config", json!({ "project_id": "fake-project", "region": "europe-west1" })),
        _ => ("azure_key_config", Value::Null),
    };
    provider_key[member] = config;
    let provider_key: CreateProviderKey = serde_json::from_value(provider_key).unwrap();
    let made = app.client.provider_key_create(&provider.into(), &provider_key).await.unwrap();
    let models = limits["allowed_models"].take();
    let models = if models.is_null() { json!(["*"]) } else { models };
    let mut request = json!({
        "provider_configs": [{ "provider": provider, "allowed_models": models, "key_ids": [made.id] }],
    });
    for (member, value) in limits.as_object().unwrap().iter().filter(|(_, value)| !value.is_null()) {
        request[member] = value.clone();
    }
    app.key(serde_json::from_value(request).unwrap()).await
}

/// Makes a model free for a virtual key.
pub async fn free(app: &App, key: &VirtualKey, model: &str, request_type: &str) {
    let request = CreatePricingOverride {
        scope_kind: "virtual_key".to_owned(),
        virtual_key_id: Some(key.id.clone()),
        ..pricing(model, request_type, r#"{"input_cost_per_token":0,"output_cost_per_token":0}"#)
    };
    app.client.pricing_override_create(&request).await.unwrap();
}

/// Sets the prices of a fixture for a virtual key.
async fn price(app: &App, key: &VirtualKey, fixture: &Fixture) {
    let Some(request_type) = &fixture.case.request_type else { return };
    let request = CreatePricingOverride {
        scope_kind: "virtual_key".to_owned(),
        virtual_key_id: Some(key.id.clone()),
        ..pricing(&fixture.case.model, request_type, fixture.case.price.get())
    };
    app.client.pricing_override_create(&request).await.unwrap();
}

/// Sets the prices of all these fixtures for everybody; those of one model must agree.
pub async fn price_all(app: &App, fixtures: &[Fixture]) {
    let mut prices: BTreeMap<(&str, &str), BTreeMap<String, &RawValue>> = BTreeMap::new();
    for case in fixtures.iter().map(|fixture| &fixture.case) {
        let Some(request_type) = &case.request_type else { continue };
        let own: BTreeMap<String, &RawValue> = serde_json::from_str(case.price.get()).unwrap();
        let price = prices.entry((case.model.as_str(), request_type.as_str())).or_default();
        for (field, value) in own {
            let before = price.insert(field, value);
            assert!(before.is_none_or(|before| before.get() == value.get()), "{} has two prices", case.model);
        }
    }
    for ((model, request_type), price) in prices {
        let request = CreatePricingOverride {
            scope_kind: "global".to_owned(),
            ..pricing(model, request_type, &serde_json::to_string(&price).unwrap())
        };
        app.client.pricing_override_create(&request).await.unwrap();
    }
}

fn pricing(model: &str, request_type: &str, price: &str) -> CreatePricingOverride {
    CreatePricingOverride {
        name: format!("{request_type} {model}"),
        match_type: "exact".to_owned(),
        pattern: model.to_owned(),
        request_types: vec![request_type.to_owned()],
        patch: Some(serde_json::from_str(price).unwrap()),
        ..CreatePricingOverride::default()
    }
}

/// Sends the fixture's request as its client would.
pub async fn send(app: &App, key: &VirtualKey, fixture: &Fixture) -> Reply {
    let case = &fixture.case;
    let query = case.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
    let url = Url::parse(&format!("{}{}{query}", app.url, case.path)).unwrap();
    let mut request = Request::new(Method::from_bytes(case.method.as_bytes()).unwrap(), url);
    let content_type = Some(("content-type", case.content_type.as_str())).filter(|_| !fixture.request.is_empty());
    let own = case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain(content_type).chain([("x-bf-vk", key.value.expose())]) {
        request
            .headers_mut()
            .insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    *request.body_mut() = Some(fixture.request.clone().into()).filter(|_| !fixture.request.is_empty());
    let response = HttpTransport::new().unwrap().execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

/// What is wrong with what was charged for one request.
pub fn expect_charge(fixture: &Fixture, entries: i64, cost: NanoUsd) -> Option<String> {
    let case = &fixture.case;
    if entries != 1 {
        return Some(format!("{entries} ledger entries"));
    }
    match case.cost_nanos {
        Some(expected) if expected != cost.nanos() => Some(format!(
            "the cost of {:?}\n  expected {expected} nano-dollars\n  got      {}",
            case.usage,
            cost.nanos()
        )),
        None if cost == NanoUsd::ZERO => Some(format!("nothing was charged, of {:?} usage", case.usage_source)),
        Some(_) | None => None,
    }
}
