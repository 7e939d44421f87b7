//! Budgets and rate limits of any owner. They come back unused: live usage is overlaid by whoever keeps it.

use std::collections::HashMap;

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::budget::Budget;
use keyward_core::ids::LimitId;
use keyward_core::limits::Limits;
use keyward_core::list::{Listed, Page};
use keyward_core::meter::EnforcementDefaults;
use keyward_core::rate_limit::RateLimit;

use super::search::CHUNK;
use super::{Conn, meter};
use crate::error::StoreError;
use crate::schema::{budgets, rate_limits};

mod holder;
mod row;
mod scope;

pub(crate) use holder::holders;
pub(super) use row::parsed;
use row::{BudgetRow, OwnerColumns, RateLimitRow};
pub(super) use scope::scopes;

/// Whose a limit is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum LimitOwner {
    Customer(String),
    Team(String),
    VirtualKey(String),
    ProviderConfig(i64),
    ModelConfig(String),
    ModelBudget(String),
}

/// The limits of these owners; an owner that has none is not in the map.
pub(super) fn load(c: &mut Conn, owners: &[LimitOwner]) -> Result<HashMap<LimitOwner, Limits>, StoreError> {
    let mut limits = HashMap::new();
    for chunk in owners.chunks(CHUNK) {
        let columns: Vec<OwnerColumns> = chunk.iter().map(LimitOwner::columns).collect();
        let texts = |pick: fn(&OwnerColumns) -> &Option<String>| {
            columns.iter().filter_map(|columns| pick(columns).as_deref()).collect::<Vec<_>>()
        };
        let (customers, teams) = (texts(|columns| &columns.customer_id), texts(|columns| &columns.team_id));
        let keys = texts(|columns| &columns.virtual_key_id);
        let configs: Vec<i64> = columns.iter().filter_map(|columns| columns.provider_config_id).collect();
        let (models, model_budgets) =
            (texts(|columns| &columns.model_config_id), texts(|columns| &columns.model_budget_id));
        macro_rules! owned {
            ($table:ident, $row:ty) => {
                owned!($table, $row, customer_id: customers, team_id: teams, virtual_key_id: keys,
                    provider_config_id: configs, model_config_id: models, model_budget_id: model_budgets)
            };
            // One query for each kind of owner that is there: with an OR over all of them, an index would not be used.
            ($table:ident, $row:ty, $($column:ident: $ids:ident),+) => {{
                let mut rows: Vec<$row> = Vec::new();
                $(if !$ids.is_empty() {
                    let owned = $table::table.filter($table::$column.eq_any(&$ids));
                    rows.extend(owned.select(<$row>::as_select()).load(c)?);
                })+
                rows
            }};
        }
        collect_budgets(owned!(budgets, BudgetRow), &mut limits)?;
        collect_rate_limits(owned!(rate_limits, RateLimitRow), &mut limits)?;
    }
    sort(&mut limits);
    Ok(limits)
}

fn collect_budgets(rows: Vec<BudgetRow>, limits: &mut HashMap<LimitOwner, Limits>) -> Result<(), StoreError> {
    for row in rows {
        let (owner, budget) = row.into_budget()?;
        limits.entry(owner).or_default().budgets.push(budget);
    }
    Ok(())
}

fn collect_rate_limits(rows: Vec<RateLimitRow>, limits: &mut HashMap<LimitOwner, Limits>) -> Result<(), StoreError> {
    for row in rows {
        let (owner, rate_limit) = row.into_rate_limit()?;
        limits.entry(owner).or_default().rate_limit = Some(rate_limit);
    }
    Ok(())
}

/// Shortest window first.
fn sort(limits: &mut HashMap<LimitOwner, Limits>) {
    for limits in limits.values_mut() {
        limits.budgets.sort_by_key(|budget| budget.reset_duration.length());
    }
}

/// Stores the limits of a new owner.
pub(super) fn insert(c: &mut Conn, owner: &LimitOwner, limits: &Limits) -> Result<(), StoreError> {
    for budget in &limits.budgets {
        diesel::insert_into(budgets::table).values(BudgetRow::new(owner, budget)).execute(c)?;
    }
    if let Some(limit) = &limits.rate_limit {
        diesel::insert_into(rate_limits::table).values(RateLimitRow::new(owner, limit)).execute(c)?;
    }
    Ok(())
}

/// Writes what differs, by id: limits that stay keep their rows and counters, those that go lose both.
pub(super) fn update(c: &mut Conn, owner: &LimitOwner, before: &Limits, after: &Limits) -> Result<(), StoreError> {
    let removed: Vec<&LimitId> = before.ids().filter(|id| after.ids().all(|kept| kept != *id)).collect();
    meter::delete(c, removed.iter().copied())?;
    for id in removed {
        diesel::delete(budgets::table.find(id.as_str())).execute(c)?;
        diesel::delete(rate_limits::table.find(id.as_str())).execute(c)?;
    }
    let exists = |id: &LimitId| before.ids().any(|known| known == id);
    let (kept, new): (Vec<_>, Vec<_>) = after.budgets.iter().cloned().partition(|budget| exists(&budget.id));
    let (kept_rate, new_rate) = match &after.rate_limit {
        Some(limit) if exists(&limit.id) => (Some(limit), None),
        other => (None, other.clone()),
    };
    for budget in kept.iter().filter(|budget| !before.budgets.contains(budget)) {
        update_budget(c, owner, budget)?;
    }
    if let Some(limit) = kept_rate {
        update_rate_limit(c, owner, limit)?;
    }
    insert(c, owner, &Limits { budgets: new, rate_limit: new_rate })
}

fn update_budget(c: &mut Conn, owner: &LimitOwner, budget: &Budget) -> Result<(), StoreError> {
    let row = BudgetRow::new(owner, budget);
    diesel::update(budgets::table.find(row.id))
        .set((
            budgets::max_limit.eq(row.max_limit),
            budgets::reset_duration.eq(row.reset_duration),
            budgets::calendar_aligned.eq(row.calendar_aligned),
            budgets::timezone.eq(row.timezone),
            budgets::quarter_start_month.eq(row.quarter_start_month),
            budgets::enforcement.eq(row.enforcement),
            budgets::output_clamp.eq(row.output_clamp),
            budgets::override_amount.eq(row.override_amount),
            budgets::override_until.eq(row.override_until),
            budgets::config_hash.eq(row.config_hash),
            budgets::updated_at.eq(row.updated_at),
        ))
        .execute(c)?;
    Ok(())
}

fn update_rate_limit(c: &mut Conn, owner: &LimitOwner, limit: &RateLimit) -> Result<(), StoreError> {
    let row = RateLimitRow::new(owner, limit);
    diesel::update(rate_limits::table.find(row.id))
        .set((
            rate_limits::token_max_limit.eq(row.token_max_limit),
            rate_limits::token_reset_duration.eq(row.token_reset_duration),
            rate_limits::request_max_limit.eq(row.request_max_limit),
            rate_limits::request_reset_duration.eq(row.request_reset_duration),
            rate_limits::calendar_aligned.eq(row.calendar_aligned),
            rate_limits::enforcement.eq(row.enforcement),
            rate_limits::output_clamp.eq(row.output_clamp),
            rate_limits::config_hash.eq(row.config_hash),
            rate_limits::updated_at.eq(row.updated_at),
        ))
        .execute(c)?;
    Ok(())
}

/// Every budget, oldest first, and how many there are.
pub(crate) fn budgets(c: &mut Conn, page: &Page) -> Result<Listed<Budget>, StoreError> {
    let total = budgets::table.count().get_result(c)?;
    let rows: Vec<BudgetRow> = budgets::table
        .order((budgets::created_at, budgets::id))
        .limit(page.limit)
        .offset(page.offset)
        .select(BudgetRow::as_select())
        .load(c)?;
    let entries = rows.into_iter().map(|row| row.into_budget().map(|(_, budget)| budget));
    Ok(Listed { entries: entries.collect::<Result<_, _>>()?, total })
}

/// Every rate limit, oldest first, and how many there are.
pub(crate) fn rate_limits(c: &mut Conn, page: &Page) -> Result<Listed<RateLimit>, StoreError> {
    let total = rate_limits::table.count().get_result(c)?;
    let rows: Vec<RateLimitRow> = rate_limits::table
        .order((rate_limits::created_at, rate_limits::id))
        .limit(page.limit)
        .offset(page.offset)
        .select(RateLimitRow::as_select())
        .load(c)?;
    let entries = rows.into_iter().map(|row| row.into_rate_limit().map(|(_, limit)| limit));
    Ok(Listed { entries: entries.collect::<Result<_, _>>()?, total })
}

/// Moves the counters of an owner's limits into the windows that their policies now have.
pub(super) fn adopt_windows(
    c: &mut Conn,
    limits: &Limits,
    scope: &keyward_core::scope::Scope,
    now: Timestamp,
) -> Result<(), StoreError> {
    // How strictly they are held is of no matter here.
    limits.meters(scope, &EnforcementDefaults::default()).try_for_each(|meter| meter::adopt(c, &meter, now))
}
