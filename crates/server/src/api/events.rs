//! Events, to read: what others are told.

use actix_web::{get, web};
use keyward_core::event::{EventList, EventQuery};

use super::{CommonErrors, InputErrors};
use crate::auth::{Authed, EventsRead};
use crate::error::ApiResult;
use crate::params::Query;
use crate::state::State;
use crate::usage;

/// Lists events of all owners, newest first. Each tells which limit came how near to its cap, and how far its deliveries have come.
#[utoipa::path(
    operation_id = "event_list",
    tag = "events",
    security((), ("admin" = [])),
    params(EventQuery),
    responses((status = 200, description = "The events.", body = EventList), InputErrors, CommonErrors),
)]
#[get("/api/governance/events")]
pub(super) async fn event_list(
    _: Authed<EventsRead>,
    state: web::Data<State>,
    query: Query<EventQuery>,
) -> ApiResult<EventList> {
    let page = query.0.check()?;
    let listed = usage::events(&state, page.clone()).await?;
    Ok(web::Json(EventList::new(listed, &page)))
}
