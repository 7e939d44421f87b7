//! Customers.

use actix_web::{delete, get, post, put, web};
use keyward_core::ids::CustomerId;
use keyward_core::list::{CustomerChanged, CustomerDetail, CustomerList, Done, ListQuery, Listed};
use keyward_core::owner::{CreateCustomer, Customer, UpdateCustomer};

use super::{BodyErrors, CommonErrors, InputErrors, PathErrors};
use crate::auth::{Authed, CustomersRead, CustomersWrite};
use crate::body::Body;
use crate::clock;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::state::{State, edit, editing};
use crate::tagged::{Tagged, TaggedResult};

/// Makes a customer. Its limits cover every virtual key below it: its own, and those of its teams.
#[utoipa::path(
    operation_id = "customer_create",
    tag = "customers",
    security((), ("admin" = [])),
    request_body = CreateCustomer,
    responses((status = 200, description = "The customer.", body = CustomerChanged), BodyErrors, CommonErrors),
)]
#[post("/api/governance/customers")]
pub(super) async fn customer_create(
    caller: Authed<CustomersWrite>,
    state: web::Data<State>,
    body: Body<CreateCustomer>,
) -> TaggedResult<CustomerChanged> {
    let change = caller.creation("customer_create", &body);
    let customer = editing(change.at, |edit| body.request.build(edit))?;
    let customer = edit(&state, async move |state| {
        let customer = state.store.customer_create(change, customer).await?;
        state.engine.put_customer(&customer, customer.created_at);
        Ok(observed(&state, customer))
    });
    let message = "Customer created successfully".to_owned();
    Ok(Tagged::new(customer.await?, |customer| CustomerChanged { message, customer }))
}

/// Lists customers, oldest first. Each with its limits and what is used of them now.
#[utoipa::path(
    operation_id = "customer_list",
    tag = "customers",
    security((), ("admin" = [])),
    params(ListQuery),
    responses((status = 200, description = "The customers.", body = CustomerList), InputErrors, CommonErrors),
)]
#[get("/api/governance/customers")]
pub(super) async fn customer_list(
    caller: Authed<CustomersRead>,
    state: web::Data<State>,
    query: Query<ListQuery>,
) -> ApiResult<CustomerList> {
    let page = query.0.check()?;
    let listed = caller.store(&state).customer_list(page.clone()).await?;
    let entries = listed.entries.into_iter().map(|customer| observed(&state, customer)).collect();
    Ok(web::Json(CustomerList::new(Listed { entries, total: listed.total }, &page)))
}

/// Shows one customer. With its limits, what is used of them now, its teams and its virtual keys.
#[utoipa::path(
    operation_id = "customer_get",
    tag = "customers",
    security((), ("admin" = [])),
    params(("customer_id" = String, Path, description = "The customer's id.")),
    responses((status = 200, description = "The customer.", body = CustomerDetail), PathErrors, CommonErrors),
)]
#[get("/api/governance/customers/{customer_id}")]
pub(super) async fn customer_get(
    caller: Authed<CustomersRead>,
    state: web::Data<State>,
    id: Path<CustomerId>,
) -> TaggedResult<CustomerDetail> {
    let customer = caller.store(&state).customer_get(id.0, clock::now()).await?;
    Ok(Tagged::new(observed(&state, customer), |customer| CustomerDetail { customer }))
}

/// Edits a customer: what is absent stays, null clears. Usage is never changed unless `reset_budget_usage` asks for it.
#[utoipa::path(
    operation_id = "customer_update",
    tag = "customers",
    security((), ("admin" = [])),
    params(("customer_id" = String, Path, description = "The customer's id.")),
    request_body = UpdateCustomer,
    responses(
        (status = 200, description = "The customer.", body = CustomerChanged),
        BodyErrors,
        PathErrors,
        CommonErrors,
    ),
)]
#[put("/api/governance/customers/{customer_id}")]
pub(super) async fn customer_update(
    caller: Authed<CustomersWrite>,
    state: web::Data<State>,
    id: Path<CustomerId>,
    body: Body<UpdateCustomer>,
) -> TaggedResult<CustomerChanged> {
    let customer = edit(&state, async move |state| {
        // What is settled counts in the windows of before.
        state.settled().await?;
        let change = caller.change("customer_update");
        let draft = move |existing: &Customer, at| editing(at, |edit| existing.edited(body.request, edit));
        let (customer, adjustments) = state.store.customer_update(change, id.0, draft).await?;
        state.engine.put_customer(&customer, customer.updated_at);
        state.engine.adjust(&adjustments);
        Ok(observed(&state, customer))
    });
    let message = "Customer updated successfully".to_owned();
    Ok(Tagged::new(customer.await?, |customer| CustomerChanged { message, customer }))
}

/// Deletes a customer. Its teams and virtual keys stay, without it.
#[utoipa::path(
    operation_id = "customer_delete",
    tag = "customers",
    security((), ("admin" = [])),
    params(("customer_id" = String, Path, description = "The customer's id.")),
    responses((status = 200, description = "It is deleted.", body = Done), PathErrors, CommonErrors),
)]
#[delete("/api/governance/customers/{customer_id}")]
pub(super) async fn customer_delete(
    caller: Authed<CustomersWrite>,
    state: web::Data<State>,
    id: Path<CustomerId>,
) -> ApiResult<Done> {
    let change = caller.change("customer_delete");
    let deleted = edit(&state, async move |state| {
        state.store.customer_delete(change, id.0.clone()).await?;
        state.engine.remove_customer(&id.0);
        Ok(())
    });
    deleted.await?;
    Ok(web::Json(Done { message: "Customer deleted successfully".to_owned() }))
}

fn observed(state: &State, customer: Customer) -> Customer {
    customer.observed(&state.read(), clock::now())
}
