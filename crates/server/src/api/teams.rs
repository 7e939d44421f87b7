//! Teams.

use actix_web::{delete, get, post, put, web};
use keyward_core::ids::TeamId;
use keyward_core::list::{Done, Listed, TeamChanged, TeamDetail, TeamList};
use keyward_core::owner::{CreateTeam, Team, TeamQuery, UpdateTeam};

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, TeamsRead, TeamsWrite};
use crate::body::Body;
use crate::clock;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a team. Its limits cover every virtual key that belongs to it; those of its customer hold too.
#[utoipa::path(
    operation_id = "team_create",
    tag = "teams",
    security((), ("admin" = [])),
    request_body = CreateTeam,
    responses((status = 200, description = "The team.", body = TeamChanged), BodyErrors, CommonErrors),
)]
#[post("/api/governance/teams")]
pub(super) async fn team_create(
    caller: Authed<TeamsWrite>,
    state: web::Data<State>,
    body: Body<CreateTeam>,
) -> TaggedResult<TeamChanged> {
    let change = caller.creation("team_create", &body);
    let team = editing(change.at, |edit| body.request.build(edit))?;
    let team = edit(&state, async move |state| {
        let team = state.store.team_create(change, team).await?;
        state.engine.put_team(&team, team.created_at);
        Ok(observed(&state, team))
    });
    let message = "Team created successfully".to_owned();
    Ok(Tagged::new(team.await?, |team| TeamChanged { message, team }))
}

/// Lists teams, oldest first. Each with its limits and what is used of them now.
#[utoipa::path(
    operation_id = "team_list",
    tag = "teams",
    security((), ("admin" = [])),
    params(TeamQuery),
    responses((status = 200, description = "The teams.", body = TeamList), InputErrors, CommonErrors),
)]
#[get("/api/governance/teams")]
pub(super) async fn team_list(
    caller: Authed<TeamsRead>,
    state: web::Data<State>,
    query: Query<TeamQuery>,
) -> ApiResult<TeamList> {
    let filter = query.0.check()?;
    let listed = caller.store(&state).team_list(filter.clone()).await?;
    let entries = listed.entries.into_iter().map(|team| observed(&state, team)).collect();
    Ok(web::Json(TeamList::new(Listed { entries, total: listed.total }, &filter.page)))
}

/// Shows one team. With its limits, what is used of them now, its customer and its virtual keys.
#[utoipa::path(
    operation_id = "team_get",
    tag = "teams",
    security((), ("admin" = [])),
    params(("team_id" = String, Path, description = "The team's id.")),
    responses((status = 200, description = "The team.", body = TeamDetail), PathErrors, CommonErrors),
)]
#[get("/api/governance/teams/{team_id}")]
pub(super) async fn team_get(
    caller: Authed<TeamsRead>,
    state: web::Data<State>,
    id: Path<TeamId>,
) -> TaggedResult<TeamDetail> {
    let team = caller.store(&state).team_get(id.0, clock::now()).await?;
    Ok(Tagged::new(observed(&state, team), |team| TeamDetail { team }))
}

/// Edits a team: what is absent stays, null clears. Usage is never changed unless `reset_budget_usage` asks for it.
#[utoipa::path(
    operation_id = "team_update",
    tag = "teams",
    security((), ("admin" = [])),
    params(("team_id" = String, Path, description = "The team's id.")),
    request_body = UpdateTeam,
    responses(
        (status = 200, description = "The team.", body = TeamChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/governance/teams/{team_id}")]
pub(super) async fn team_update(
    caller: Authed<TeamsWrite>,
    state: web::Data<State>,
    id: Path<TeamId>,
    body: Body<UpdateTeam>,
) -> TaggedResult<TeamChanged> {
    let team = edit(&state, async move |state| {
        // What is settled counts in the windows of before.
        state.settled().await?;
        let change = caller.change("team_update");
        let draft = move |existing: &Team, at| editing(at, |edit| existing.edited(body.request, edit));
        let (team, adjustments) = state.store.team_update(change, id.0, draft).await?;
        state.engine.put_team(&team, team.updated_at);
        state.engine.adjust(&adjustments);
        Ok(observed(&state, team))
    });
    let message = "Team updated successfully".to_owned();
    Ok(Tagged::new(team.await?, |team| TeamChanged { message, team }))
}

/// Deletes a team. Its virtual keys stay, without it.
#[utoipa::path(
    operation_id = "team_delete",
    tag = "teams",
    security((), ("admin" = [])),
    params(("team_id" = String, Path, description = "The team's id.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/governance/teams/{team_id}")]
pub(super) async fn team_delete(
    caller: Authed<TeamsWrite>,
    state: web::Data<State>,
    id: Path<TeamId>,
) -> ApiResult<Done> {
    let change = caller.change("team_delete");
    let deleted = edit(&state, async move |state| {
        state.store.team_delete(change, id.0.clone()).await?;
        state.engine.remove_team(&id.0);
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Team deleted successfully".to_owned() }))
}

fn observed(state: &State, team: Team) -> Team {
    team.observed(&state.read(), clock::now())
}
