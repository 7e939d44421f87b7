//! The pages about customers.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, route, web};
use keyward_core::ids::CustomerId;
use maud::html;

use super::{Asked, Kind, Owner, detail, form, list, page};
use crate::auth::{Authed, CustomersRead, CustomersWrite};
use crate::clock;
use crate::dashboard::components::choice::Choice;
use crate::dashboard::frame::Theme;
use crate::dashboard::live;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::{Path, Query};
use crate::state::State;

pub(super) fn routes(config: &mut ServiceConfig) {
    // `new` would also match as an id, so it comes first.
    config
        .service(customer_list)
        .service(customer_new)
        .service(customer_detail)
        .service(customer_meters)
        .service(customer_edit);
}

#[route("/customers", method = "GET", method = "HEAD")]
async fn customer_list(
    caller: Authed<CustomersRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, part) = (Visitor::of(&caller, &state), clock::now(), asked.0.query().check()?);
    let listed = caller.store(&state).customer_list(part.clone()).await?;
    let owners: Vec<Owner> =
        listed.entries.into_iter().map(|customer| customer.observed(&state.read(), now).into()).collect();
    let content = list::content(Kind::Customer, &asked.0, &visitor, &part, &owners, listed.total);
    Ok(page(
        &visitor,
        theme,
        Kind::Customer,
        Kind::Customer.section().title(),
        list::actions(Kind::Customer, &visitor),
        content,
    ))
}

#[route("/new/customers", method = "GET", method = "HEAD")]
async fn customer_new(
    caller: Authed<CustomersWrite>,
    state: web::Data<State>,
    theme: Theme,
) -> Result<HttpResponse, ApiError> {
    let visitor = Visitor::of(&caller, &state);
    let content = form::making(Kind::Customer, &Choice::Few(Vec::new()));
    Ok(page(&visitor, theme, Kind::Customer, "Make a customer", html! {}, content))
}

#[route("/customers/{id}", method = "GET", method = "HEAD")]
async fn customer_detail(
    caller: Authed<CustomersRead>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<CustomerId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, store) = (Visitor::of(&caller, &state), clock::now(), caller.store(&state));
    let owner: Owner = store.customer_get(id.0, now).await?.observed(&state.read(), now).into();
    let content = detail::content(&owner, &visitor, &state, &store, now).await?;
    Ok(page(&visitor, theme, Kind::Customer, &owner.name, detail::actions(&owner, &visitor), content))
}

/// The meters of a customer, again whenever they change.
#[route("/customers/{id}/meters", method = "GET")]
async fn customer_meters(
    caller: Authed<CustomersRead>,
    request: HttpRequest,
    state: web::Data<State>,
    id: Path<CustomerId>,
) -> Result<HttpResponse, ApiError> {
    caller.store(&state).customer_get(id.0.clone(), clock::now()).await?;
    let look = async move |caller: &Authed<CustomersRead>, state: &State| {
        let now = clock::now();
        let owner = caller.store(state).customer_get(id.0.clone(), now).await?.observed(&state.read(), now).into();
        Ok(detail::limits_now(&owner, state, now))
    };
    Ok(live::stream(request, state, look))
}

#[route("/customers/{id}/edit", method = "GET", method = "HEAD")]
async fn customer_edit(
    caller: Authed<CustomersWrite>,
    state: web::Data<State>,
    theme: Theme,
    id: Path<CustomerId>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, store) = (Visitor::of(&caller, &state), caller.store(&state));
    let owner: Owner = store.customer_get(id.0, clock::now()).await?.into();
    let content = form::editing(&owner, &Choice::Few(Vec::new()));
    Ok(page(&visitor, theme, Kind::Customer, &format!("Edit {}", owner.name), html! {}, content))
}
