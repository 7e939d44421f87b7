//! The pages: each reads what it shows by typed calls, under the permission that it names, and puts components together.

use actix_web::web::ServiceConfig;

mod audit;
mod choices;
mod events;
mod ledger;
mod limits;
mod models;
mod options;
mod overview;
mod owners;
mod playground;
mod providers;
mod routing;
mod settings;
mod virtual_keys;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(overview::overview)
        .service(playground::playground)
        .service(choices::fitting)
        .service(events::event_list);
    virtual_keys::routes(config);
    owners::routes(config);
    limits::routes(config);
    providers::routes(config);
    routing::routes(config);
    models::routes(config);
    ledger::routes(config);
    audit::routes(config);
    settings::routes(config);
}
