//! Explanations: what would become of a request if a virtual key sent it now.

use actix_web::{post, web};
use keyward_core::error_body::ErrorBody;
use keyward_core::explanation::{ExplainRequest, Explanation};
use keyward_store::Reveal;
use utoipa::IntoResponses;

use super::{CommonErrors, PathErrors};
use crate::auth::{Authed, VirtualKeysRead};
use crate::body::Body;
use crate::error::ApiResult;
use crate::gateway;
use crate::request_id::RequestIdentity;
use crate::state::State;

#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents answers")]
enum LengthErrors {
    /// The body is larger than the limit of the management API.
    #[response(status = 413)]
    TooLarge(ErrorBody),
}

/// Tells what would become of a request. Whether it would be admitted and on which terms, else the refusal, and every limit that
/// covers it. It goes the gateway's own way up to where something would be held, and changes nothing. Routing rules see no headers
/// and no parameters of it.
#[utoipa::path(
    operation_id = "request_explain",
    tag = "virtual keys",
    security((), ("admin" = [])),
    request_body = ExplainRequest,
    responses((status = 200, description = "What would become of it.", body = Explanation), PathErrors, LengthErrors, CommonErrors),
)]
#[post("/api/governance/explain")]
pub(super) async fn request_explain(
    caller: Authed<VirtualKeysRead>,
    state: web::Data<State>,
    identity: RequestIdentity,
    body: Body<ExplainRequest>,
) -> ApiResult<Explanation> {
    // Whose key it is decides who may ask.
    caller.store(&state).virtual_key_get(body.request.virtual_key_id.clone(), Reveal::Redacted).await?;
    Ok(web::Json(gateway::explain(&state, &body.request, identity.id().clone())))
}
