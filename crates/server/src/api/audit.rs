//! The audit log.

use actix_web::{get, web};
use keyward_core::audit::{AuditList, AuditQuery, AuditVerification};

use super::{CommonErrors, InputErrors};
use crate::auth::{AuditRead, Authed};
use crate::error::ApiResult;
use crate::params::Query;
use crate::state::State;

/// Lists changes, newest first: who made them, when, and from where. Each entry has what was configured before and after, without
/// secrets and without usage. `next` of a page is `before` of the one that follows.
#[utoipa::path(
    operation_id = "audit_list",
    tag = "audit",
    security((), ("admin" = [])),
    params(AuditQuery),
    responses((status = 200, description = "The entries.", body = AuditList), InputErrors, CommonErrors),
)]
#[get("/api/audit")]
pub(super) async fn audit_list(
    _: Authed<AuditRead>,
    state: web::Data<State>,
    query: Query<AuditQuery>,
) -> ApiResult<AuditList> {
    let filter = query.0.check()?;
    Ok(web::Json(state.store.audit_list(filter).await?))
}

/// Follows the log's chain from its first entry to its last. Takes time in proportion to the log.
#[utoipa::path(
    operation_id = "audit_verify",
    tag = "audit",
    security((), ("admin" = [])),
    responses((status = 200, description = "What the chain looks like.", body = AuditVerification), CommonErrors),
)]
#[get("/api/audit/verify")]
pub(super) async fn audit_verify(_: Authed<AuditRead>, state: web::Data<State>) -> ApiResult<AuditVerification> {
    Ok(web::Json(state.store.audit_verify().await?))
}
