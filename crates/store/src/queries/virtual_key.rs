//! Virtual keys: reading and removing. Secrets are read by a query of their own, and only when they shall be shown.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::ids::VirtualKeyId;
use keyward_core::limits::Limits;
use keyward_core::list::{Listed, Page};
use keyward_core::provider_config::ProviderConfig;
use keyward_core::secret::{KeyHash, VirtualKeyValue};
use keyward_core::virtual_key::VirtualKey;

use super::limit::{self, LimitOwner};
use super::search::{self, CHUNK};
use super::{Backend, Conn, audit, meter, model_config, provider_config};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{lower, virtual_keys};
use crate::seal::{Place, Sealer};
use crate::store::Reveal;

/// Everything but the secret.
#[derive(Queryable, Selectable)]
#[diesel(table_name = virtual_keys)]
struct VirtualKeyRow {
    id: String,
    name: String,
    description: String,
    value_hash: Vec<u8>,
    value_redacted: String,
    is_active: bool,
    allow_all_providers: bool,
    team_id: Option<String>,
    customer_id: Option<String>,
    calendar_aligned: bool,
    expires_at: Option<Instant>,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl VirtualKeyRow {
    fn into_key(self, limits: Limits, configs: Vec<ProviderConfig>) -> Result<(KeyHash, VirtualKey), StoreError> {
        let Self {
            id,
            name,
            description,
            value_hash,
            value_redacted,
            is_active,
            allow_all_providers,
            team_id,
            customer_id,
            calendar_aligned,
            expires_at,
            config_hash,
            created_at,
            updated_at,
        } = self;
        let hash = value_hash.try_into().map_err(|_| StoreError::unreadable("a key hash", "it has no 32 bytes"))?;
        let key = VirtualKey {
            id: id.into(),
            name,
            value: VirtualKeyValue::from_text(value_redacted),
            description,
            is_active,
            allow_all_providers,
            provider_configs: configs,
            mcp_configs: Vec::new(),
            keys: Vec::new(),
            team_id: team_id.map(Into::into),
            customer_id: customer_id.map(Into::into),
            budget_id: None,
            budget: None,
            budgets: limits.budgets,
            rate_limit_id: None,
            rate_limit: limits.rate_limit,
            calendar_aligned,
            expires_at: expires_at.map(|instant| instant.0),
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        };
        Ok((KeyHash(hash), key.with_views()))
    }
}

/// One virtual key with its hash.
pub(crate) fn get(
    c: &mut Conn,
    id: &VirtualKeyId,
    reveal: Reveal,
    sealer: &Sealer,
) -> Result<(KeyHash, VirtualKey), StoreError> {
    let rows = virtual_keys::table.find(id.as_str()).select(VirtualKeyRow::as_select()).load(c)?;
    let mut found = with_relations(c, rows)?;
    show(c, &mut found, reveal, sealer)?;
    found.into_iter().next().ok_or(StoreError::NotFound(Noun::VirtualKey))
}

/// A page of virtual keys with their hashes, oldest first.
pub(crate) fn list(
    c: &mut Conn,
    page: &Page,
    reveal: Reveal,
    sealer: &Sealer,
) -> Result<Listed<(KeyHash, VirtualKey)>, StoreError> {
    let total = matching(page).count().get_result(c)?;
    let mut query = matching(page).order((virtual_keys::created_at, virtual_keys::id)).offset(page.offset);
    if let Some(limit) = page.limit {
        query = query.limit(limit);
    }
    let rows = query.select(VirtualKeyRow::as_select()).load(c)?;
    let mut entries = with_relations(c, rows)?;
    show(c, &mut entries, reveal, sealer)?;
    Ok(Listed { entries, total })
}

/// Removes a virtual key with its provider configs, the model configs that are for it, limits and counters.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &VirtualKeyId, sealer: &Sealer) -> Result<(), StoreError> {
    lock(c, id)?;
    let (_, key) = get(c, id, Reveal::Redacted, sealer)?;
    by.expects(&key)?;
    meter::delete(c, key.limits().ids())?;
    for (_, limits) in key.provider_configs.iter().flat_map(ProviderConfig::all_limits) {
        meter::delete(c, limits.ids())?;
    }
    model_config::delete_of_key(c, by, id)?;
    diesel::delete(virtual_keys::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("virtual_key", id.as_str()), &key)
}

/// Keeps others from changing the virtual key until the unit of work ends.
pub(super) fn lock(c: &mut Conn, id: &VirtualKeyId) -> Result<(), StoreError> {
    let unchanged = virtual_keys::updated_at.eq(virtual_keys::updated_at);
    match diesel::update(virtual_keys::table.find(id.as_str())).set(unchanged).execute(c)? {
        0 => Err(StoreError::NotFound(Noun::VirtualKey)),
        _ => Ok(()),
    }
}

fn matching(page: &Page) -> virtual_keys::BoxedQuery<'static, Backend> {
    let query = virtual_keys::table.into_boxed();
    match &page.search {
        Some(text) => query.filter(lower(virtual_keys::name).like(search::pattern(text)).escape('\\')),
        None => query,
    }
}

fn with_relations(c: &mut Conn, rows: Vec<VirtualKeyRow>) -> Result<Vec<(KeyHash, VirtualKey)>, StoreError> {
    let owners: Vec<LimitOwner> = rows.iter().map(|row| LimitOwner::VirtualKey(row.id.clone())).collect();
    let mut limits = limit::load(c, &owners)?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut configs = provider_config::load(c, &ids)?;
    let keys = rows.into_iter().zip(owners).map(|(row, owner)| {
        let configs = configs.remove(&row.id).unwrap_or_default();
        row.into_key(limits.remove(&owner).unwrap_or_default(), configs)
    });
    keys.collect()
}

/// Puts the secrets in where they shall be shown.
fn show(c: &mut Conn, keys: &mut [(KeyHash, VirtualKey)], reveal: Reveal, sealer: &Sealer) -> Result<(), StoreError> {
    match reveal {
        Reveal::Redacted => return Ok(()),
        Reveal::Full => {}
    }
    for chunk in keys.chunks_mut(CHUNK) {
        let rows: Vec<(String, Vec<u8>)> = virtual_keys::table
            .filter(virtual_keys::id.eq_any(chunk.iter().map(|(_, key)| key.id.as_str())))
            .select((virtual_keys::id, virtual_keys::value_sealed))
            .load(c)?;
        let sealed: HashMap<String, Vec<u8>> = rows.into_iter().collect();
        for (_, key) in chunk {
            let record = sealed.get(key.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            key.value = VirtualKeyValue::from_text(sealer.open(record, Place::virtual_key(key.id.as_str()))?);
        }
    }
    Ok(())
}
