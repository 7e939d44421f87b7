//! The ledger: every attempt that was admitted, and one of them with all that it did.

use actix_web::web::ServiceConfig;

mod asked;
mod entry;
mod list;
mod postings;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list::ledger_list).service(entry::ledger_entry);
}
