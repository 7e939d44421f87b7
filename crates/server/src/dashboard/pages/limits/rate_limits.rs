//! The rate limits of all owners.

use actix_web::{HttpResponse, route, web};
use keyward_core::limits::Limits;
use keyward_core::rate_limit::RateLimit;
use maud::html;

use super::everything::{self, Listing};
use super::owners::Owners;
use super::{RATE_LIMITS, parts};
use crate::auth::{Authed, LimitsRead};
use crate::clock;
use crate::dashboard::components::pager::Asked;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

#[route("/limits/rate-limits", method = "GET", method = "HEAD")]
pub(super) async fn rate_limit_list(
    caller: Authed<LimitsRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, page) = (Visitor::of(&caller, &state), clock::now(), everything::page(&asked.0)?);
    let mut listed = state.store.rate_limit_list(page.clone()).await?;
    listed.entries.iter_mut().for_each(|limit| limit.observe(&state.read(), now));
    let owners = Owners::load(&state.store, listed.entries.iter().map(|limit| limit.id.clone())).await?;
    let alone = |limit: RateLimit| (limit.id.clone(), Limits { budgets: Vec::new(), rate_limit: Some(limit) });
    let limits: Vec<_> = listed.entries.into_iter().map(alone).collect();
    let (total, offset) = (listed.total, page.offset);
    let listing = Listing { at: RATE_LIMITS, noun: "rate limit", limits, total, offset, owners };
    let content = html! { (parts(&visitor, RATE_LIMITS)) (listing.shown(&state, now)) };
    let (section, title, actions) = (Section::Limits, "All rate limits", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}
