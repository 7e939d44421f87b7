//! Routing rules: the order in which they are looked at, the forms that make and edit one, and a place to try an expression.

use actix_web::web::ServiceConfig;
use maud::{Markup, html};

mod form;
mod list;
mod trial;

use crate::dashboard::section::Section;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list::routing_rule_list)
        .service(trial::routing_rule_trial)
        .service(form::routing_rule_new)
        .service(form::routing_rule_edit);
}

fn crumb() -> Markup {
    html! { a href=(Section::Routing.path()) { "Routing rules" } }
}
