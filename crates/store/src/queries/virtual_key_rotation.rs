//! Rotation of virtual keys, and what is due when one expires.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::VirtualKeyId;
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::{Rotation, VirtualKey, VirtualKeyHashes};

use super::virtual_key::{get, get_with_owner, lock};
use super::{Conn, audit};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::virtual_keys;
use crate::seal::{Place, Sealer};
use crate::store::Reveal;

/// Gives a virtual key a new value. The one before works on until the cooldown is over; one from before that works no more.
pub(crate) fn rotate(
    c: &mut Conn,
    by: &Recorder,
    id: &VirtualKeyId,
    rotation: &Rotation,
    hash: KeyHash,
    sealer: &Sealer,
) -> Result<(VirtualKeyHashes, VirtualKey), StoreError> {
    lock(c, by, id)?;
    let (hashes, before) = get(c, by.reach(), id, Reveal::Redacted, sealer)?;
    by.expects(&before)?;
    let now = by.change.after(before.updated_at);
    let until = now.checked_add(rotation.cooldown).unwrap_or(Timestamp::MAX);
    let previous = (until > now).then_some((hashes.current, until));
    diesel::update(virtual_keys::table.find(id.as_str()))
        .set((
            virtual_keys::value_hash.eq(hash.0.as_slice()),
            virtual_keys::value_sealed.eq(sealer.seal(rotation.value.expose(), Place::virtual_key(id.as_str()))?),
            virtual_keys::value_redacted.eq(rotation.value.redacted().expose()),
            virtual_keys::previous_value_hash.eq(previous.map(|(hash, _)| hash.0.to_vec())),
            virtual_keys::previous_value_expires_at.eq(previous.map(|(_, until)| Instant(until))),
            virtual_keys::rotated_at.eq(Instant(now)),
            virtual_keys::updated_at.eq(Instant(now)),
        ))
        .execute(c)?;
    let (_, after) = get(c, by.reach(), id, Reveal::Redacted, sealer)?;
    audit::edited(c, by, ("virtual_key", id.as_str()), &before, &after)?;
    get_with_owner(c, by.reach(), id, Reveal::Full, sealer)
}

/// The virtual keys that have expired and shall be deleted then, at most `most` of them, with when they were last edited.
pub(crate) fn expired(c: &mut Conn, now: Timestamp, most: i64) -> Result<Vec<(VirtualKeyId, Timestamp)>, StoreError> {
    let rows: Vec<(String, Instant)> = virtual_keys::table
        .filter(virtual_keys::delete_after_expire.eq(true))
        .filter(virtual_keys::expires_at.le(Instant(now)))
        .order(virtual_keys::expires_at)
        .limit(most)
        .select((virtual_keys::id, virtual_keys::updated_at))
        .load(c)?;
    Ok(rows.into_iter().map(|(id, edited)| (id.into(), edited.0)).collect())
}
