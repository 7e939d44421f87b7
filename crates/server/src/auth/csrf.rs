//! The token of a page: a change under the cookie of a session that the dashboard opened must come from a page that was made for that
//! session. It stands besides the proof of origin, which every change under a cookie needs.

use actix_web::http::header::{HeaderMap, HeaderName};
use keyward_core::error_code::ErrorCode;
use keyward_core::session::Session;
use subtle::ConstantTimeEq as _;

use crate::access::Access;
use crate::error::ApiError;

/// The header that carries it.
const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// Makes sure that a change comes from a page of the session's own, if the dashboard opened it.
pub(super) fn from_page(access: &Access, session: &Session, headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers.get(CSRF_TOKEN).map(|value| value.as_bytes()).unwrap_or_default();
    match !session.from_dashboard || is_of(access, session, given) {
        true => Ok(()),
        false => Err(not_from_page().at(CSRF_TOKEN)),
    }
}

/// Whether this is the token of the session's pages.
pub(crate) fn is_of(access: &Access, session: &Session, given: &[u8]) -> bool {
    access.page_token(&session.id).as_bytes().ct_eq(given).into()
}

/// The refusal of a change that comes from no page of its session.
pub(crate) fn not_from_page() -> ApiError {
    let message = "A change under a session of the dashboard must carry the token of one of its pages";
    ApiError::new(ErrorCode::ForbiddenOrigin, message)
}
