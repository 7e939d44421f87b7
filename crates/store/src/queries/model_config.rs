//! Model configs.

use std::collections::HashMap;

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::{ModelConfigId, VirtualKeyId};
use keyward_core::invalid::Invalid;
use keyward_core::limits::Limits;
use keyward_core::list::Listed;
use keyward_core::model_config::{ModelConfig, ModelConfigFilter, ModelConfigScope, ScopedKey};

use super::limit::{self, LimitOwner};
use super::search::{self, CHUNK};
use super::{Backend, Conn, audit, folded, idempotency, meter, reference};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{model_configs, virtual_keys};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = model_configs)]
pub(super) struct ModelConfigRow {
    id: String,
    model_name: String,
    provider: Option<String>,
    virtual_key_id: Option<String>,
    calendar_aligned: bool,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl ModelConfigRow {
    fn new(config: &ModelConfig) -> Self {
        Self {
            id: config.id.to_string(),
            model_name: config.model_name.to_string(),
            provider: config.provider.as_ref().map(ToString::to_string),
            virtual_key_id: config.scope_id.as_ref().map(ToString::to_string),
            calendar_aligned: config.calendar_aligned,
            config_hash: config.config_hash.clone(),
            created_at: Instant(config.created_at),
            updated_at: Instant(config.updated_at),
        }
    }

    fn into_config(self, limits: Limits, scope_name: Option<String>) -> ModelConfig {
        let Self { id, model_name, provider, virtual_key_id, calendar_aligned, config_hash, created_at, updated_at } =
            self;
        let config = ModelConfig {
            id: id.into(),
            model_name: model_name.into(),
            provider: provider.map(Into::into),
            scope: match virtual_key_id {
                None => ModelConfigScope::Global,
                Some(_) => ModelConfigScope::VirtualKey,
            },
            scope_id: virtual_key_id.map(Into::into),
            scope_name,
            calendar_aligned,
            budget_id: None,
            budget: None,
            budgets: Vec::new(),
            rate_limit_id: None,
            rate_limit: None,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        };
        config.with_limits(limits)
    }
}

/// Stores the model config that `build` makes, for the virtual key if it is for one.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    key: Option<&VirtualKeyId>,
    build: impl FnOnce(Option<&ScopedKey>) -> Result<ModelConfig, Invalid>,
) -> Result<ModelConfig, StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return get(c, &id.into());
    }
    let key = key.map(|id| scoped_key(c, id)).transpose()?;
    let config = build(key.as_ref())?;
    reference::check_provider(c, config.provider.as_ref())?;
    idempotency::remember(c, by, config.id.as_str())?;
    insert(c, by, &config)
}

fn scoped_key(c: &mut Conn, id: &VirtualKeyId) -> Result<ScopedKey, StoreError> {
    let found: Option<(String, bool)> = virtual_keys::table
        .find(id.as_str())
        .select((virtual_keys::name, virtual_keys::calendar_aligned))
        .first(c)
        .optional()?;
    let (name, calendar_aligned) =
        found.ok_or_else(|| Invalid::at("scope_id".into(), format!("Virtual key '{id}' not found")))?;
    Ok(ScopedKey { id: id.clone(), name, calendar_aligned })
}

/// Stores a new model config with its limits.
pub(super) fn insert(c: &mut Conn, by: &Recorder, config: &ModelConfig) -> Result<ModelConfig, StoreError> {
    check_free(c, config)?;
    diesel::insert_into(model_configs::table).values(ModelConfigRow::new(config)).execute(c)?;
    limit::insert(c, &LimitOwner::ModelConfig(config.id.to_string()), &config.limits())?;
    let created = get(c, &config.id)?;
    audit::created(c, by, ("model_config", created.id.as_str()), &created)?;
    Ok(created)
}

/// No two model configs cover the same.
fn check_free(c: &mut Conn, config: &ModelConfig) -> Result<(), StoreError> {
    let mut query = model_configs::table
        .filter(model_configs::id.ne(config.id.as_str()))
        .filter(model_configs::model_name.eq(config.model_name.as_str()))
        .into_boxed::<Backend>();
    query = match &config.provider {
        Some(provider) => query.filter(model_configs::provider.eq(provider.as_str())),
        None => query.filter(model_configs::provider.is_null()),
    };
    query = match &config.scope_id {
        Some(id) => query.filter(model_configs::virtual_key_id.eq(id.as_str())),
        None => query.filter(model_configs::virtual_key_id.is_null()),
    };
    let taken: i64 = query.count().get_result(c)?;
    if taken == 0 {
        return Ok(());
    }
    let provider = config.provider.as_ref().map(|name| format!(" with provider '{name}'")).unwrap_or_default();
    let (model, scope) = (&config.model_name, config.scope.as_str());
    let message = format!("Model config for model '{model}'{provider} ({scope}) already exists");
    Err(StoreError::Taken(Invalid::at("model_name".into(), message)))
}

/// One model config.
pub(crate) fn get(c: &mut Conn, id: &ModelConfigId) -> Result<ModelConfig, StoreError> {
    let rows = model_configs::table.find(id.as_str()).select(ModelConfigRow::as_select()).load(c)?;
    let found = with_relations(c, rows)?;
    found.into_iter().next().ok_or(StoreError::NotFound(Noun::ModelConfig))
}

/// Every model config.
pub(super) fn load_all(c: &mut Conn) -> Result<Vec<ModelConfig>, StoreError> {
    let rows = model_configs::table.select(ModelConfigRow::as_select()).load(c)?;
    with_relations(c, rows)
}

/// The model configs of one virtual key, oldest first.
pub(crate) fn of_virtual_key(c: &mut Conn, id: &VirtualKeyId) -> Result<Vec<ModelConfig>, StoreError> {
    let own = model_configs::table.filter(model_configs::virtual_key_id.eq(id.as_str()));
    let ordered = own.order((model_configs::created_at, model_configs::id));
    let rows = ordered.select(ModelConfigRow::as_select()).load(c)?;
    with_relations(c, rows)
}

/// A page of model configs, oldest first.
pub(crate) fn list(c: &mut Conn, filter: &ModelConfigFilter) -> Result<Listed<ModelConfig>, StoreError> {
    let total = matching(filter).count().get_result(c)?;
    let ordered = matching(filter).order((model_configs::created_at, model_configs::id));
    let query = ordered.limit(filter.page.limit).offset(filter.page.offset);
    let rows = query.select(ModelConfigRow::as_select()).load(c)?;
    Ok(Listed { entries: with_relations(c, rows)?, total })
}

fn matching(filter: &ModelConfigFilter) -> model_configs::BoxedQuery<'static, Backend> {
    let mut query = model_configs::table.into_boxed();
    if let Some(text) = &filter.page.search {
        query = query.filter(folded(model_configs::model_name).like(search::pattern(text)).escape('\\'));
    }
    if let Some(provider) = &filter.provider {
        query = query.filter(model_configs::provider.eq(provider.to_string()));
    }
    match filter.scope {
        None => query,
        Some(ModelConfigScope::Global) => query.filter(model_configs::virtual_key_id.is_null()),
        Some(ModelConfigScope::VirtualKey) => query.filter(model_configs::virtual_key_id.is_not_null()),
    }
}

/// Edits a model config: `edit` sees it as it is, and nobody else changes it until the edit is stored.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &ModelConfigId,
    edit: impl FnOnce(&ModelConfig, Timestamp) -> Result<ModelConfig, Invalid>,
) -> Result<ModelConfig, StoreError> {
    let unchanged = model_configs::updated_at.eq(model_configs::updated_at);
    diesel::update(model_configs::table.find(id.as_str())).set(unchanged).execute(c)?;
    let before = get(c, id)?;
    by.expects(&before)?;
    let now = by.change.after(before.updated_at);
    let after = edit(&before, now)?;
    if after.provider != before.provider {
        reference::check_provider(c, after.provider.as_ref())?;
    }
    check_free(c, &after)?;
    write(c, &after)?;
    limit::update(c, &LimitOwner::ModelConfig(id.to_string()), &before.limits(), &after.limits())?;
    limit::adopt_windows(c, &after.limits(), &after.limit_scope(), now)?;
    let after = get(c, id)?;
    audit::edited(c, by, ("model_config", id.as_str()), &before, &after)?;
    Ok(after)
}

/// The model config's own columns. Its scope is not edited.
fn write(c: &mut Conn, config: &ModelConfig) -> Result<(), StoreError> {
    diesel::update(model_configs::table.find(config.id.as_str()))
        .set((
            model_configs::model_name.eq(config.model_name.as_str()),
            model_configs::provider.eq(config.provider.as_ref().map(|name| name.as_str())),
            model_configs::calendar_aligned.eq(config.calendar_aligned),
            model_configs::updated_at.eq(Instant(config.updated_at)),
        ))
        .execute(c)?;
    Ok(())
}

/// Removes a model config with its limits and their counters.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &ModelConfigId) -> Result<(), StoreError> {
    let before = get(c, id)?;
    by.expects(&before)?;
    remove(c, by, &before)
}

/// Removes the model configs that are for a virtual key.
pub(super) fn delete_of_key(c: &mut Conn, by: &Recorder, key: &VirtualKeyId) -> Result<(), StoreError> {
    let theirs = model_configs::table.filter(model_configs::virtual_key_id.eq(key.as_str()));
    let rows = theirs.order(model_configs::id).select(ModelConfigRow::as_select()).load(c)?;
    with_relations(c, rows)?.iter().try_for_each(|config| remove(c, by, config))
}

fn remove(c: &mut Conn, by: &Recorder, config: &ModelConfig) -> Result<(), StoreError> {
    meter::delete(c, config.limits().ids())?;
    diesel::delete(model_configs::table.find(config.id.as_str())).execute(c)?;
    audit::deleted(c, by, ("model_config", config.id.as_str()), config)
}

pub(super) fn with_relations(c: &mut Conn, rows: Vec<ModelConfigRow>) -> Result<Vec<ModelConfig>, StoreError> {
    let owners: Vec<LimitOwner> = rows.iter().map(|row| LimitOwner::ModelConfig(row.id.clone())).collect();
    let mut limits = limit::load(c, &owners)?;
    let names = key_names(c, &rows)?;
    let configs = rows.into_iter().zip(owners).map(|(row, owner)| {
        let name = row.virtual_key_id.as_ref().and_then(|id| names.get(id).cloned());
        row.into_config(limits.remove(&owner).unwrap_or_default(), name)
    });
    Ok(configs.collect())
}

fn key_names(c: &mut Conn, rows: &[ModelConfigRow]) -> Result<HashMap<String, String>, StoreError> {
    let ids: Vec<&str> = rows.iter().filter_map(|row| row.virtual_key_id.as_deref()).collect();
    let mut names = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let found: Vec<(String, String)> = virtual_keys::table
            .filter(virtual_keys::id.eq_any(chunk.iter().copied()))
            .select((virtual_keys::id, virtual_keys::name))
            .load(c)?;
        names.extend(found);
    }
    Ok(names)
}
