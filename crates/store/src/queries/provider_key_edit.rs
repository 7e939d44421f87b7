//! Provider keys: making and editing. A secret that stays is not even opened, unless others of its kind change.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::{ProviderKeyId, ProviderName};
use keyward_core::invalid::Invalid;
use keyward_core::provider::{KeySettings, ProviderKey, ProviderKeyDraft, Setting};
use keyward_core::secret::{SecretDraft, SecretSource};

use super::provider_key::{ENVIRONMENT, LITERAL, NONE, allow_list_json, document_json, get};
use super::{Conn, audit, idempotency, provider};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::provider_keys;
use crate::seal::{Place, Sealer};
use crate::sealed_map::SealedMap;

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
    let number = provider::touch(c, by, provider)?;
    insert(c, number, draft, sealer, by.change.at)?;
    idempotency::remember(c, by, draft.id.as_str())?;
    let created = get(c, provider, &draft.id)?;
    audit::created(c, by, ("provider_key", draft.id.as_str()), &created)?;
    Ok(created)
}

/// Edits a key: `edit` sees it as it is, and nobody else changes it until the edit is stored.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    provider: &ProviderName,
    id: &ProviderKeyId,
    sealer: &Sealer,
    edit: impl FnOnce(&ProviderKey) -> Result<ProviderKeyDraft, Invalid>,
) -> Result<ProviderKey, StoreError> {
    provider::touch(c, by, provider)?;
    let before = get(c, provider, id)?;
    by.expects(&before)?;
    write(c, &before, &edit(&before)?, sealer, by.change.after(before.updated_at))?;
    let after = get(c, provider, id)?;
    audit::edited(c, by, ("provider_key", id.as_str()), &before, &after)?;
    Ok(after)
}

/// Stores a new key, its secrets sealed.
pub(super) fn insert(
    c: &mut Conn,
    provider_number: i64,
    draft: &ProviderKeyDraft,
    sealer: &Sealer,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(provider_keys::table)
        .values((
            provider_keys::id.eq(draft.id.as_str()),
            provider_keys::provider_number.eq(provider_number),
            provider_keys::name.eq(&draft.name),
            Value::of(draft, sealer)?.unwrap_or_default(),
            provider_keys::models.eq(allow_list_json(&draft.models)?),
            provider_keys::blacklisted_models.eq(allow_list_json(&draft.blacklisted_models)?),
            provider_keys::aliases.eq(document_json(&draft.aliases)?),
            provider_keys::description.eq(&draft.description),
            Settings::of(draft, SealedMap::empty(), sealer)?,
            provider_keys::weight.eq(draft.weight),
            provider_keys::enabled.eq(draft.enabled),
            provider_keys::use_for_batch_api.eq(draft.use_for_batch_api),
            provider_keys::config_hash.eq(""),
            provider_keys::created_at.eq(Instant(now)),
            provider_keys::updated_at.eq(Instant(now)),
        ))
        .execute(c)?;
    Ok(())
}

/// Makes an existing key what the draft says.
pub(super) fn write(
    c: &mut Conn,
    before: &ProviderKey,
    draft: &ProviderKeyDraft,
    sealer: &Sealer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = provider_keys::table.filter(provider_keys::id.eq(draft.id.as_str()));
    let sealed: Option<Vec<u8>> = row.select(provider_keys::settings_sealed).first(c)?;
    let place = Place::key_settings(draft.id.as_str());
    let settings = SealedMap::open(before.settings().values, sealed.as_deref(), place, sealer)?;
    diesel::update(row)
        .set((
            provider_keys::name.eq(&draft.name),
            Value::of(draft, sealer)?,
            provider_keys::models.eq(allow_list_json(&draft.models)?),
            provider_keys::blacklisted_models.eq(allow_list_json(&draft.blacklisted_models)?),
            provider_keys::aliases.eq(document_json(&draft.aliases)?),
            provider_keys::description.eq(&draft.description),
            Settings::of(draft, settings, sealer)?,
            provider_keys::weight.eq(draft.weight),
            provider_keys::enabled.eq(draft.enabled),
            provider_keys::use_for_batch_api.eq(draft.use_for_batch_api),
            provider_keys::updated_at.eq(Instant(now)),
        ))
        .execute(c)?;
    Ok(())
}

/// The columns of a key's own secret.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = provider_keys, treat_none_as_null = true)]
struct Value {
    source: &'static str,
    value_shown: String,
    value_sealed: Option<Vec<u8>>,
}

impl Default for Value {
    fn default() -> Self {
        Self { source: NONE, value_shown: String::new(), value_sealed: None }
    }
}

impl Value {
    /// What the draft makes of them; none: they stay.
    fn of(draft: &ProviderKeyDraft, sealer: &Sealer) -> Result<Option<Self>, StoreError> {
        match &draft.value {
            None => Ok(Some(Self::default())),
            Some(SecretDraft::Keep) => Ok(None),
            Some(SecretDraft::Set(source @ SecretSource::Literal(secret))) => {
                let sealed = sealer.seal(secret, Place::provider_key(draft.id.as_str()))?;
                Ok(Some(Self { source: LITERAL, value_shown: source.shown().value, value_sealed: Some(sealed) }))
            }
            Some(SecretDraft::Set(SecretSource::Environment(name))) => {
                Ok(Some(Self { source: ENVIRONMENT, value_shown: name.clone(), value_sealed: None }))
            }
        }
    }
}

/// The columns of a key's settings.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = provider_keys, treat_none_as_null = true)]
struct Settings {
    settings_shown: String,
    settings_sealed: Option<Vec<u8>>,
}

impl Settings {
    /// What the draft makes of the settings that were.
    fn of(draft: &ProviderKeyDraft, before: SealedMap<Setting>, sealer: &Sealer) -> Result<Self, StoreError> {
        let after = before.edited(&draft.settings.values, |setting, _| setting.is_secret())?;
        let settings_sealed = after.seal(Place::key_settings(draft.id.as_str()), sealer)?;
        let shown = KeySettings { values: after.shown, options: draft.settings.options.clone() };
        Ok(Self { settings_shown: document_json(&shown)?, settings_sealed })
    }
}
