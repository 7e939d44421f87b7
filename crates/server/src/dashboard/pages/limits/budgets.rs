//! The budgets of all owners.

use actix_web::{HttpResponse, route, web};
use keyward_core::budget::Budget;
use keyward_core::limits::Limits;
use maud::html;

use super::everything::{self, Listing};
use super::owners::Owners;
use super::{BUDGETS, parts};
use crate::auth::{Authed, LimitsRead};
use crate::clock;
use crate::dashboard::components::pager::Asked;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

#[route("/limits/budgets", method = "GET", method = "HEAD")]
pub(super) async fn budget_list(
    caller: Authed<LimitsRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now, page) = (Visitor::of(&caller, &state), clock::now(), everything::page(&asked.0)?);
    let mut listed = state.store.budget_list(page.clone()).await?;
    for budget in &mut listed.entries {
        budget.observe(state.engine.count(&budget.meter_id()), now);
    }
    let owners = Owners::load(&state.store, listed.entries.iter().map(|budget| budget.id.clone())).await?;
    let alone = |budget: Budget| (budget.id.clone(), Limits { budgets: vec![budget], rate_limit: None });
    let limits: Vec<_> = listed.entries.into_iter().map(alone).collect();
    let listing = Listing { at: BUDGETS, noun: "budget", limits, total: listed.total, offset: page.offset, owners };
    let content = html! { (parts(&visitor, BUDGETS)) (listing.shown(&state, now)) };
    let (section, title, actions) = (Section::Limits, "All budgets", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}
