//! Providers and their keys: whether they can be called, how each key stands, and what limits them. Secrets are redacted.

use actix_web::web::ServiceConfig;

mod detail;
mod list;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list::provider_list).service(detail::provider_detail);
}
