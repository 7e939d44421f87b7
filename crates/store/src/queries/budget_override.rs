//! Overrides of a virtual key's budgets: the cap is raised for a time.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::budget::Budget;
use keyward_core::ids::{LimitId, VirtualKeyId};
use keyward_core::invalid::Invalid;
use keyward_core::meter::Raise;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};

use super::virtual_key::{get, lock};
use super::{Conn, audit};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{budgets, virtual_keys};
use crate::seal::Sealer;
use crate::store::Reveal;

/// Raises the cap of a budget of a virtual key, or of one of its provider configs, to what `raise` says, or no more.
pub(crate) fn set(
    c: &mut Conn,
    by: &Recorder,
    id: &VirtualKeyId,
    budget: &LimitId,
    sealer: &Sealer,
    raise: impl FnOnce(&Budget, Timestamp) -> Result<Option<Raise>, Invalid>,
) -> Result<(VirtualKeyHashes, VirtualKey), StoreError> {
    lock(c, by, id)?;
    let (_, before) = get(c, by.reach(), id, Reveal::Redacted, sealer)?;
    by.expects(&before)?;
    let now = by.change.after(before.updated_at);
    let found = before.all_budgets().find(|own| own.id == *budget).ok_or(StoreError::NotFound(Noun::Budget))?;
    let raise = raise(found, now)?;
    diesel::update(budgets::table.find(budget.as_str()))
        .set((
            budgets::override_amount.eq(raise.map(|raise| raise.amount)),
            budgets::override_until.eq(raise.and_then(|raise| raise.until).map(Instant)),
            budgets::updated_at.eq(Instant(now)),
        ))
        .execute(c)?;
    diesel::update(virtual_keys::table.find(id.as_str())).set(virtual_keys::updated_at.eq(Instant(now))).execute(c)?;
    let after = get(c, by.reach(), id, Reveal::Redacted, sealer)?;
    audit::edited(c, by, ("virtual_key", id.as_str()), &before, &after.1)?;
    Ok(after)
}
