//! The pages: each reads what it shows by typed calls, under the permission that it names, and puts components together.

use actix_web::web::ServiceConfig;

mod options;
mod overview;
mod owners;
mod virtual_keys;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(overview::overview);
    virtual_keys::routes(config);
    owners::routes(config);
}
