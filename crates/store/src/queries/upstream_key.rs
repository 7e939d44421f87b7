//! Provider keys as the gateway uses them: the only query that reads and opens provider secrets.

use diesel::prelude::*;
use keyward_core::secret::SecretSource;

use super::Conn;
use super::provider_key::{ENVIRONMENT, LITERAL, allow_list};
use crate::error::StoreError;
use crate::schema::{provider_keys, providers};
use crate::seal::{Place, Sealer};
use crate::store::UpstreamKey;

/// What the gateway needs of a key, its secret still sealed.
#[derive(Queryable, Selectable)]
#[diesel(table_name = provider_keys)]
struct UpstreamRow {
    id: String,
    source: String,
    value_shown: String,
    value_sealed: Option<Vec<u8>>,
    models: String,
    weight: f64,
    enabled: bool,
}

impl UpstreamRow {
    fn into_upstream_key(self, provider: String, sealer: &Sealer) -> Result<UpstreamKey, StoreError> {
        let Self { id, source, value_shown, value_sealed, models, weight, enabled } = self;
        let secret = match (source.as_str(), value_sealed) {
            (LITERAL, Some(sealed)) => SecretSource::Literal(sealer.open(&sealed, Place::provider_key(&id))?),
            (ENVIRONMENT, None) => SecretSource::Environment(value_shown),
            (other, _) => return Err(StoreError::unreadable("the source of a provider key", other)),
        };
        let models = allow_list(&models)?;
        Ok(UpstreamKey { id: id.into(), provider: provider.into(), secret, models, weight, enabled })
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
