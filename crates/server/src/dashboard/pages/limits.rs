//! Limits beside those of virtual keys, teams and customers: of models and of providers, to be made and edited; and all budgets and
//! rate limits that there are, whoever owns them.

use actix_web::web::ServiceConfig;
use keyward_core::permission::Resource;
use maud::{Markup, html};

mod budgets;
mod everything;
mod form;
mod list;
mod owners;
mod rate_limits;

pub(super) use owners::Owners;

use crate::dashboard::components::tabs::tabs;
use crate::dashboard::visitor::Visitor;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list::model_config_list)
        .service(form::model_config_new)
        .service(form::model_config_edit)
        .service(budgets::budget_list)
        .service(rate_limits::rate_limit_list);
}

/// The parts of the section.
const MODELS: (&str, &str) = ("/limits", "Models and providers");
const BUDGETS: (&str, &str) = ("/limits/budgets", "All budgets");
const RATE_LIMITS: (&str, &str) = ("/limits/rate-limits", "All rate limits");

/// The way between them. All limits are shown to whoever may see all owners.
fn parts(visitor: &Visitor, current: (&str, &str)) -> Markup {
    let needed = [Resource::Customers, Resource::Teams, Resource::VirtualKeys, Resource::ModelConfigs];
    let may_see_all = needed.into_iter().all(|resource| visitor.may_read(resource));
    html! { @if may_see_all { (tabs("Limits", &[MODELS, BUDGETS, RATE_LIMITS], current.0)) } }
}
