//! The labels of virtual keys.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::ids::VirtualKeyId;
use keyward_core::virtual_key::Metadata;

use super::Conn;
use super::search::CHUNK;
use crate::error::StoreError;
use crate::schema::virtual_key_metadata;

/// The labels of these virtual keys, by virtual key.
pub(super) fn load(c: &mut Conn, virtual_keys: &[&str]) -> Result<HashMap<String, Metadata>, StoreError> {
    let mut labels: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for chunk in virtual_keys.chunks(CHUNK) {
        let rows: Vec<(String, String, String)> = virtual_key_metadata::table
            .filter(virtual_key_metadata::virtual_key_id.eq_any(chunk.iter().copied()))
            .load(c)?;
        for (id, key, value) in rows {
            labels.entry(id).or_default().push((key, value));
        }
    }
    Ok(labels.into_iter().map(|(id, labels)| (id, labels.into_iter().collect())).collect())
}

/// Gives a virtual key these labels in place of those it has.
pub(super) fn replace(c: &mut Conn, id: &VirtualKeyId, metadata: &Metadata) -> Result<(), StoreError> {
    let own = virtual_key_metadata::table.filter(virtual_key_metadata::virtual_key_id.eq(id.as_str()));
    diesel::delete(own).execute(c)?;
    let rows = metadata.iter().map(|(key, value)| {
        (
            virtual_key_metadata::virtual_key_id.eq(id.as_str()),
            virtual_key_metadata::key.eq(key),
            virtual_key_metadata::value.eq(value),
        )
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        diesel::insert_into(virtual_key_metadata::table).values(rows).execute(c)?;
    }
    Ok(())
}
