//! The pages about teams.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, route, web};
use keyward_core::ids::TeamId;
use maud::html;

use super::{Asked, Kind, Owner, detail, form, list, page};
use crate::auth::{Authed, TeamsRead, TeamsWrite};
use crate::clock;
use crate::dashboard::frame::Theme;
use crate::dashboard::live;
use crate::dashboard::pages::options::Many;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::{Path, Query};
use crate::state::State;

pub(super) fn routes(config: &mut ServiceConfig) {
    // `new` would also match as an id, so it comes first.
    config.service(team_list).service(team_new).service(team_detail).service(team_meters).service(team_edit);
}

#[route("/teams", method = "GET", method = "HEAD")]
async fn team_list(
    caller: Authed<TeamsRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, part) = (Visitor::of(&caller, &state), clock::now(), asked.0.query().check()?);
    let listed = caller.store(&state).team_list(part.clone().into()).await?;
    let owners: Vec<Owner> = listed.entries.into_iter().map(|team| team.observed(&state.read(), now).into()).collect();
    let content = list::content(Kind::Team, &asked.0, &visitor, &part, &owners, listed.total);
    Ok(page(&visitor, theme, Kind::Team, Kind::Team.section().title(), list::actions(Kind::Team, &visitor), content))
}

#[route("/new/teams", method = "GET", method = "HEAD")]
async fn team_new(caller: Authed<TeamsWrite>, state: web::Data<State>, theme: Theme) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let customers = Many::Customers.choice(&caller.store(&state), &visitor, "").await?;
    let content = form::making(Kind::Team, &customers);
    Ok(page(&visitor, theme, Kind::Team, "Make a team", html! {}, content))
}

#[route("/teams/{id}", method = "GET", method = "HEAD")]
async fn team_detail(
    caller: Authed<TeamsRead>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<TeamId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, store) = (Visitor::of(&caller, &state), clock::now(), caller.store(&state));
    let owner: Owner = store.team_get(id.0, now).await?.observed(&state.read(), now).into();
    let content = detail::content(&owner, &visitor, &state, &store, now).await?;
    Ok(page(&visitor, theme, Kind::Team, &owner.name, detail::actions(&owner, &visitor), content))
}

/// The meters of a team, again whenever they change.
#[route("/teams/{id}/meters", method = "GET")]
async fn team_meters(
    caller: Authed<TeamsRead>,
    request: HttpRequest,
    state: web::Data<State>,
    id: Path<TeamId>,
) -> Result<HttpResponse, ApiError> {
    caller.store(&state).team_get(id.0.clone(), clock::now()).await?;
    let look = async move |caller: &Authed<TeamsRead>, state: &State| {
        let now = clock::now();
        let owner = caller.store(state).team_get(id.0.clone(), now).await?.observed(&state.read(), now).into();
        Ok(detail::limits_now(&owner, state, now))
    };
    Ok(live::stream(request, state, look))
}

#[route("/teams/{id}/edit", method = "GET", method = "HEAD")]
async fn team_edit(
    caller: Authed<TeamsWrite>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<TeamId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store) = (Visitor::of(&caller, &state), caller.store(&state));
    let owner: Owner = store.team_get(id.0, clock::now()).await?.into();
    let current = owner.customer_id.as_deref().unwrap_or_default();
    let content = form::editing(&owner, &Many::Customers.choice(&store, &visitor, current).await?);
    Ok(page(&visitor, theme, Kind::Team, &format!("Edit {}", owner.name), html! {}, content))
}
