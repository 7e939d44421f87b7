//! The budgets of all owners.

use actix_web::{HttpResponse, route, web};
use keyward_core::budget::Budget;
use keyward_core::limits::Limits;
use keyward_core::list::PageQuery;
use maud::{Markup, html};
use serde::Deserialize;

use super::owners::{Names, Owner};
use super::{BUDGETS, parts};
use crate::auth::{Authed, LimitsRead};
use crate::clock;
use crate::dashboard::components::empty::empty;
use crate::dashboard::components::limits::meters;
use crate::dashboard::components::pager::{PAGE, pager};
use crate::dashboard::components::rows::scrolled;
use crate::dashboard::frame::{Page, Theme};
use crate::dashboard::link::Link;
use crate::dashboard::section::Section;
use crate::dashboard::visitor::Visitor;
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;

/// Which page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    offset: String,
}

#[route("/limits/budgets", method = "GET", method = "HEAD")]
pub(super) async fn budget_list(
    caller: Authed<LimitsRead>,
    state: web::Data<State>,
    theme: Theme,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let (visitor, now) = (Visitor::of(&caller, &state), clock::now());
    let offset = Some(asked.0.offset).filter(|text| !text.is_empty());
    let page = PageQuery { limit: Some(PAGE.to_string()), offset, ..PageQuery::default() }.check()?;
    let listed = state.store.budget_list(page.clone()).await?;
    let mut budgets = listed.entries;
    for budget in &mut budgets {
        budget.observe(state.engine.count(&budget.meter_id()), now);
    }
    let names = Names::load(&state.store, budgets.iter().map(owner)).await;
    let row = |budget: &Budget| {
        let own = Limits { budgets: vec![budget.clone()], rate_limit: None };
        html! { tr { th scope="row" { (names.shown(&owner(budget))) } td.wide { (meters(&own, &|id| state.engine.held(id, now), now)) } } }
    };
    let content = html! {
        (parts(&visitor, BUDGETS))
        section.card.flush aria-label="Budgets" {
            @if budgets.is_empty() { (empty("There is no budget", "Budgets are made with their owner: a key, a team, a customer, a model or a provider.", &html! {})) }
            @else {
                (table(budgets.iter().map(row)))
                (pager(&Link::to(BUDGETS.0), page.offset, i64::try_from(budgets.len()).unwrap_or(i64::MAX), listed.total))
            }
        }
    };
    let (section, title, actions) = (Section::Limits, "All budgets", html! {});
    Ok(Page { visitor: &visitor, theme, section, title, crumb: None, actions, content }.respond())
}

fn table(rows: impl Iterator<Item = Markup>) -> Markup {
    scrolled(
        "Budgets",
        &html! { th scope="col" { "Budget of" } th scope="col" { "Used now" } },
        &html! { @for row in rows { (row) } },
    )
}

fn owner(budget: &Budget) -> Owner {
    let Budget { customer_id, team_id, virtual_key_id, provider_config_id, model_config_id, .. } = budget;
    let customer = customer_id.clone().map(Owner::Customer);
    let team = team_id.clone().map(Owner::Team);
    let key = virtual_key_id.clone().map(Owner::VirtualKey);
    let model = model_config_id.clone().map(Owner::ModelConfig);
    customer.or(team).or(key).or(model).unwrap_or(Owner::ProviderConfig(*provider_config_id))
}
