//! Reach: whether the author of a change, or whoever reads, may get at a virtual key. The rule is `Reach::permits`; here is only
//! where its facts come from.

use diesel::prelude::*;
use keyward_core::authority::{Reach, Subject};
use keyward_core::ids::{CustomerId, TeamId};
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::permission::Access;

use super::Conn;
use crate::error::{Noun, StoreError};
use crate::recorder::Recorder;
use crate::schema::teams;

/// What is out of reach is not there.
pub(super) fn sees_key(
    c: &mut Conn,
    reach: &Reach,
    team: Option<&TeamId>,
    customer: Option<&CustomerId>,
) -> Result<(), StoreError> {
    let above = customer_above(c, reach, team, customer)?;
    match reach.permits(Access::Read, Subject::VirtualKey { team, customer: above.as_ref() }) {
        true => Ok(()),
        false => Err(StoreError::NotFound(Noun::VirtualKey)),
    }
}

/// Makes sure that the author may change a virtual key that has these owners.
pub(super) fn may_change_key(
    c: &mut Conn,
    by: &Recorder,
    team: Option<&TeamId>,
    customer: Option<&CustomerId>,
) -> Result<(), StoreError> {
    let above = customer_above(c, by.reach(), team, customer)?;
    by.may_change(Subject::VirtualKey { team, customer: above.as_ref() }, Noun::VirtualKey)
}

/// Makes sure that the author may leave a virtual key with these owners behind. An owner that is out of reach is answered like
/// one that does not exist.
pub(super) fn may_make_key(
    c: &mut Conn,
    by: &Recorder,
    team: Option<&TeamId>,
    customer: Option<&CustomerId>,
) -> Result<(), StoreError> {
    let above = customer_above(c, by.reach(), team, customer)?;
    if by.may_make(Subject::VirtualKey { team, customer: above.as_ref() }) {
        return Ok(());
    }
    let invalid = match (team, customer) {
        (Some(id), _) => Invalid::at("team_id".into(), format!("team '{id}' not found")),
        (None, Some(id)) => Invalid::at("customer_id".into(), format!("customer '{id}' not found")),
        (None, None) => Invalid::at(Pointer::ROOT, "the virtual key cannot leave its team or customer"),
    };
    Err(invalid.into())
}

/// The customer that a team belongs to.
pub(super) fn customer_of(c: &mut Conn, team: Option<&TeamId>) -> Result<Option<CustomerId>, StoreError> {
    let Some(team) = team else { return Ok(None) };
    let found: Option<Option<String>> =
        teams::table.find(team.as_str()).select(teams::customer_id).first(c).optional()?;
    Ok(found.flatten().map(Into::into))
}

/// The customer above a virtual key, directly or through its team; only looked up where it matters.
fn customer_above(
    c: &mut Conn,
    reach: &Reach,
    team: Option<&TeamId>,
    customer: Option<&CustomerId>,
) -> Result<Option<CustomerId>, StoreError> {
    match (reach, customer) {
        (Reach::Everything | Reach::Team(_), _) | (Reach::Customer(_), Some(_)) => Ok(customer.cloned()),
        (Reach::Customer(_), None) => customer_of(c, team),
    }
}
