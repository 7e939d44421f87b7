//! Virtual keys: the list, one of them, and the forms that make and edit one.

use actix_web::web::ServiceConfig;

mod actions;
mod detail;
mod form;
mod list;
mod overrides;
mod parts;
mod rotation;

pub(super) fn routes(config: &mut ServiceConfig) {
    // `new` would also match as an id, so it comes first.
    config
        .service(list::virtual_key_list)
        .service(list::virtual_key_table)
        .service(form::virtual_key_new)
        .service(detail::virtual_key_detail)
        .service(detail::virtual_key_meters)
        .service(form::virtual_key_edit);
}
