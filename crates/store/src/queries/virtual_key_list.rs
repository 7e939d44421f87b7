//! Lists of virtual keys: filters and orders.

use diesel::dsl::{case_when, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use jiff::Timestamp;
use keyward_core::authority::Reach;
use keyward_core::list::Listed;
use keyward_core::virtual_key::{SortBy, VirtualKey, VirtualKeyFilter, VirtualKeyHashes};

use super::virtual_key::{VirtualKeyRow, embed_owners, show, with_relations};
use super::{Backend, Conn, folded, search};
use crate::error::StoreError;
use crate::instant::{Instant, InstantColumn};
use crate::schema::{teams, virtual_key_metadata, virtual_keys};
use crate::seal::Sealer;
use crate::store::Reveal;

type Query = virtual_keys::BoxedQuery<'static, Backend>;

/// A page of virtual keys with their hashes and owners.
pub(crate) fn list(
    c: &mut Conn,
    reach: &Reach,
    filter: &VirtualKeyFilter,
    now: Timestamp,
    reveal: Reveal,
    sealer: &Sealer,
) -> Result<Listed<(VirtualKeyHashes, VirtualKey)>, StoreError> {
    let mut listed = without_owners(c, reach, filter, now)?;
    embed_owners(c, &mut listed.entries)?;
    show(c, &mut listed.entries, reveal, sealer)?;
    Ok(listed)
}

/// A page of virtual keys with their hashes. Their secrets are redacted.
pub(super) fn without_owners(
    c: &mut Conn,
    reach: &Reach,
    filter: &VirtualKeyFilter,
    now: Timestamp,
) -> Result<Listed<(VirtualKeyHashes, VirtualKey)>, StoreError> {
    let total = matching(reach, filter).count().get_result(c)?;
    let query = sorted(matching(reach, filter), filter, now).limit(filter.page.limit).offset(filter.page.offset);
    let rows = query.select(VirtualKeyRow::as_select()).load(c)?;
    Ok(Listed { entries: with_relations(c, rows)?, total })
}

/// The virtual keys that somebody of this reach sees.
fn within(reach: &Reach) -> Query {
    match reach {
        Reach::Everything => virtual_keys::table.into_boxed(),
        Reach::Team(id) => virtual_keys::table.filter(virtual_keys::team_id.eq(id.to_string())).into_boxed(),
        Reach::Customer(id) => {
            let teams = teams::table.filter(teams::customer_id.eq(id.to_string())).select(teams::id.nullable());
            let own = virtual_keys::customer_id.eq(id.to_string()).or(virtual_keys::team_id.eq_any(teams));
            virtual_keys::table.filter(own.assume_not_null()).into_boxed()
        }
    }
}

fn matching(reach: &Reach, filter: &VirtualKeyFilter) -> Query {
    let VirtualKeyFilter { page, customer_id, team_id, metadata, sort_by: _, descending: _ } = filter.clone();
    let mut query = within(reach);
    query = match (customer_id.map(|id| id.to_string()), team_id.map(|id| id.to_string())) {
        (None, None) => query,
        (Some(customer), None) => query.filter(virtual_keys::customer_id.eq(customer)),
        (None, Some(team)) => query.filter(virtual_keys::team_id.eq(team)),
        (Some(customer), Some(team)) => {
            query.filter(virtual_keys::customer_id.eq(customer).or(virtual_keys::team_id.eq(team)))
        }
    };
    for (key, value) in metadata {
        let labelled = virtual_key_metadata::table
            .filter(virtual_key_metadata::key.eq(key).and(virtual_key_metadata::value.eq(value)))
            .select(virtual_key_metadata::virtual_key_id);
        query = query.filter(virtual_keys::id.eq_any(labelled));
    }
    if let Some(text) = page.search {
        let pattern = search::pattern(&text);
        let labelled = virtual_key_metadata::table
            .filter(folded(virtual_key_metadata::value).like(pattern.clone()).escape('\\'))
            .select(virtual_key_metadata::virtual_key_id);
        let named = folded(virtual_keys::name).like(pattern).escape('\\');
        query = query.filter(named.or(virtual_keys::id.eq_any(labelled)));
    }
    query
}

/// What is used of the budget that has most used, in its current window.
const SPENT: &str = "(SELECT COALESCE(MAX(meters.used), 0) FROM budgets JOIN meters ON meters.limit_id = budgets.id \
                     AND meters.metric = 'cost' WHERE budgets.virtual_key_id = virtual_keys.id AND meters.window_end > ";

fn sorted(query: Query, filter: &VirtualKeyFilter, now: Timestamp) -> Query {
    let spent = || sql::<BigInt>(SPENT).bind::<InstantColumn, _>(Instant(now)).sql(")");
    let status = || {
        case_when::<_, _, Integer>(virtual_keys::is_active.eq(false), 2)
            .when(virtual_keys::expires_at.assume_not_null().le(Instant(now)), 1)
            .otherwise(0)
    };
    match (filter.sort_by, filter.descending) {
        (SortBy::Name, false) => query.order((virtual_keys::name, virtual_keys::id)),
        (SortBy::Name, true) => query.order((virtual_keys::name.desc(), virtual_keys::id.desc())),
        (SortBy::CreatedAt, false) => query.order((virtual_keys::created_at, virtual_keys::id)),
        (SortBy::CreatedAt, true) => query.order((virtual_keys::created_at.desc(), virtual_keys::id.desc())),
        (SortBy::Status, false) => query.order((status(), virtual_keys::id)),
        (SortBy::Status, true) => query.order((status().desc(), virtual_keys::id.desc())),
        (SortBy::BudgetSpent, false) => query.order((spent(), virtual_keys::id)),
        (SortBy::BudgetSpent, true) => query.order((spent().desc(), virtual_keys::id.desc())),
    }
}
