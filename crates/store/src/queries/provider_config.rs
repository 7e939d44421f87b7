//! Provider configs: what virtual keys may do at single providers, with their limits and attached keys.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::ids::VirtualKeyId;
use keyward_core::limits::Limits;
use keyward_core::model_budget::ModelBudget;
use keyward_core::provider_config::{AttachedKey, KeyAccess, ProviderConfig, ProviderConfigDraft};

use super::limit::{self, LimitOwner};
use super::provider_key::{ProviderKeyRow, allow_list, allow_list_json};
use super::search::CHUNK;
use super::{Conn, meter, model_budget};
use crate::error::StoreError;
use crate::schema::{provider_config_keys, provider_configs, provider_keys, providers};

#[derive(Queryable, Selectable)]
#[diesel(table_name = provider_configs)]
struct ProviderConfigRow {
    id: i64,
    virtual_key_id: String,
    provider: String,
    weight: Option<f64>,
    allowed_models: String,
    blacklisted_models: String,
    allow_all_keys: bool,
}

impl ProviderConfigRow {
    /// The views are derived once the whole virtual key is there.
    fn into_config(
        self,
        limits: Limits,
        keys: Vec<AttachedKey>,
        model_budgets: Vec<ModelBudget>,
    ) -> Result<ProviderConfig, StoreError> {
        let Self { id, virtual_key_id, provider, weight, allowed_models, blacklisted_models, allow_all_keys } = self;
        Ok(ProviderConfig {
            id,
            virtual_key_id: virtual_key_id.into(),
            provider: provider.into(),
            weight,
            allowed_models: allow_list(&allowed_models)?,
            blacklisted_models: allow_list(&blacklisted_models)?,
            allow_all_keys,
            budget_id: None,
            budget: None,
            budgets: limits.budgets,
            rate_limit_id: None,
            rate_limit: limits.rate_limit,
            keys,
            model_budgets,
        })
    }
}

/// The provider configs of these virtual keys, by virtual key.
pub(super) fn load(c: &mut Conn, virtual_keys: &[&str]) -> Result<HashMap<String, Vec<ProviderConfig>>, StoreError> {
    let mut rows: Vec<ProviderConfigRow> = Vec::new();
    for chunk in virtual_keys.chunks(CHUNK) {
        let query = provider_configs::table
            .filter(provider_configs::virtual_key_id.eq_any(chunk.iter().copied()))
            .order(provider_configs::id)
            .select(ProviderConfigRow::as_select());
        rows.append(&mut query.load(c)?);
    }
    let owners: Vec<LimitOwner> = rows.iter().map(|row| LimitOwner::ProviderConfig(row.id)).collect();
    let mut limits = limit::load(c, &owners)?;
    let mut keys = attached_keys(c, &rows)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut model_budgets = model_budget::load(c, &ids)?;
    let mut configs: HashMap<String, Vec<ProviderConfig>> = HashMap::new();
    for (row, owner) in rows.into_iter().zip(owners) {
        let keys = keys.remove(&row.id).unwrap_or_default();
        let models = model_budgets.remove(&row.id).unwrap_or_default();
        let virtual_key = row.virtual_key_id.clone();
        let config = row.into_config(limits.remove(&owner).unwrap_or_default(), keys, models)?;
        configs.entry(virtual_key).or_default().push(config);
    }
    Ok(configs)
}

fn attached_keys(c: &mut Conn, rows: &[ProviderConfigRow]) -> Result<HashMap<i64, Vec<AttachedKey>>, StoreError> {
    let mut keys: HashMap<i64, Vec<AttachedKey>> = HashMap::new();
    let ids: Vec<i64> = rows.iter().filter(|row| !row.allow_all_keys).map(|row| row.id).collect();
    for chunk in ids.chunks(CHUNK) {
        let found: Vec<(i64, ProviderKeyRow, String)> = provider_config_keys::table
            .inner_join(provider_keys::table.inner_join(providers::table))
            .filter(provider_config_keys::provider_config_id.eq_any(chunk.iter().copied()))
            .order(provider_keys::number)
            .select((provider_config_keys::provider_config_id, ProviderKeyRow::as_select(), providers::name))
            .load(c)?;
        for (config, key, provider) in found {
            keys.entry(config).or_default().push(key.into_attached(provider.into())?);
        }
    }
    Ok(keys)
}

/// Stores a new provider config.
pub(super) fn insert(c: &mut Conn, owner: &VirtualKeyId, draft: &ProviderConfigDraft) -> Result<(), StoreError> {
    let ProviderConfigDraft {
        id: _,
        provider,
        weight,
        allowed_models,
        blacklisted_models,
        keys,
        limits,
        model_budgets,
    } = draft;
    let id: i64 = diesel::insert_into(provider_configs::table)
        .values((
            provider_configs::virtual_key_id.eq(owner.as_str()),
            provider_configs::provider.eq(provider.as_str()),
            provider_configs::weight.eq(weight),
            provider_configs::allowed_models.eq(allow_list_json(allowed_models)?),
            provider_configs::blacklisted_models.eq(allow_list_json(blacklisted_models)?),
            provider_configs::allow_all_keys.eq(*keys == KeyAccess::All),
        ))
        .returning(provider_configs::id)
        .get_result(c)?;
    limit::insert(c, &LimitOwner::ProviderConfig(id), limits)?;
    model_budget::update(c, id, &[], model_budgets)?;
    attach(c, id, keys)
}

/// Makes an existing provider config what the draft says.
pub(super) fn update(c: &mut Conn, before: &ProviderConfig, after: &ProviderConfigDraft) -> Result<(), StoreError> {
    let ProviderConfigDraft {
        id: _,
        provider,
        weight,
        allowed_models,
        blacklisted_models,
        keys,
        limits,
        model_budgets,
    } = after;
    diesel::update(provider_configs::table.find(before.id))
        .set((
            provider_configs::provider.eq(provider.as_str()),
            provider_configs::weight.eq(weight),
            provider_configs::allowed_models.eq(allow_list_json(allowed_models)?),
            provider_configs::blacklisted_models.eq(allow_list_json(blacklisted_models)?),
            provider_configs::allow_all_keys.eq(*keys == KeyAccess::All),
        ))
        .execute(c)?;
    limit::update(c, &LimitOwner::ProviderConfig(before.id), &before.limits(), limits)?;
    model_budget::update(c, before.id, &before.model_budgets, model_budgets)?;
    let attached = provider_config_keys::table.filter(provider_config_keys::provider_config_id.eq(before.id));
    diesel::delete(attached).execute(c)?;
    attach(c, before.id, keys)
}

/// Removes a provider config with its limits and their counters.
pub(super) fn delete(c: &mut Conn, config: &ProviderConfig) -> Result<(), StoreError> {
    for (_, limits) in config.all_limits() {
        meter::delete(c, limits.ids())?;
    }
    diesel::delete(provider_configs::table.find(config.id)).execute(c)?;
    Ok(())
}

fn attach(c: &mut Conn, config: i64, keys: &KeyAccess) -> Result<(), StoreError> {
    let KeyAccess::Only(ids) = keys else { return Ok(()) };
    for chunk in ids.chunks(CHUNK) {
        let numbers: Vec<i64> = provider_keys::table
            .filter(provider_keys::id.eq_any(chunk.iter().map(|id| id.as_str())))
            .select(provider_keys::number)
            .load(c)?;
        let rows = numbers.into_iter().map(|number| {
            (provider_config_keys::provider_config_id.eq(config), provider_config_keys::provider_key_number.eq(number))
        });
        diesel::insert_into(provider_config_keys::table).values(rows.collect::<Vec<_>>()).execute(c)?;
    }
    Ok(())
}
