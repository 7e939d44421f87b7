//! Providers: making and editing.

use std::collections::BTreeMap;

use diesel::prelude::*;
use keyward_core::duration::Milliseconds;
use keyward_core::ids::ProviderName;
use keyward_core::invalid::Invalid;
use keyward_core::provider::{NetworkConfig, Provider, ProviderDraft, ProviderKey, ProviderKeyDraft, looks_secret};
use keyward_core::secret::EnvVar;

use super::provider::{get, lock};
use super::provider_key::{document, document_json, remove};
use super::{Conn, audit, idempotency, provider_key_edit};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::providers;
use crate::seal::{Place, Sealer};
use crate::sealed_map::SealedMap;

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
    let number: i64 = diesel::insert_into(providers::table)
        .values((
            providers::name.eq(draft.name.as_str()),
            Columns::of(draft, SealedMap::empty(), sealer)?,
            providers::config_hash.eq(""),
            providers::created_at.eq(Instant(now)),
            providers::updated_at.eq(Instant(now)),
        ))
        .returning(providers::number)
        .get_result(c)?;
    for key in draft.keys.iter().flatten() {
        provider_key_edit::insert(c, number, key, sealer, now)?;
    }
    idempotency::remember(c, by, draft.name.as_str())?;
    let created = get(c, &draft.name)?;
    audit::created(c, by, ("provider", draft.name.as_str()), &created)?;
    Ok(created)
}

/// Edits a provider: `edit` sees it as it is, and nobody else changes it until the edit is stored.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    name: &ProviderName,
    sealer: &Sealer,
    edit: impl FnOnce(&Provider) -> Result<ProviderDraft, Invalid>,
) -> Result<Provider, StoreError> {
    let (number, edited_at) = lock(c, name)?;
    let before = get(c, name)?;
    by.expects(&before)?;
    let draft = edit(&before)?;
    let columns = Columns::of(&draft, headers(c, number, name, sealer)?, sealer)?;
    let now = providers::updated_at.eq(Instant(by.change.after(edited_at)));
    diesel::update(providers::table.find(number)).set((columns, now)).execute(c)?;
    if let Some(keys) = &draft.keys {
        write_keys(c, number, &before.keys, keys, sealer, by)?;
    }
    let after = get(c, name)?;
    audit::edited(c, by, ("provider", name.as_str()), &before, &after)?;
    Ok(after)
}

/// The extra headers as they are stored.
fn headers(c: &mut Conn, number: i64, name: &ProviderName, sealer: &Sealer) -> Result<SealedMap<String>, StoreError> {
    let columns = (providers::headers_shown, providers::headers_sealed);
    let (shown, sealed): (String, Option<Vec<u8>>) = providers::table.find(number).select(columns).first(c)?;
    let shown: BTreeMap<String, EnvVar> = document("extra headers", &shown)?;
    SealedMap::open(shown, sealed.as_deref(), Place::provider_headers(name.as_str()), sealer)
}

/// Writes the difference. What goes, goes first: its name may be another's now.
fn write_keys(
    c: &mut Conn,
    provider_number: i64,
    before: &[ProviderKey],
    after: &[ProviderKeyDraft],
    sealer: &Sealer,
    by: &Recorder,
) -> Result<(), StoreError> {
    for key in before.iter().filter(|key| after.iter().all(|draft| draft.id != key.id)) {
        remove(c, &key.id)?;
    }
    for draft in after {
        match before.iter().find(|key| key.id == draft.id) {
            Some(key) if ProviderKeyDraft::kept(key) == *draft => {}
            Some(key) => provider_key_edit::write(c, key, draft, sealer, by.change.after(key.updated_at))?,
            None => provider_key_edit::insert(c, provider_number, draft, sealer, by.change.at)?,
        }
    }
    Ok(())
}

/// The columns that an edit writes.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = providers, treat_none_as_null = true)]
struct Columns {
    base_url: Option<String>,
    request_timeout_seconds: Option<i32>,
    headers_shown: String,
    headers_sealed: Option<Vec<u8>>,
    max_retries: Option<i32>,
    retry_backoff_initial_ms: Option<i32>,
    retry_backoff_max_ms: Option<i32>,
    concurrency: Option<i64>,
    buffer_size: Option<i64>,
    send_back_raw_request: bool,
    send_back_raw_response: bool,
    store_raw_request_response: bool,
    custom_provider_config: Option<String>,
    description: String,
}

impl Columns {
    /// What the draft makes of the headers that were, and everything else.
    fn of(draft: &ProviderDraft, headers: SealedMap<String>, sealer: &Sealer) -> Result<Self, StoreError> {
        let headers = headers.edited(&draft.network.extra_headers, |name, value| looks_secret(name, value))?;
        let NetworkConfig {
            base_url,
            extra_headers: _,
            default_request_timeout_in_seconds,
            max_retries,
            retry_backoff_initial,
            retry_backoff_max,
        } = &draft.network.config;
        let millis = |wait: &Milliseconds| i32::try_from(wait.count());
        let sizes = draft.concurrency_and_buffer_size;
        Ok(Self {
            base_url: base_url.as_ref().map(|url| url.as_str().to_owned()),
            request_timeout_seconds: default_request_timeout_in_seconds.map(i32::from),
            headers_shown: document_json(&headers.shown)?,
            headers_sealed: headers.seal(Place::provider_headers(draft.name.as_str()), sealer)?,
            max_retries: max_retries.map(i32::from),
            retry_backoff_initial_ms: retry_backoff_initial
                .as_ref()
                .map(millis)
                .transpose()
                .map_err(StoreError::internal)?,
            retry_backoff_max_ms: retry_backoff_max.as_ref().map(millis).transpose().map_err(StoreError::internal)?,
            concurrency: sizes.map(|sizes| sizes.concurrency.into()),
            buffer_size: sizes.map(|sizes| sizes.buffer_size.into()),
            send_back_raw_request: draft.send_back_raw_request,
            send_back_raw_response: draft.send_back_raw_response,
            store_raw_request_response: draft.store_raw_request_response,
            custom_provider_config: draft.custom_provider_config.as_ref().map(document_json).transpose()?,
            description: draft.description.clone(),
        })
    }
}
