//! The ledger, to read.

use actix_web::{HttpResponse, get, web};
use keyward_core::ledger::{LedgerFormat, LedgerList, LedgerQuery};

use super::{CommonErrors, InputErrors};
use crate::auth::{Authed, UsageRead};
use crate::error::ApiError;
use crate::params::Query;
use crate::state::State;
use crate::usage;

/// Lists attempts, newest first. Each with what it used, what it cost and why. A page has `next`, which is `after` of the one that
/// follows. With `format=csv` or `format=ndjson` all that match are streamed.
#[utoipa::path(
    operation_id = "ledger_list",
    tag = "usage",
    security((), ("admin" = [])),
    params(LedgerQuery),
    responses(
        (status = 200, description = "The entries: a page; a table with `format=csv`; an entry in each line with `format=ndjson`.", content(
            (LedgerList = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
        )),
        InputErrors,
        CommonErrors,
    ),
)]
#[get("/api/governance/ledger")]
pub(super) async fn ledger_list(
    caller: Authed<UsageRead>,
    state: web::Data<State>,
    query: Query<LedgerQuery>,
) -> Result<HttpResponse, ApiError> {
    let (filter, limit, format) = query.0.check()?;
    let store = caller.store(&state);
    match (format, limit) {
        (LedgerFormat::Json, Some(limit)) => {
            Ok(HttpResponse::Ok().json(usage::ledger_page(&state, &store, filter, limit).await?))
        }
        (LedgerFormat::Json | LedgerFormat::Csv | LedgerFormat::Ndjson, limit) => {
            usage::export(&state, store, filter, limit, format).await
        }
    }
}
