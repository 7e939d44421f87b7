//! Providers: reading and removing.

use std::collections::BTreeMap;

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::duration::Milliseconds;
use keyward_core::ids::ProviderName;
use keyward_core::provider::{ConcurrencyAndBufferSize, NetworkConfig, Provider, ProviderKey, ProviderStatus};
use keyward_core::secret::EnvVar;

use super::limit::parsed;
use super::provider_key::document;
use super::{Conn, audit, provider_key};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::providers;

/// Everything but the secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = providers)]
struct ProviderRow {
    number: i64,
    name: String,
    #[diesel(embed)]
    network: NetworkRow,
    concurrency: Option<i64>,
    buffer_size: Option<i64>,
    send_back_raw_request: bool,
    send_back_raw_response: bool,
    store_raw_request_response: bool,
    custom_provider_config: Option<String>,
    description: String,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = providers)]
struct NetworkRow {
    base_url: Option<String>,
    request_timeout_seconds: Option<i32>,
    headers_shown: String,
    max_retries: Option<i32>,
    retry_backoff_initial_ms: Option<i32>,
    retry_backoff_max_ms: Option<i32>,
}

/// A stored number as the smaller type that it was.
fn number_of<S: TryInto<T, Error: std::fmt::Display>, T>(stored: Option<S>) -> Result<Option<T>, StoreError> {
    stored.map(S::try_into).transpose().map_err(|error| StoreError::unreadable("a number of a provider", error))
}

impl NetworkRow {
    fn into_config(self) -> Result<NetworkConfig, StoreError> {
        let Self {
            base_url,
            request_timeout_seconds,
            headers_shown,
            max_retries,
            retry_backoff_initial_ms,
            retry_backoff_max_ms,
        } = self;
        let headers: BTreeMap<String, EnvVar> = document("extra headers", &headers_shown)?;
        Ok(NetworkConfig {
            base_url: base_url.map(|url| parsed("a base URL", &url)).transpose()?,
            extra_headers: headers.into_iter().map(|(name, shown)| (name, shown.text().to_owned())).collect(),
            default_request_timeout_in_seconds: number_of(request_timeout_seconds)?,
            max_retries: number_of(max_retries)?,
            retry_backoff_initial: number_of(retry_backoff_initial_ms)?.map(Milliseconds::new),
            retry_backoff_max: number_of(retry_backoff_max_ms)?.map(Milliseconds::new),
        })
    }
}

impl ProviderRow {
    /// Whether it can be called is not known here.
    fn into_provider(self, keys: Vec<ProviderKey>) -> Result<Provider, StoreError> {
        let Self {
            number: _,
            name,
            network,
            concurrency,
            buffer_size,
            send_back_raw_request,
            send_back_raw_response,
            store_raw_request_response,
            custom_provider_config,
            description,
            config_hash,
            created_at,
            updated_at,
        } = self;
        let sizes = number_of(concurrency)?.zip(number_of(buffer_size)?);
        let custom = custom_provider_config.map(|json| document("a custom provider config", &json)).transpose()?;
        Ok(Provider {
            name: name.into(),
            network_config: network.into_config()?,
            concurrency_and_buffer_size: sizes
                .map(|(concurrency, buffer_size)| ConcurrencyAndBufferSize { concurrency, buffer_size }),
            send_back_raw_request,
            send_back_raw_response,
            store_raw_request_response,
            custom_provider_config: custom,
            provider_status: ProviderStatus::Active,
            status: String::new(),
            description,
            keys,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }
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

/// Keeps others from changing a provider until the unit of work ends. Answers its row number, and when it was last edited.
pub(super) fn lock(c: &mut Conn, name: &ProviderName) -> Result<(i64, Timestamp), StoreError> {
    let row = providers::table.filter(providers::name.eq(name.as_str()));
    let locked: Option<(i64, Instant)> = diesel::update(row)
        .set(providers::updated_at.eq(providers::updated_at))
        .returning((providers::number, providers::updated_at))
        .get_result(c)
        .optional()?;
    let (number, edited_at) = locked.ok_or(StoreError::NotFound(Noun::Provider))?;
    Ok((number, edited_at.0))
}

/// Locks a provider and gives it a new version, since one of its keys changes. Answers its row number.
pub(super) fn touch(c: &mut Conn, by: &Recorder, name: &ProviderName) -> Result<i64, StoreError> {
    let (number, before) = lock(c, name)?;
    let now = Instant(by.change.after(before));
    diesel::update(providers::table.find(number)).set(providers::updated_at.eq(now)).execute(c)?;
    Ok(number)
}
