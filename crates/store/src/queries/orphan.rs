//! What stays behind when its owner is deleted. Each thing is recorded as the edit that it is.

use diesel::prelude::*;
use keyward_core::authority::Reach;
use keyward_core::ids::{CustomerId, TeamId};
use keyward_core::list::Page;
use keyward_core::owner::Team;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyFilter};

use super::{Conn, audit, team, virtual_key_list};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{teams, virtual_keys};

/// The virtual keys of a team are nobody's from here on.
pub(super) fn leave_team(c: &mut Conn, by: &Recorder, id: &TeamId) -> Result<(), StoreError> {
    by.allow_consequences();
    leave_keys(c, by, VirtualKeyFilter { team_id: Some(id.clone()), ..VirtualKeyFilter::default() })
}

/// The virtual keys and teams of a customer are nobody's from here on.
pub(super) fn leave_customer(c: &mut Conn, by: &Recorder, id: &CustomerId) -> Result<(), StoreError> {
    by.allow_consequences();
    leave_keys(c, by, VirtualKeyFilter { customer_id: Some(id.clone()), ..VirtualKeyFilter::default() })?;
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

fn leave_keys(c: &mut Conn, by: &Recorder, filter: VirtualKeyFilter) -> Result<(), StoreError> {
    let all = VirtualKeyFilter { page: Page::unbounded(), ..filter };
    for (_, before) in virtual_key_list::without_owners(c, &Reach::Everything, &all, by.change.at)?.entries {
        let at = by.change.after(before.updated_at);
        diesel::update(virtual_keys::table.find(before.id.as_str()))
            .set((
                virtual_keys::team_id.eq(None::<String>),
                virtual_keys::customer_id.eq(None::<String>),
                virtual_keys::updated_at.eq(Instant(at)),
            ))
            .execute(c)?;
        let after = VirtualKey { team_id: None, customer_id: None, updated_at: at, ..before.clone() };
        audit::edited(c, by, ("virtual_key", before.id.as_str()), &before, &after)?;
    }
    Ok(())
}
