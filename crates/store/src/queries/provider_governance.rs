//! Provider governance: the model configs that cover every model of a provider for everybody.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::change::Precondition;
use keyward_core::ids::{ModelConfigId, ProviderName};
use keyward_core::invalid::Invalid;
use keyward_core::model_config::{EVERY_MODEL, ModelConfig};

use super::model_config::{self, ModelConfigRow, with_relations};
use super::{Backend, Conn, provider};
use crate::error::StoreError;
use crate::recorder::Recorder;
use crate::schema::model_configs;

/// Those that have limits, by provider.
pub(crate) fn list(c: &mut Conn) -> Result<Vec<ModelConfig>, StoreError> {
    let rows = of_providers().order(model_configs::provider).select(ModelConfigRow::as_select()).load(c)?;
    let mut configs = with_relations(c, rows)?;
    configs.retain(|config| config.limits().ids().next().is_some());
    Ok(configs)
}

/// Makes the limits of a provider what `edit` says of those that it has.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    name: &ProviderName,
    edit: impl FnOnce(Option<&ModelConfig>, Timestamp) -> Result<ModelConfig, Invalid>,
) -> Result<ModelConfig, StoreError> {
    provider::number(c, name)?;
    match (find(c, name)?, &by.change.precondition) {
        (Some(id), _) => model_config::update(c, by, &id, |before, now| edit(Some(before), now)),
        (None, Precondition::OneOf(_)) => Err(StoreError::Stale),
        (None, Precondition::None) => model_config::insert(c, by, &edit(None, by.change.at)?),
    }
}

/// Removes the limits of a provider and their counters, if it has some.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, name: &ProviderName) -> Result<Option<ModelConfigId>, StoreError> {
    match find(c, name)? {
        Some(id) => model_config::delete(c, by, &id).map(|()| Some(id)),
        None => provider::number(c, name).map(|_| None),
    }
}

fn find(c: &mut Conn, name: &ProviderName) -> Result<Option<ModelConfigId>, StoreError> {
    let query = of_providers().filter(model_configs::provider.eq(name.to_string())).select(model_configs::id);
    let found: Option<String> = query.first(c).optional()?;
    Ok(found.map(Into::into))
}

fn of_providers() -> model_configs::BoxedQuery<'static, Backend> {
    model_configs::table
        .filter(model_configs::model_name.eq(EVERY_MODEL))
        .filter(model_configs::provider.is_not_null())
        .filter(model_configs::virtual_key_id.is_null())
        .into_boxed()
}
