//! What stays behind when its owner is deleted. Each thing is recorded as the edit that it is.

use diesel::prelude::*;
use keyward_core::ids::{CustomerId, TeamId};
use keyward_core::owner::Team;

use super::{Conn, audit, team, virtual_key_many};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{teams, virtual_keys};

/// The virtual keys of a team are nobody's from here on.
pub(super) fn leave_team(c: &mut Conn, by: &Recorder, id: &TeamId) -> Result<(), StoreError> {
    by.allow_consequences();
    let keys = virtual_keys::table.filter(virtual_keys::team_id.eq(id.as_str()));
    let keys: Vec<String> =
        keys.order((virtual_keys::created_at, virtual_keys::id)).select(virtual_keys::id).load(c)?;
    leave_keys(c, by, &keys)
}

/// The virtual keys and teams of a customer are nobody's from here on.
pub(super) fn leave_customer(c: &mut Conn, by: &Recorder, id: &CustomerId) -> Result<(), StoreError> {
    by.allow_consequences();
    let keys = virtual_keys::table.filter(virtual_keys::customer_id.eq(id.as_str()));
    let keys: Vec<String> =
        keys.order((virtual_keys::created_at, virtual_keys::id)).select(virtual_keys::id).load(c)?;
    leave_keys(c, by, &keys)?;
    for before in team::of_customer(c, id, i64::MAX)? {
        let at = by.change.after(before.updated_at);
        diesel::update(teams::table.find(before.id.as_str()))
            .set((teams::customer_id.eq(None::<String>), teams::updated_at.eq(Instant(at))))
            .execute(c)?;
        let after = Team { customer_id: None, updated_at: at, ..before.clone() };
        audit::edited(c, by, ("team", before.id.as_str()), &before, &after)?;
    }
    Ok(())
}

fn leave_keys(c: &mut Conn, by: &Recorder, ids: &[String]) -> Result<(), StoreError> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    virtual_key_many::change(c, by, &ids, |c, ids| {
        let rows = virtual_keys::table.filter(virtual_keys::id.eq_any(ids));
        let nobody = None::<String>;
        diesel::update(rows)
            .set((virtual_keys::team_id.eq(&nobody), virtual_keys::customer_id.eq(&nobody)))
            .execute(c)?;
        Ok(())
    })
}
