//! Changing many virtual keys, because of what happens to something else. Each has changed itself: it gets a new version and an
//! entry of its own in the audit log.

use diesel::prelude::*;
use keyward_core::ids::VirtualKeyId;

use super::{Conn, audit, virtual_key};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::virtual_keys;

/// How many virtual keys are changed at once.
const STRIDE: usize = 500;

/// Changes these virtual keys, some at a time, and records each.
pub(super) fn change(
    c: &mut Conn,
    by: &Recorder,
    ids: &[&str],
    change: impl Fn(&mut Conn, &[&str]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for ids in ids.chunks(STRIDE) {
        let rows = virtual_keys::table.filter(virtual_keys::id.eq_any(ids));
        diesel::update(rows).set(virtual_keys::updated_at.eq(virtual_keys::updated_at)).execute(c)?;
        let before = virtual_key::of_ids(c, ids)?;
        change(c, ids)?;
        for (id, key) in &before {
            let now = Instant(by.change.after(key.updated_at));
            diesel::update(virtual_keys::table.find(id.as_str())).set(virtual_keys::updated_at.eq(now)).execute(c)?;
        }
        let after = virtual_key::of_ids(c, ids)?;
        for id in ids.iter().map(|id| VirtualKeyId::from(*id)) {
            let (Some(before), Some(after)) = (before.get(&id), after.get(&id)) else { continue };
            audit::edited(c, by, ("virtual_key", id.as_str()), before, after)?;
        }
    }
    Ok(())
}
