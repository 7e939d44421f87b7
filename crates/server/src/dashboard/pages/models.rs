//! Models and prices: the catalogue to search, and what is paid in place of its prices.

use actix_web::web::ServiceConfig;

mod catalogue;
mod form;
mod overrides;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(catalogue::model_list).service(form::pricing_override_new).service(form::pricing_override_edit);
}
