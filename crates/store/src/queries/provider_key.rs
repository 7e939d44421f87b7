//! Provider keys, without their secrets: those are read by one query only, that of `upstream_key`.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::allow_list::AllowList;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::provider::{KeySettings, ProviderKey};
use keyward_core::provider_config::AttachedKey;
use keyward_core::secret::{EnvVar, SecretSource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Conn, audit, provider};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{provider_keys, providers};

pub(super) const NONE: &str = "none";
pub(super) const LITERAL: &str = "literal";
pub(super) const ENVIRONMENT: &str = "environment";

/// Everything but the secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = provider_keys)]
pub(super) struct ProviderKeyRow {
    number: i64,
    id: String,
    provider_number: i64,
    name: String,
    source: String,
    value_shown: String,
    models: String,
    blacklisted_models: String,
    aliases: String,
    description: String,
    settings_shown: String,
    weight: f64,
    enabled: bool,
    use_for_batch_api: bool,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl ProviderKeyRow {
    fn into_key(self) -> Result<ProviderKey, StoreError> {
        let Self {
            number: _,
            id,
            provider_number: _,
            name,
            source,
            value_shown,
            models,
            blacklisted_models,
            aliases,
            description,
            settings_shown,
            weight,
            enabled,
            use_for_batch_api,
            config_hash,
            created_at,
            updated_at,
        } = self;
        let key = ProviderKey {
            id: id.into(),
            name,
            value: shown(&source, value_shown)?,
            models: allow_list(&models)?,
            blacklisted_models: allow_list(&blacklisted_models)?,
            weight,
            aliases: document("aliases", &aliases)?,
            enabled,
            use_for_batch_api,
            description,
            status: String::new(),
            azure_key_config: None,
            vertex_key_config: None,
            bedrock_key_config: None,
            vllm_key_config: None,
            ollama_key_config: None,
            sgl_key_config: None,
            replicate_key_config: None,
            openai_key_config: None,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        };
        Ok(key.with_settings(document::<KeySettings>("settings", &settings_shown)?))
    }

    /// The key as it is shown beside others.
    pub(super) fn into_attached(self, provider: ProviderName) -> Result<AttachedKey, StoreError> {
        let (number, provider_number) = (self.number, self.provider_number);
        Ok(AttachedKey::new(number, provider_number, provider, self.into_key()?))
    }
}

/// The two halves of a secret's source: what may be shown, and what is sealed.
fn shown(source: &str, value_shown: String) -> Result<EnvVar, StoreError> {
    match source {
        NONE => Ok(EnvVar::default()),
        LITERAL => Ok(EnvVar { value: value_shown, ..EnvVar::default() }),
        ENVIRONMENT => Ok(SecretSource::Environment(value_shown).shown()),
        other => Err(StoreError::unreadable("the source of a provider key", other)),
    }
}

/// Reads what is stored as JSON.
pub(super) fn document<T: DeserializeOwned>(what: &str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::unreadable(what, error))
}

/// The JSON that is stored.
pub(super) fn document_json(thing: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(thing).map_err(StoreError::internal)
}

/// Reads an allow-list, stored as JSON.
pub(super) fn allow_list(json: &str) -> Result<AllowList, StoreError> {
    document("an allow-list", json)
}

/// An allow-list as it is stored.
pub(super) fn allow_list_json(list: &AllowList) -> Result<String, StoreError> {
    document_json(list)
}

/// One key of a provider.
pub(crate) fn get(c: &mut Conn, provider: &ProviderName, id: &ProviderKeyId) -> Result<ProviderKey, StoreError> {
    let number = provider::number(c, provider)?;
    let query = provider_keys::table
        .filter(provider_keys::provider_number.eq(number))
        .filter(provider_keys::id.eq(id.as_str()));
    let row = query.select(ProviderKeyRow::as_select()).first(c).optional()?;
    row.ok_or(StoreError::NotFound(Noun::ProviderKey))?.into_key()
}

/// The keys of one provider, oldest first.
pub(crate) fn list(c: &mut Conn, provider: &ProviderName) -> Result<Vec<ProviderKey>, StoreError> {
    let number = provider::number(c, provider)?;
    of_provider(c, number)
}

/// The keys of all providers, oldest first.
pub(crate) fn list_all(c: &mut Conn) -> Result<Vec<AttachedKey>, StoreError> {
    let rows: Vec<(ProviderKeyRow, String)> = provider_keys::table
        .inner_join(providers::table)
        .order((provider_keys::created_at, provider_keys::number))
        .select((ProviderKeyRow::as_select(), providers::name))
        .load(c)?;
    rows.into_iter().map(|(row, provider)| row.into_attached(provider.into())).collect()
}

/// The keys of the provider with this row number, oldest first.
pub(super) fn of_provider(c: &mut Conn, provider_number: i64) -> Result<Vec<ProviderKey>, StoreError> {
    let rows: Vec<ProviderKeyRow> = provider_keys::table
        .filter(provider_keys::provider_number.eq(provider_number))
        .order((provider_keys::created_at, provider_keys::number))
        .select(ProviderKeyRow::as_select())
        .load(c)?;
    rows.into_iter().map(ProviderKeyRow::into_key).collect()
}

/// The keys of all providers by row number, oldest first.
pub(super) fn by_provider(c: &mut Conn) -> Result<HashMap<i64, Vec<ProviderKey>>, StoreError> {
    let query = provider_keys::table.order((provider_keys::created_at, provider_keys::number));
    let rows: Vec<ProviderKeyRow> = query.select(ProviderKeyRow::as_select()).load(c)?;
    let mut keys: HashMap<i64, Vec<ProviderKey>> = HashMap::new();
    for row in rows {
        keys.entry(row.provider_number).or_default().push(row.into_key()?);
    }
    Ok(keys)
}

/// Removes a key of a provider; virtual keys that named it lose it.
pub(crate) fn delete(
    c: &mut Conn,
    by: &Recorder,
    provider: &ProviderName,
    id: &ProviderKeyId,
) -> Result<(), StoreError> {
    provider::touch(c, by, provider)?;
    let before = get(c, provider, id)?;
    by.expects(&before)?;
    remove(c, id)?;
    audit::deleted(c, by, ("provider_key", id.as_str()), &before)
}

/// Removes the row of a key, and with it what attached it.
pub(super) fn remove(c: &mut Conn, id: &ProviderKeyId) -> Result<(), StoreError> {
    diesel::delete(provider_keys::table.filter(provider_keys::id.eq(id.as_str()))).execute(c)?;
    Ok(())
}
