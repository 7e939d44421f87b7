//! Customers.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use jiff::Timestamp;
use keyward_core::authority::{Reach, Subject};
use keyward_core::ids::CustomerId;
use keyward_core::invalid::Invalid;
use keyward_core::ledger::Adjustment;
use keyward_core::limits::{Limits, ResetUsage};
use keyward_core::list::{Listed, Page};
use keyward_core::owner::Customer;
use keyward_core::permission::Access;
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::virtual_key::VirtualKeyFilter;

use super::limit::{self, LimitOwner};
use super::search::{self, CHUNK};
use super::{Backend, Conn, audit, folded, idempotency, meter, orphan, team, virtual_key_list};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::{Recorder, denied};
use crate::schema::{customers, virtual_keys};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = customers)]
struct CustomerRow {
    id: String,
    name: String,
    calendar_aligned: bool,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl CustomerRow {
    fn new(customer: &Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            name: customer.name.clone(),
            calendar_aligned: customer.calendar_aligned,
            config_hash: customer.config_hash.clone(),
            created_at: Instant(customer.created_at),
            updated_at: Instant(customer.updated_at),
        }
    }

    fn into_customer(self, limits: Limits, virtual_key_count: i64) -> Customer {
        let Self { id, name, calendar_aligned, config_hash, created_at, updated_at } = self;
        let customer = Customer {
            id: id.into(),
            name,
            budget_id: None,
            budget: None,
            budgets: Vec::new(),
            rate_limit_id: None,
            rate_limit: None,
            calendar_aligned,
            teams: Vec::new(),
            virtual_keys: Vec::new(),
            virtual_key_count,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        };
        customer.with_limits(limits)
    }
}

/// Stores a new customer with its limits.
pub(crate) fn create(c: &mut Conn, by: &Recorder, customer: &Customer) -> Result<Customer, StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return get_with_views(c, by.reach(), &id.into(), by.change.at);
    }
    if !by.may_make(Subject::Customer(&customer.id)) {
        return Err(denied());
    }
    diesel::insert_into(customers::table).values(CustomerRow::new(customer)).execute(c)?;
    limit::insert(c, &LimitOwner::Customer(customer.id.to_string()), &customer.limits())?;
    idempotency::remember(c, by, customer.id.as_str())?;
    let created = get(c, by.reach(), &customer.id)?;
    audit::created(c, by, ("customer", created.id.as_str()), &created)?;
    get_with_views(c, by.reach(), &customer.id, by.change.at)
}

/// One customer.
pub(crate) fn get(c: &mut Conn, reach: &Reach, id: &CustomerId) -> Result<Customer, StoreError> {
    let rows = customers::table.find(id.as_str()).select(CustomerRow::as_select()).load(c)?;
    let found = with_relations(c, rows)?;
    let visible = found.into_iter().find(|customer| reach.permits(Access::Read, Subject::Customer(&customer.id)));
    visible.ok_or(StoreError::NotFound(Noun::Customer))
}

/// One customer with its oldest teams and virtual keys.
pub(crate) fn get_with_views(
    c: &mut Conn,
    reach: &Reach,
    id: &CustomerId,
    now: Timestamp,
) -> Result<Customer, StoreError> {
    let mut customer = get(c, reach, id)?;
    let first = search::first_page();
    customer.teams = team::of_customer(c, id, first.limit)?;
    let own = VirtualKeyFilter { customer_id: Some(id.clone()), page: first, ..VirtualKeyFilter::default() };
    let keys = virtual_key_list::without_owners(c, reach, &own, now)?.entries;
    customer.virtual_keys = keys.into_iter().map(|(_, key)| key).collect();
    Ok(customer)
}

/// Every customer.
pub(super) fn load_all(c: &mut Conn) -> Result<Vec<Customer>, StoreError> {
    let rows = customers::table.select(CustomerRow::as_select()).load(c)?;
    with_relations(c, rows)
}

/// The customers with these ids, by id.
pub(super) fn of_ids(c: &mut Conn, ids: &[&str]) -> Result<HashMap<CustomerId, Customer>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let query = customers::table.filter(customers::id.eq_any(chunk.iter().copied()));
        let rows = query.select(CustomerRow::as_select()).load(c)?;
        found.extend(with_relations(c, rows)?.into_iter().map(|customer| (customer.id.clone(), customer)));
    }
    Ok(found)
}

/// Edits a customer: `edit` sees it as it is. Gives it as it is then, and what the edit took off its meters.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &CustomerId,
    edit: impl FnOnce(&Customer, Timestamp) -> Result<(Customer, ResetUsage), Invalid>,
) -> Result<(Customer, Vec<Adjustment>), StoreError> {
    lock(c, id)?;
    let before = get(c, by.reach(), id)?;
    by.may_change(Subject::Customer(id), Noun::Customer)?;
    by.expects(&before)?;
    let now = by.change.after(before.updated_at);
    let (draft, reset) = edit(&before, now)?;

    diesel::update(customers::table.find(id.as_str()))
        .set((
            customers::name.eq(&draft.name),
            customers::calendar_aligned.eq(draft.calendar_aligned),
            customers::updated_at.eq(Instant(now)),
        ))
        .execute(c)?;
    limit::update(c, &LimitOwner::Customer(id.to_string()), &before.limits(), &draft.limits())?;
    let after = get(c, by.reach(), id)?;
    let scope = Scope { kind: ScopeKind::Customer, id: id.as_str().into() };
    limit::adopt_windows(c, &after.limits(), &scope, now)?;
    let adjustments = match reset {
        ResetUsage::Yes => meter::reset(c, after.budgets.iter().map(|budget| &budget.id), now)?,
        ResetUsage::No => Vec::new(),
    };
    audit::edited(c, by, ("customer", id.as_str()), &before, &after)?;
    Ok((get_with_views(c, by.reach(), id, now)?, adjustments))
}

/// Keeps others from changing the customer until the unit of work ends.
fn lock(c: &mut Conn, id: &CustomerId) -> Result<(), StoreError> {
    let unchanged = customers::updated_at.eq(customers::updated_at);
    match diesel::update(customers::table.find(id.as_str())).set(unchanged).execute(c)? {
        0 => Err(StoreError::NotFound(Noun::Customer)),
        _ => Ok(()),
    }
}

/// A page of customers, oldest first.
pub(crate) fn list(c: &mut Conn, reach: &Reach, page: &Page) -> Result<Listed<Customer>, StoreError> {
    let total = matching(reach, page).count().get_result(c)?;
    let query =
        matching(reach, page).order((customers::created_at, customers::id)).limit(page.limit).offset(page.offset);
    let rows = query.select(CustomerRow::as_select()).load(c)?;
    Ok(Listed { entries: with_relations(c, rows)?, total })
}

/// Removes a customer with its limits and their counters. Teams and virtual keys of it stay, on their own.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &CustomerId) -> Result<(), StoreError> {
    let before = get(c, by.reach(), id)?;
    by.may_change(Subject::Customer(id), Noun::Customer)?;
    by.expects(&before)?;
    meter::delete(c, before.limits().ids())?;
    orphan::leave_customer(c, by, id)?;
    diesel::delete(customers::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("customer", id.as_str()), &before)
}

fn matching(reach: &Reach, page: &Page) -> customers::BoxedQuery<'static, Backend> {
    let query = match reach {
        Reach::Everything => customers::table.into_boxed(),
        Reach::Team(_) => customers::table.filter(false.into_sql::<Bool>()).into_boxed(),
        Reach::Customer(id) => customers::table.filter(customers::id.eq(id.to_string())).into_boxed(),
    };
    match &page.search {
        Some(text) => query.filter(folded(customers::name).like(search::pattern(text)).escape('\\')),
        None => query,
    }
}

fn with_relations(c: &mut Conn, rows: Vec<CustomerRow>) -> Result<Vec<Customer>, StoreError> {
    let owners: Vec<LimitOwner> = rows.iter().map(|row| LimitOwner::Customer(row.id.clone())).collect();
    let mut limits = limit::load(c, &owners)?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let counts = virtual_key_counts(c, &ids)?;
    let customers = rows.into_iter().zip(owners).map(|(row, owner)| {
        let count = counts.get(&row.id).copied().unwrap_or(0);
        row.into_customer(limits.remove(&owner).unwrap_or_default(), count)
    });
    Ok(customers.collect())
}

fn virtual_key_counts(c: &mut Conn, ids: &[&str]) -> Result<HashMap<String, i64>, StoreError> {
    let mut counts = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let found: Vec<(Option<String>, i64)> = virtual_keys::table
            .filter(virtual_keys::customer_id.eq_any(chunk.iter().copied()))
            .group_by(virtual_keys::customer_id)
            .select((virtual_keys::customer_id, count_star()))
            .load(c)?;
        counts.extend(found.into_iter().filter_map(|(id, count)| Some((id?, count))));
    }
    Ok(counts)
}
