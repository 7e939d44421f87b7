//! Virtual keys: reading and removing. Secrets are read by a query of their own, and only when they shall be shown.

use std::collections::HashMap;
use std::num::NonZeroU32;

use diesel::prelude::*;
use keyward_core::authority::Reach;
use keyward_core::ids::{CustomerId, TeamId, VirtualKeyId};
use keyward_core::limits::Limits;
use keyward_core::owner::{Customer, Team};
use keyward_core::provider_config::ProviderConfig;
use keyward_core::secret::{KeyHash, VirtualKeyValue};
use keyward_core::virtual_key::{McpConfig, Metadata, VirtualKey, VirtualKeyHashes};

use super::limit::{self, LimitOwner};
use super::search::CHUNK;
use super::{
    Conn, audit, customer, mcp_config, meter, model_config, provider_config, reach, team, virtual_key_metadata,
};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::virtual_keys;
use crate::seal::{Place, Sealer};
use crate::store::Reveal;

/// How many virtual keys are in memory at once when all are read.
const AT_A_TIME: i64 = 1_000;

/// A virtual key with the hashes that it is found by.
type KnownKey = (VirtualKeyHashes, VirtualKey);

/// Everything but the secret.
#[derive(Queryable, Selectable)]
#[diesel(table_name = virtual_keys)]
pub(super) struct VirtualKeyRow {
    id: String,
    name: String,
    description: String,
    value_hash: Vec<u8>,
    value_redacted: String,
    is_active: bool,
    allow_all_providers: bool,
    team_id: Option<String>,
    customer_id: Option<String>,
    max_parallel_requests: Option<i64>,
    calendar_aligned: bool,
    expires_at: Option<Instant>,
    delete_after_expire: bool,
    disable_content_logging: Option<bool>,
    rotated_at: Option<Instant>,
    previous_value_hash: Option<Vec<u8>>,
    previous_value_expires_at: Option<Instant>,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

/// What a virtual key has in other tables.
#[derive(Default)]
struct Relations {
    limits: Limits,
    configs: Vec<ProviderConfig>,
    mcp_configs: Vec<McpConfig>,
    metadata: Metadata,
}

impl VirtualKeyRow {
    fn into_key(self, relations: Relations) -> Result<KnownKey, StoreError> {
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
            max_parallel_requests,
            calendar_aligned,
            expires_at,
            delete_after_expire,
            disable_content_logging,
            rotated_at,
            previous_value_hash,
            previous_value_expires_at,
            config_hash,
            created_at,
            updated_at,
        } = self;
        let previous = previous_value_hash.zip(previous_value_expires_at);
        let previous = previous.map(|(hash, until)| Ok::<_, StoreError>((key_hash(hash)?, until.0))).transpose()?;
        let hashes = VirtualKeyHashes { current: key_hash(value_hash)?, previous };
        let Relations { limits, configs, mcp_configs, metadata } = relations;
        let key = VirtualKey {
            id: id.into(),
            name,
            value: VirtualKeyValue::from_text(value_redacted),
            description,
            is_active,
            allow_all_providers,
            provider_configs: configs,
            mcp_configs,
            keys: Vec::new(),
            team_id: team_id.map(Into::into),
            customer_id: customer_id.map(Into::into),
            team: None,
            customer: None,
            budget_id: None,
            budget: None,
            budgets: limits.budgets,
            rate_limit_id: None,
            rate_limit: limits.rate_limit,
            max_parallel_requests: max_parallel_requests.map(cap).transpose()?,
            calendar_aligned,
            expires_at: expires_at.map(|instant| instant.0),
            rotated_at: rotated_at.map(|instant| instant.0),
            previous_value_expires_at: previous.map(|(_, until)| until),
            delete_after_expire,
            disable_content_logging,
            metadata,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        };
        Ok((hashes, key.with_views()))
    }
}

fn cap(stored: i64) -> Result<NonZeroU32, StoreError> {
    let cap = u32::try_from(stored).ok().and_then(NonZeroU32::new);
    cap.ok_or_else(|| StoreError::unreadable("a cap on parallel requests", stored))
}

fn key_hash(bytes: Vec<u8>) -> Result<KeyHash, StoreError> {
    bytes.try_into().map(KeyHash).map_err(|_| StoreError::unreadable("a key hash", "it has no 32 bytes"))
}

/// One virtual key with its hashes.
pub(crate) fn get(
    c: &mut Conn,
    reach: &Reach,
    id: &VirtualKeyId,
    reveal: Reveal,
    sealer: &Sealer,
) -> Result<KnownKey, StoreError> {
    let rows = virtual_keys::table.find(id.as_str()).select(VirtualKeyRow::as_select()).load(c)?;
    let mut found = with_relations(c, rows)?;
    for (_, key) in &found {
        reach::sees_key(c, reach, key.team_id.as_ref(), key.customer_id.as_ref())?;
    }
    show(c, &mut found, reveal, sealer)?;
    found.into_iter().next().ok_or(StoreError::NotFound(Noun::VirtualKey))
}

/// One virtual key with its hashes and its owner.
pub(crate) fn get_with_owner(
    c: &mut Conn,
    reach: &Reach,
    id: &VirtualKeyId,
    reveal: Reveal,
    sealer: &Sealer,
) -> Result<KnownKey, StoreError> {
    let mut found = [get(c, reach, id, reveal, sealer)?];
    embed_owners(c, &mut found)?;
    let [found] = found;
    Ok(found)
}

/// Hands over every virtual key with its hashes, in the order of their ids: only some of them are in memory at a time.
pub(crate) fn each(c: &mut Conn, mut each: impl FnMut(VirtualKeyHashes, VirtualKey)) -> Result<(), StoreError> {
    let mut last = String::new();
    loop {
        let rows: Vec<VirtualKeyRow> = virtual_keys::table
            .filter(virtual_keys::id.gt(&last))
            .order(virtual_keys::id)
            .limit(AT_A_TIME)
            .select(VirtualKeyRow::as_select())
            .load(c)?;
        match rows.last() {
            Some(row) => last.clone_from(&row.id),
            None => return Ok(()),
        }
        with_relations(c, rows)?.into_iter().for_each(|(hashes, key)| each(hashes, key));
    }
}

/// The id of every virtual key.
pub(super) fn ids(c: &mut Conn) -> Result<Vec<VirtualKeyId>, StoreError> {
    let ids: Vec<String> = virtual_keys::table.select(virtual_keys::id).load(c)?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// These virtual keys, as far as they are there, with their hashes.
pub(crate) fn known(c: &mut Conn, ids: &[VirtualKeyId]) -> Result<Vec<KnownKey>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let query = virtual_keys::table.filter(virtual_keys::id.eq_any(chunk.iter().map(VirtualKeyId::as_str)));
        let rows = query.select(VirtualKeyRow::as_select()).load(c)?;
        found.append(&mut with_relations(c, rows)?);
    }
    Ok(found)
}

/// The virtual keys with these ids, by id: at most [`CHUNK`].
pub(super) fn of_ids(c: &mut Conn, ids: &[&str]) -> Result<HashMap<VirtualKeyId, VirtualKey>, StoreError> {
    let query = virtual_keys::table.filter(virtual_keys::id.eq_any(ids));
    let rows = query.select(VirtualKeyRow::as_select()).load(c)?;
    Ok(with_relations(c, rows)?.into_iter().map(|(_, key)| (key.id.clone(), key)).collect())
}

/// Shows each virtual key with the team or customer that it belongs to.
pub(super) fn embed_owners(c: &mut Conn, keys: &mut [KnownKey]) -> Result<(), StoreError> {
    let teams: Vec<&str> = keys.iter().filter_map(|(_, key)| Some(key.team_id.as_ref()?.as_str())).collect();
    let teams: HashMap<TeamId, Team> = team::of_ids(c, &teams)?;
    let customers: Vec<&str> = keys.iter().filter_map(|(_, key)| Some(key.customer_id.as_ref()?.as_str())).collect();
    let customers: HashMap<CustomerId, Customer> = customer::of_ids(c, &customers)?;
    for (_, key) in keys {
        key.team = key.team_id.as_ref().and_then(|id| teams.get(id)).cloned().map(Box::new);
        key.customer = key.customer_id.as_ref().and_then(|id| customers.get(id)).cloned().map(Box::new);
    }
    Ok(())
}

/// Reads the secret of a virtual key, and records that it was shown.
pub(crate) fn reveal(
    c: &mut Conn,
    by: &Recorder,
    id: &VirtualKeyId,
    sealer: &Sealer,
) -> Result<VirtualKeyValue, StoreError> {
    let (_, key) = get(c, by.reach(), id, Reveal::Full, sealer)?;
    reach::may_change_key(c, by, key.team_id.as_ref(), key.customer_id.as_ref())?;
    audit::shown(c, by, ("virtual_key", id.as_str()))?;
    Ok(key.value)
}

/// Removes a virtual key with its provider configs, the model configs that are for it, limits and counters.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &VirtualKeyId, sealer: &Sealer) -> Result<(), StoreError> {
    lock(c, by, id)?;
    let (_, key) = get(c, by.reach(), id, Reveal::Redacted, sealer)?;
    by.expects(&key)?;
    meter::delete(c, key.limits().ids())?;
    for (_, limits) in key.provider_configs.iter().flat_map(ProviderConfig::all_limits) {
        meter::delete(c, limits.ids())?;
    }
    by.allow_consequences();
    model_config::delete_of_key(c, by, id)?;
    diesel::delete(virtual_keys::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("virtual_key", id.as_str()), &key)
}

/// Keeps others from changing the virtual key until the unit of work ends, if its author may change it at all.
pub(super) fn lock(c: &mut Conn, by: &Recorder, id: &VirtualKeyId) -> Result<(), StoreError> {
    let unchanged = virtual_keys::updated_at.eq(virtual_keys::updated_at);
    let owners: Option<(Option<String>, Option<String>)> = diesel::update(virtual_keys::table.find(id.as_str()))
        .set(unchanged)
        .returning((virtual_keys::team_id, virtual_keys::customer_id))
        .get_result(c)
        .optional()?;
    let (team, customer) = owners.ok_or(StoreError::NotFound(Noun::VirtualKey))?;
    reach::may_change_key(c, by, team.map(Into::into).as_ref(), customer.map(Into::into).as_ref())
}

/// The virtual keys of these rows.
pub(super) fn with_relations(c: &mut Conn, rows: Vec<VirtualKeyRow>) -> Result<Vec<KnownKey>, StoreError> {
    let owners: Vec<LimitOwner> = rows.iter().map(|row| LimitOwner::VirtualKey(row.id.clone())).collect();
    let mut limits = limit::load(c, &owners)?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut configs = provider_config::load(c, &ids)?;
    let mut mcp_configs = mcp_config::load(c, &ids)?;
    let mut metadata = virtual_key_metadata::load(c, &ids)?;
    let keys = rows.into_iter().zip(owners).map(|(row, owner)| {
        let relations = Relations {
            limits: limits.remove(&owner).unwrap_or_default(),
            configs: configs.remove(&row.id).unwrap_or_default(),
            mcp_configs: mcp_configs.remove(&row.id).unwrap_or_default(),
            metadata: metadata.remove(&row.id).unwrap_or_default(),
        };
        row.into_key(relations)
    });
    keys.collect()
}

/// Puts the secrets in where they shall be shown.
pub(super) fn show(c: &mut Conn, keys: &mut [KnownKey], reveal: Reveal, sealer: &Sealer) -> Result<(), StoreError> {
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
