//! Teams.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use keyward_core::ids::TeamId;
use keyward_core::limits::Limits;
use keyward_core::list::{Listed, Page};
use keyward_core::owner::Team;

use super::limit::{self, LimitOwner};
use super::search::{self, CHUNK};
use super::{Backend, Conn, audit, idempotency, meter, reference};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{lower, teams, virtual_keys};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = teams)]
struct TeamRow {
    id: String,
    name: String,
    customer_id: Option<String>,
    calendar_aligned: bool,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl TeamRow {
    fn new(team: &Team) -> Self {
        Self {
            id: team.id.to_string(),
            name: team.name.clone(),
            customer_id: team.customer_id.as_ref().map(ToString::to_string),
            calendar_aligned: team.calendar_aligned,
            config_hash: team.config_hash.clone(),
            created_at: Instant(team.created_at),
            updated_at: Instant(team.updated_at),
        }
    }

    fn into_team(self, limits: Limits, virtual_key_count: i64) -> Team {
        let Self { id, name, customer_id, calendar_aligned, config_hash, created_at, updated_at } = self;
        let team = Team {
            id: id.into(),
            name,
            customer_id: customer_id.map(Into::into),
            budget_id: None,
            budget: None,
            budgets: Vec::new(),
            rate_limit_id: None,
            rate_limit: None,
            calendar_aligned,
            virtual_key_count,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        };
        team.with_limits(limits)
    }
}

/// Stores a new team with its limits.
pub(crate) fn create(c: &mut Conn, by: &Recorder, team: &Team) -> Result<Team, StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return get(c, &id.into());
    }
    reference::check_customer(c, team.customer_id.as_ref())?;
    diesel::insert_into(teams::table).values(TeamRow::new(team)).execute(c)?;
    limit::insert(c, &LimitOwner::Team(team.id.to_string()), &team.limits())?;
    idempotency::remember(c, by, team.id.as_str())?;
    let created = get(c, &team.id)?;
    audit::created(c, by, ("team", created.id.as_str()), &created)?;
    Ok(created)
}

/// One team.
pub(crate) fn get(c: &mut Conn, id: &TeamId) -> Result<Team, StoreError> {
    let rows = teams::table.find(id.as_str()).select(TeamRow::as_select()).load(c)?;
    let found = with_relations(c, rows)?;
    found.into_iter().next().ok_or(StoreError::NotFound(Noun::Team))
}

/// A page of teams, oldest first.
pub(crate) fn list(c: &mut Conn, page: &Page) -> Result<Listed<Team>, StoreError> {
    let total = matching(page).count().get_result(c)?;
    let mut query = matching(page).order((teams::created_at, teams::id)).offset(page.offset);
    if let Some(limit) = page.limit {
        query = query.limit(limit);
    }
    let rows = query.select(TeamRow::as_select()).load(c)?;
    Ok(Listed { entries: with_relations(c, rows)?, total })
}

/// Removes a team with its limits and their counters. Its virtual keys stay, on their own.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &TeamId) -> Result<(), StoreError> {
    let before = get(c, id)?;
    by.expects(&before)?;
    meter::delete(c, before.limits().ids())?;
    let orphaned = virtual_keys::table.filter(virtual_keys::team_id.eq(id.as_str()));
    diesel::update(orphaned)
        .set((virtual_keys::team_id.eq(None::<String>), virtual_keys::updated_at.eq(Instant(by.change.at))))
        .execute(c)?;
    diesel::delete(teams::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("team", id.as_str()), &before)
}

fn matching(page: &Page) -> teams::BoxedQuery<'static, Backend> {
    let query = teams::table.into_boxed();
    match &page.search {
        Some(text) => query.filter(lower(teams::name).like(search::pattern(text)).escape('\\')),
        None => query,
    }
}

fn with_relations(c: &mut Conn, rows: Vec<TeamRow>) -> Result<Vec<Team>, StoreError> {
    let owners: Vec<LimitOwner> = rows.iter().map(|row| LimitOwner::Team(row.id.clone())).collect();
    let mut limits = limit::load(c, &owners)?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let counts = virtual_key_counts(c, &ids)?;
    let teams = rows.into_iter().zip(owners).map(|(row, owner)| {
        let count = counts.get(&row.id).copied().unwrap_or(0);
        row.into_team(limits.remove(&owner).unwrap_or_default(), count)
    });
    Ok(teams.collect())
}

fn virtual_key_counts(c: &mut Conn, ids: &[&str]) -> Result<HashMap<String, i64>, StoreError> {
    let mut counts = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let found: Vec<(Option<String>, i64)> = virtual_keys::table
            .filter(virtual_keys::team_id.eq_any(chunk.iter().copied()))
            .group_by(virtual_keys::team_id)
            .select((virtual_keys::team_id, count_star()))
            .load(c)?;
        counts.extend(found.into_iter().filter_map(|(id, count)| Some((id?, count))));
    }
    Ok(counts)
}
