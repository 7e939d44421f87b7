//! Provider keys, without their secrets: those are read by one query only, that of `upstream_key`.

use std::collections::HashMap;

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::provider::{CreateProviderKey, ProviderKey, ProviderKeyDraft};
use keyward_core::provider_config::AttachedKey;
use keyward_core::secret::{EnvVar, SecretSource};

use super::{Conn, audit, idempotency, provider};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::provider_keys;
use crate::seal::{Place, Sealer};

pub(super) const LITERAL: &str = "literal";
pub(super) const ENVIRONMENT: &str = "environment";

/// Everything but the secret.
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
            weight,
            enabled,
            use_for_batch_api,
            config_hash,
            created_at,
            updated_at,
        } = self;
        Ok(ProviderKey {
            id: id.into(),
            name,
            value: shown(&source, value_shown)?,
            models: allow_list(&models)?,
            weight,
            enabled,
            use_for_batch_api,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }

    /// The key as a provider config shows it.
    pub(super) fn into_attached(self, provider: ProviderName) -> Result<AttachedKey, StoreError> {
        let (number, provider_number) = (self.number, self.provider_number);
        let key = self.into_key()?;
        Ok(AttachedKey {
            id: number,
            name: key.name,
            provider_id: provider_number,
            provider,
            key_id: key.id,
            value: key.value,
            models: key.models,
            weight: key.weight,
            enabled: key.enabled,
            use_for_batch_api: key.use_for_batch_api,
            created_at: key.created_at,
            updated_at: key.updated_at,
            config_hash: key.config_hash,
            azure_endpoint: None,
            azure_api_version: None,
            azure_client_id: None,
            azure_client_secret: None,
            azure_tenant_id: None,
            vertex_project_id: None,
            vertex_project_number: None,
            vertex_region: None,
            vertex_auth_credentials: None,
            bedrock_access_key: None,
            bedrock_secret_key: None,
            bedrock_session_token: None,
            bedrock_region: None,
            bedrock_arn: None,
        })
    }
}

/// The two halves of a secret's source: what may be shown, and what is sealed.
fn shown(source: &str, value_shown: String) -> Result<EnvVar, StoreError> {
    match source {
        LITERAL => Ok(EnvVar { value: value_shown, ..EnvVar::default() }),
        ENVIRONMENT => Ok(SecretSource::Environment(value_shown).shown()),
        other => Err(StoreError::unreadable("the source of a provider key", other)),
    }
}

/// Reads an allow-list, stored as JSON.
pub(super) fn allow_list(json: &str) -> Result<AllowList, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::unreadable("an allow-list", error))
}

/// An allow-list as it is stored.
pub(super) fn allow_list_json(list: &AllowList) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(StoreError::internal)
}

/// Adds a key to a provider.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    provider: &ProviderName,
    draft: &ProviderKeyDraft,
    sealer: &Sealer,
) -> Result<ProviderKey, StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return get(c, provider, &id.into());
    }
    let number = provider::number(c, provider)?;
    insert(c, number, draft, sealer, by.change.at)?;
    idempotency::remember(c, by, draft.id.as_str())?;
    let created = get(c, provider, &draft.id)?;
    audit::created(c, by, ("provider_key", draft.id.as_str()), &created)?;
    Ok(created)
}

/// Stores a new key, its secret sealed.
pub(super) fn insert(
    c: &mut Conn,
    provider_number: i64,
    draft: &ProviderKeyDraft,
    sealer: &Sealer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let CreateProviderKey { name, value, models, weight, enabled, use_for_batch_api } = &draft.key;
    let (source, value_shown, sealed) = match value {
        SecretSource::Literal(secret) => {
            let sealed = sealer.seal(secret, Place::provider_key(draft.id.as_str()))?;
            (LITERAL, value.shown().value, Some(sealed))
        }
        SecretSource::Environment(name) => (ENVIRONMENT, name.clone(), None),
    };
    diesel::insert_into(provider_keys::table)
        .values((
            provider_keys::id.eq(draft.id.as_str()),
            provider_keys::provider_number.eq(provider_number),
            provider_keys::name.eq(name),
            provider_keys::source.eq(source),
            provider_keys::value_shown.eq(value_shown),
            provider_keys::value_sealed.eq(sealed),
            provider_keys::models.eq(allow_list_json(models)?),
            provider_keys::weight.eq(weight),
            provider_keys::enabled.eq(enabled),
            provider_keys::use_for_batch_api.eq(use_for_batch_api),
            provider_keys::config_hash.eq(""),
            provider_keys::created_at.eq(Instant(now)),
            provider_keys::updated_at.eq(Instant(now)),
        ))
        .execute(c)?;
    Ok(())
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
    let before = get(c, provider, id)?;
    by.expects(&before)?;
    diesel::delete(provider_keys::table.filter(provider_keys::id.eq(id.as_str()))).execute(c)?;
    audit::deleted(c, by, ("provider_key", id.as_str()), &before)
}
