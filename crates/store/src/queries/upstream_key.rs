//! Providers and their keys as the gateway uses them: the only queries that read and open provider secrets.

use std::collections::BTreeMap;

use diesel::prelude::*;
use keyward_core::ids::ProviderName;
use keyward_core::provider::{KeySettings, Setting};
use keyward_core::secret::{EnvVar, SecretSource};
use serde::Serialize;

use super::Conn;
use super::provider_key::{ENVIRONMENT, LITERAL, NONE, allow_list, document};
use crate::error::StoreError;
use crate::schema::{provider_keys, providers};
use crate::seal::{Place, Sealer};
use crate::sealed_map::SealedMap;
use crate::store::{UpstreamHeaders, UpstreamKey};

/// What the gateway needs of a key, its secrets still sealed.
#[derive(Queryable, Selectable)]
#[diesel(table_name = provider_keys)]
struct UpstreamRow {
    id: String,
    name: String,
    source: String,
    value_shown: String,
    value_sealed: Option<Vec<u8>>,
    models: String,
    blacklisted_models: String,
    aliases: String,
    settings_shown: String,
    settings_sealed: Option<Vec<u8>>,
    weight: f64,
    enabled: bool,
}

impl UpstreamRow {
    fn into_upstream_key(self, provider: String, sealer: &Sealer) -> Result<UpstreamKey, StoreError> {
        let Self {
            id,
            name,
            source,
            value_shown,
            value_sealed,
            models,
            blacklisted_models,
            aliases,
            settings_shown,
            settings_sealed,
            weight,
            enabled,
        } = self;
        let secret = match (source.as_str(), value_sealed) {
            (NONE, None) => None,
            (LITERAL, Some(sealed)) => Some(SecretSource::Literal(sealer.open(&sealed, Place::provider_key(&id))?)),
            (ENVIRONMENT, None) => Some(SecretSource::Environment(value_shown)),
            (other, _) => return Err(StoreError::unreadable("the source of a provider key", other)),
        };
        let KeySettings { values, options } = document("settings", &settings_shown)?;
        let settings = SealedMap::open(values, settings_sealed.as_deref(), Place::key_settings(&id), sealer)?;
        Ok(UpstreamKey {
            id: id.into(),
            name,
            provider: provider.into(),
            secret,
            models: allow_list(&models)?,
            blacklisted_models: allow_list(&blacklisted_models)?,
            aliases: document("aliases", &aliases)?,
            settings: settings.sources(),
            options,
            weight,
            enabled,
        })
    }
}

/// Every provider key with its secret.
pub(crate) fn load_all(c: &mut Conn, sealer: &Sealer) -> Result<Vec<UpstreamKey>, StoreError> {
    let rows: Vec<(UpstreamRow, String)> = provider_keys::table
        .inner_join(providers::table)
        .order((providers::name, provider_keys::created_at, provider_keys::number))
        .select((UpstreamRow::as_select(), providers::name))
        .load(c)?;
    rows.into_iter().map(|(row, provider)| row.into_upstream_key(provider, sealer)).collect()
}

/// The secrets of a provider: those of its keys, by key, and its extra headers. They are only ever compared.
#[derive(Serialize)]
pub(super) struct Secrets {
    keys: Vec<(String, Option<SecretSource>, BTreeMap<Setting, SecretSource>)>,
    headers: Option<BTreeMap<String, SecretSource>>,
}

/// Opens the secrets of a provider.
pub(super) fn secrets(c: &mut Conn, name: &ProviderName, sealer: &Sealer) -> Result<Secrets, StoreError> {
    let rows: Vec<UpstreamRow> = provider_keys::table
        .inner_join(providers::table)
        .filter(providers::name.eq(name.as_str()))
        .order(provider_keys::number)
        .select(UpstreamRow::as_select())
        .load(c)?;
    let mut keys = Vec::new();
    for row in rows {
        let id = row.id.clone();
        let key = row.into_upstream_key(name.to_string(), sealer)?;
        keys.push((id, key.secret, key.settings));
    }
    Ok(Secrets { keys, headers: headers(c, sealer)?.remove(name) })
}

/// The extra headers of every provider that has some, with their secrets.
pub(crate) fn headers(c: &mut Conn, sealer: &Sealer) -> Result<UpstreamHeaders, StoreError> {
    let columns = (providers::name, providers::headers_shown, providers::headers_sealed);
    let rows: Vec<(String, String, Option<Vec<u8>>)> = providers::table.select(columns).load(c)?;
    let opened = |(name, shown, sealed): (String, String, Option<Vec<u8>>)| {
        let shown: BTreeMap<String, EnvVar> = document("extra headers", &shown)?;
        let headers = SealedMap::open(shown, sealed.as_deref(), Place::provider_headers(&name), sealer)?;
        Ok((ProviderName::from(name), headers.sources()))
    };
    rows.into_iter().map(opened).collect()
}
