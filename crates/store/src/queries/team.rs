//! Teams.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::authority::{Reach, Subject};
use keyward_core::ids::{CustomerId, TeamId};
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::ledger::Adjustment;
use keyward_core::limits::{Limits, ResetUsage};
use keyward_core::list::Listed;
use keyward_core::owner::{Customer, Team, TeamFilter};
use keyward_core::permission::Access;
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::virtual_key::VirtualKeyFilter;

use super::limit::{self, LimitOwner};
use super::search::{self, CHUNK};
use super::{Backend, Conn, audit, customer, folded, idempotency, meter, orphan, reference, virtual_key_list};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::{Recorder, denied};
use crate::schema::{teams, virtual_keys};

/// Why a team with virtual keys is not deleted by somebody whose reach ends at the team's customer.
const KEYS_WOULD_ESCAPE: &str =
    "The team has virtual keys, which would no longer belong to the customer: delete or move them first";

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
            customer: None,
            virtual_keys: Vec::new(),
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
        return get_with_views(c, by.reach(), &id.into(), by.change.at);
    }
    let (_, customer_id) = by.reach().home(None, team.customer_id.clone());
    let team = &Team { customer_id, ..team.clone() };
    if !by.may_make(subject(team)) {
        return Err(denied());
    }
    reference::check_customer(c, team.customer_id.as_ref())?;
    diesel::insert_into(teams::table).values(TeamRow::new(team)).execute(c)?;
    limit::insert(c, &LimitOwner::Team(team.id.to_string()), &team.limits())?;
    idempotency::remember(c, by, team.id.as_str())?;
    let created = get(c, by.reach(), &team.id)?;
    audit::created(c, by, ("team", created.id.as_str()), &created)?;
    get_with_views(c, by.reach(), &team.id, by.change.at)
}

/// One team.
pub(crate) fn get(c: &mut Conn, reach: &Reach, id: &TeamId) -> Result<Team, StoreError> {
    let rows = teams::table.find(id.as_str()).select(TeamRow::as_select()).load(c)?;
    let found = with_relations(c, rows)?;
    let visible = found.into_iter().find(|team| reach.permits(Access::Read, subject(team)));
    visible.ok_or(StoreError::NotFound(Noun::Team))
}

/// One team with its customer and its oldest virtual keys.
pub(crate) fn get_with_views(c: &mut Conn, reach: &Reach, id: &TeamId, now: Timestamp) -> Result<Team, StoreError> {
    let mut team = get(c, reach, id)?;
    team.customer = match visible_customer(reach, &team) {
        Some(id) => Some(Box::new(customer::get(c, reach, id)?)),
        None => None,
    };
    let own = VirtualKeyFilter { team_id: Some(id.clone()), page: search::first_page(), ..VirtualKeyFilter::default() };
    let keys = virtual_key_list::without_owners(c, reach, &own, now)?.entries;
    team.virtual_keys = keys.into_iter().map(|(_, key)| key).collect();
    Ok(team)
}

/// The oldest teams of a customer, at most `most`.
pub(super) fn of_customer(c: &mut Conn, id: &CustomerId, most: i64) -> Result<Vec<Team>, StoreError> {
    let own = teams::table.filter(teams::customer_id.eq(id.as_str()));
    let rows = own.order((teams::created_at, teams::id)).limit(most).select(TeamRow::as_select()).load(c)?;
    with_relations(c, rows)
}

/// Every team.
pub(super) fn load_all(c: &mut Conn) -> Result<Vec<Team>, StoreError> {
    let rows = teams::table.select(TeamRow::as_select()).load(c)?;
    with_relations(c, rows)
}

/// The teams with these ids, by id.
pub(super) fn of_ids(c: &mut Conn, ids: &[&str]) -> Result<HashMap<TeamId, Team>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let query = teams::table.filter(teams::id.eq_any(chunk.iter().copied()));
        let rows = query.select(TeamRow::as_select()).load(c)?;
        found.extend(with_relations(c, rows)?.into_iter().map(|team| (team.id.clone(), team)));
    }
    Ok(found)
}

/// Edits a team: `edit` sees it as it is. Gives it as it is then, and what the edit took off its meters.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &TeamId,
    edit: impl FnOnce(&Team, Timestamp) -> Result<(Team, ResetUsage), Invalid>,
) -> Result<(Team, Vec<Adjustment>), StoreError> {
    lock(c, id)?;
    let before = get(c, by.reach(), id)?;
    by.may_change(subject(&before), Noun::Team)?;
    by.expects(&before)?;
    let now = by.change.after(before.updated_at);
    let (draft, reset) = edit(&before, now)?;
    if !by.may_make(subject(&draft)) {
        return Err(StoreError::Denied(Invalid::at("customer_id".into(), "The team cannot leave its customer")));
    }
    reference::check_customer(c, draft.customer_id.as_ref())?;
    diesel::update(teams::table.find(id.as_str()))
        .set((
            teams::name.eq(&draft.name),
            teams::customer_id.eq(draft.customer_id.as_ref().map(|id| id.as_str())),
            teams::calendar_aligned.eq(draft.calendar_aligned),
            teams::updated_at.eq(Instant(now)),
        ))
        .execute(c)?;
    limit::update(c, &LimitOwner::Team(id.to_string()), &before.limits(), &draft.limits())?;
    let after = get(c, by.reach(), id)?;
    let scope = Scope { kind: ScopeKind::Team, id: id.as_str().into() };
    limit::adopt_windows(c, &after.limits(), &scope, now)?;
    let adjustments = match reset {
        ResetUsage::Yes => meter::reset(c, after.budgets.iter().map(|budget| &budget.id), now)?,
        ResetUsage::No => Vec::new(),
    };
    audit::edited(c, by, ("team", id.as_str()), &before, &after)?;
    Ok((get_with_views(c, by.reach(), id, now)?, adjustments))
}

/// Keeps others from changing the team until the unit of work ends.
fn lock(c: &mut Conn, id: &TeamId) -> Result<(), StoreError> {
    let unchanged = teams::updated_at.eq(teams::updated_at);
    match diesel::update(teams::table.find(id.as_str())).set(unchanged).execute(c)? {
        0 => Err(StoreError::NotFound(Noun::Team)),
        _ => Ok(()),
    }
}

/// A page of teams, oldest first.
pub(crate) fn list(c: &mut Conn, reach: &Reach, filter: &TeamFilter) -> Result<Listed<Team>, StoreError> {
    let total = matching(reach, filter).count().get_result(c)?;
    let (limit, offset) = (filter.page.limit, filter.page.offset);
    let query = matching(reach, filter).order((teams::created_at, teams::id)).limit(limit).offset(offset);
    let rows = query.select(TeamRow::as_select()).load(c)?;
    let mut entries = with_relations(c, rows)?;
    let customers: Vec<&str> =
        entries.iter().filter_map(|team| Some(visible_customer(reach, team)?.as_str())).collect();
    let customers: HashMap<CustomerId, Customer> = customer::of_ids(c, &customers)?;
    for team in &mut entries {
        team.customer = visible_customer(reach, team).and_then(|id| customers.get(id)).cloned().map(Box::new);
    }
    Ok(Listed { entries, total })
}

/// Removes a team with its limits and their counters. Its virtual keys stay, on their own.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &TeamId) -> Result<(), StoreError> {
    let before = get(c, by.reach(), id)?;
    by.may_change(subject(&before), Noun::Team)?;
    by.expects(&before)?;
    if *by.reach() != Reach::Everything && before.virtual_key_count > 0 {
        return Err(StoreError::Denied(Invalid::at(Pointer::ROOT, KEYS_WOULD_ESCAPE)));
    }
    meter::delete(c, before.limits().ids())?;
    orphan::leave_team(c, by, id)?;
    diesel::delete(teams::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("team", id.as_str()), &before)
}

/// The team, as a reach is asked about it.
const fn subject(team: &Team) -> Subject<'_> {
    Subject::Team { id: &team.id, customer: team.customer_id.as_ref() }
}

/// The team's customer, if somebody of this reach may see it.
fn visible_customer<'a>(reach: &Reach, team: &'a Team) -> Option<&'a CustomerId> {
    team.customer_id.as_ref().filter(|id| reach.permits(Access::Read, Subject::Customer(id)))
}

fn matching(reach: &Reach, filter: &TeamFilter) -> teams::BoxedQuery<'static, Backend> {
    let mut query = match reach {
        Reach::Everything => teams::table.into_boxed(),
        Reach::Team(id) => teams::table.filter(teams::id.eq(id.to_string())).into_boxed(),
        Reach::Customer(id) => teams::table.filter(teams::customer_id.eq(id.to_string())).into_boxed(),
    };
    if let Some(id) = &filter.customer_id {
        query = query.filter(teams::customer_id.eq(id.to_string()));
    }
    match &filter.page.search {
        Some(text) => query.filter(folded(teams::name).like(search::pattern(text)).escape('\\')),
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
