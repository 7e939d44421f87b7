//! Providers and their keys: whether they can be called, how each key stands, and what limits them; the forms that make and edit
//! them. Secrets are redacted.

use actix_web::web::ServiceConfig;

mod clouds;
mod detail;
mod form;
mod key_form;
mod keys;
mod list;

pub(super) fn routes(config: &mut ServiceConfig) {
    // `new` would also match as a name, so it comes first.
    config
        .service(list::provider_list)
        .service(form::provider_new)
        .service(detail::provider_detail)
        .service(form::provider_edit)
        .service(key_form::provider_key_new)
        .service(key_form::provider_key_edit);
}
