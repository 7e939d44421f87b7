//! Where in the ledger there is something to be found: the rollups know, so that nobody looks through what does not match.

use std::collections::BTreeSet;

use keyward_core::usage::{Filters, Hour};

use super::super::Conn;
use super::folding;
use super::reading::{self, Range};
use super::rollup::Kind;
use super::series::{self, View};
use crate::error::StoreError;

/// The hours in which attempts were settled that match, in order.
pub(crate) fn active_hours(c: &mut Conn, filters: &Filters, (from, to): (Hour, Hour)) -> Result<Vec<Hour>, StoreError> {
    let folded = folding::until(c)?;
    let hours = Kind { is_day: false, view: View::telling(filters.dimensions()) };
    let (past, rest) =
        (Range { kind: hours, from, to: to.min(folded) }, Range { kind: Kind::WRITTEN, from: from.max(folded), to });
    let mut found = BTreeSet::new();
    for range in [past, rest] {
        let ids: Vec<i64> = series::matching(c, range.kind.view, filters)?.into_iter().map(|(id, _)| id).collect();
        found.extend(reading::hours(c, &range, &ids)?);
    }
    Ok(found.into_iter().collect())
}

/// The virtual keys that had attempts of a team or a customer; none: those are more than `most`.
pub(crate) fn keys_of(c: &mut Conn, owners: &Filters, most: usize) -> Result<Option<Vec<String>>, StoreError> {
    let Filters { customer, team, .. } = owners.clone();
    let owners = Filters { customer, team, ..Filters::default() };
    let keys = series::keys(c, &owners, i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1))?;
    Ok(Some(keys).filter(|keys| keys.len() <= most))
}
