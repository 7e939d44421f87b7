//! Idempotency keys: a create that is sent again makes nothing new.

use diesel::prelude::*;
use jiff::ToSpan;
use keyward_core::change::{Actor, Idempotency};
use keyward_core::invalid::Invalid;

use super::Conn;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::idempotency_keys;

/// What the same request made before, if it was sent before within a day.
pub(super) fn earlier(c: &mut Conn, by: &Recorder) -> Result<Option<String>, StoreError> {
    let Some(Idempotency { key, fingerprint }) = &by.change.idempotency else { return Ok(None) };
    forget_old(c, by)?;
    let actor = &by.change.author.actor;
    let found: Option<(Vec<u8>, String)> = idempotency_keys::table
        .find((actor.kind.as_str(), identity(actor), by.change.operation, key.as_str()))
        .select((idempotency_keys::fingerprint, idempotency_keys::resource_id))
        .first(c)
        .optional()?;
    match found {
        None => Ok(None),
        Some((known, id)) if known == fingerprint => Ok(Some(id)),
        Some(_) => {
            let message = "this Idempotency-Key was used for another request";
            Err(Invalid::at_header("idempotency-key", message).into())
        }
    }
}

/// Remembers what the request made.
pub(super) fn remember(c: &mut Conn, by: &Recorder, resource_id: &str) -> Result<(), StoreError> {
    let Some(Idempotency { key, fingerprint }) = &by.change.idempotency else { return Ok(()) };
    let actor = &by.change.author.actor;
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::actor_kind.eq(actor.kind.as_str()),
            idempotency_keys::actor_name.eq(identity(actor)),
            idempotency_keys::operation.eq(by.change.operation),
            idempotency_keys::key.eq(key),
            idempotency_keys::fingerprint.eq(fingerprint.as_slice()),
            idempotency_keys::resource_id.eq(resource_id),
            idempotency_keys::created_at.eq(Instant(by.change.at)),
        ))
        .execute(c)?;
    Ok(())
}

/// What tells actors of one kind apart for good: a name can be given away and taken again.
fn identity(actor: &Actor) -> &str {
    if actor.id.is_empty() { &actor.name } else { &actor.id }
}

fn forget_old(c: &mut Conn, by: &Recorder) -> Result<(), StoreError> {
    let Ok(day_ago) = by.change.at.checked_sub(24.hours()) else { return Ok(()) };
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(Instant(day_ago)))).execute(c)?;
    Ok(())
}
