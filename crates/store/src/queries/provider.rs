//! Providers.

use diesel::prelude::*;
use keyward_core::ids::ProviderName;
use keyward_core::provider::{NetworkConfig, Provider, ProviderDraft, ProviderKey};

use super::limit::parsed;
use super::{Conn, audit, idempotency, provider_key};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::providers;
use crate::seal::Sealer;

#[derive(Queryable, Selectable)]
#[diesel(table_name = providers)]
struct ProviderRow {
    number: i64,
    name: String,
    base_url: Option<String>,
    request_timeout_seconds: Option<i32>,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl ProviderRow {
    fn into_provider(self, keys: Vec<ProviderKey>) -> Result<Provider, StoreError> {
        let Self { number: _, name, base_url, request_timeout_seconds, config_hash, created_at, updated_at } = self;
        let timeout = request_timeout_seconds.map(u16::try_from).transpose();
        Ok(Provider {
            name: name.into(),
            network_config: NetworkConfig {
                base_url: base_url.map(|url| parsed("a base URL", &url)).transpose()?,
                default_request_timeout_in_seconds: timeout
                    .map_err(|error| StoreError::unreadable("a timeout", error))?,
            },
            keys,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }
}

/// Stores a new provider with the keys it begins with.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    draft: &ProviderDraft,
    sealer: &Sealer,
) -> Result<Provider, StoreError> {
    if let Some(name) = idempotency::earlier(c, by)? {
        return get(c, &name.into());
    }
    let now = by.change.at;
    let NetworkConfig { base_url, default_request_timeout_in_seconds } = &draft.network_config;
    let number: i64 = diesel::insert_into(providers::table)
        .values((
            providers::name.eq(draft.name.as_str()),
            providers::base_url.eq(base_url.as_ref().map(|url| url.as_str())),
            providers::request_timeout_seconds.eq(default_request_timeout_in_seconds.map(i32::from)),
            providers::config_hash.eq(""),
            providers::created_at.eq(Instant(now)),
            providers::updated_at.eq(Instant(now)),
        ))
        .returning(providers::number)
        .get_result(c)?;
    for key in &draft.keys {
        provider_key::insert(c, number, key, sealer, now)?;
    }
    idempotency::remember(c, by, draft.name.as_str())?;
    let created = get(c, &draft.name)?;
    audit::created(c, by, ("provider", draft.name.as_str()), &created)?;
    Ok(created)
}

/// One provider.
pub(crate) fn get(c: &mut Conn, name: &ProviderName) -> Result<Provider, StoreError> {
    let query = providers::table.filter(providers::name.eq(name.as_str()));
    let row = query.select(ProviderRow::as_select()).first(c).optional()?;
    let row = row.ok_or(StoreError::NotFound(Noun::Provider))?;
    let keys = provider_key::of_provider(c, row.number)?;
    row.into_provider(keys)
}

/// Every provider, by name.
pub(crate) fn list(c: &mut Conn) -> Result<Vec<Provider>, StoreError> {
    let mut keys = provider_key::by_provider(c)?;
    let rows: Vec<ProviderRow> = providers::table.order(providers::name).select(ProviderRow::as_select()).load(c)?;
    let with_keys = |row: ProviderRow| {
        let keys = keys.remove(&row.number).unwrap_or_default();
        row.into_provider(keys)
    };
    rows.into_iter().map(with_keys).collect()
}

/// Removes a provider with its keys. What virtual keys may do there stays, for when it comes back.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, name: &ProviderName) -> Result<(), StoreError> {
    let before = get(c, name)?;
    by.expects(&before)?;
    diesel::delete(providers::table.filter(providers::name.eq(name.as_str()))).execute(c)?;
    audit::deleted(c, by, ("provider", name.as_str()), &before)
}

/// The row number of a provider.
pub(super) fn number(c: &mut Conn, name: &ProviderName) -> Result<i64, StoreError> {
    let query = providers::table.filter(providers::name.eq(name.as_str()));
    let number = query.select(providers::number).first(c).optional()?;
    number.ok_or(StoreError::NotFound(Noun::Provider))
}
