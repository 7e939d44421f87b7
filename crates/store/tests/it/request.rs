//! Drafts as the server would make them from requests.

use jiff::Timestamp;
use keyward_core::change::Change;
use keyward_core::invalid::Pointer;
use keyward_core::limits::Edit;
use keyward_core::model_config::{CreateModelConfig, ModelConfig, ScopedKey};
use keyward_core::owner::{CreateCustomer, CreateTeam, Customer, Team};
use keyward_core::provider::{CreateProvider, CreateProviderKey, ProviderDraft, ProviderKeyDraft};
use keyward_core::secret::VirtualKeyValue;
use keyward_core::virtual_key::{CreateVirtualKey, UpdateVirtualKey, VirtualKey, VirtualKeyDraft};
use keyward_store::{Reveal, Store, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) fn now() -> Timestamp {
    at("2026-11-23T12:00:00.123456789Z")
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn team(request: Value) -> Team {
    let request: CreateTeam = serde_json::from_value(request).unwrap();
    request.build(&mut Edit { now: now(), mint: &mut Uuid::new_v4 }).unwrap()
}

pub(crate) fn customer(request: Value) -> Customer {
    let request: CreateCustomer = serde_json::from_value(request).unwrap();
    request.build(&mut Edit { now: now(), mint: &mut Uuid::new_v4 }).unwrap()
}

pub(crate) fn provider(request: Value) -> ProviderDraft {
    let request: CreateProvider = serde_json::from_value(request).unwrap();
    request.check(&mut Uuid::new_v4).unwrap()
}

pub(crate) fn provider_key(name: &str, value: &str) -> ProviderKeyDraft {
    CreateProviderKey::new(name, value).check(&Pointer::ROOT, &mut Uuid::new_v4).unwrap()
}

pub(crate) fn virtual_key(request: Value) -> VirtualKeyDraft {
    let request: CreateVirtualKey = serde_json::from_value(request).unwrap();
    VirtualKeyDraft::create(request, &mut Edit { now: now(), mint: &mut Uuid::new_v4 }).unwrap()
}

pub(crate) fn value() -> VirtualKeyValue {
    VirtualKeyValue::from_uuid(Uuid::new_v4())
}

pub(crate) async fn create(store: &Store, request: Value) -> Result<VirtualKey, StoreError> {
    Ok(store.virtual_key_create(change("virtual_key_create"), virtual_key(request), value()).await?.1)
}

pub(crate) async fn update(
    store: &Store,
    key: &VirtualKey,
    now: Timestamp,
    request: Value,
) -> Result<VirtualKey, StoreError> {
    let request: UpdateVirtualKey = serde_json::from_value(request).unwrap();
    let change = Change::by_server("virtual_key_update", now);
    let edit = move |existing: &VirtualKey, now| {
        VirtualKeyDraft::update(existing, request, &mut Edit { now, mint: &mut Uuid::new_v4 })
    };
    Ok(store.virtual_key_update(change, key.id.clone(), Reveal::Redacted, edit).await?.0.1)
}

/// A change that nobody in particular asks for.
pub(crate) fn change(operation: &'static str) -> Change {
    Change::by_server(operation, now())
}

/// A store with the providers `openai` (keys `a` and `b`) and `anthropic` (key `c`); the ids of the keys in that order.
pub(crate) async fn providers(store: &Store) -> [String; 3] {
    let key = |name: &str| json!({"name": name, "value": format!("sk-upstream-{name}")});
    let openai = provider(json!({"name": "openai", "keys": [key("a"), key("b")]}));
    let anthropic = provider(json!({"name": "anthropic", "keys": [key("c")]}));
    let openai = store.provider_create(change("provider_create"), openai).await.unwrap();
    let anthropic = store.provider_create(change("provider_create"), anthropic).await.unwrap();
    [&openai.keys[0], &openai.keys[1], &anthropic.keys[0]].map(|key| key.id.to_string())
}

/// Stores the model config that a request asks for.
pub(crate) async fn model_config(store: &Store, request: Value) -> Result<ModelConfig, StoreError> {
    let request: CreateModelConfig = serde_json::from_value(request).unwrap();
    let key = request.virtual_key().unwrap();
    let build = move |key: Option<&ScopedKey>| request.build(key, &mut Edit { now: now(), mint: &mut Uuid::new_v4 });
    store.model_config_create(change("model_config_create"), key, build).await
}
