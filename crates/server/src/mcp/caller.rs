//! Who sent a message, as it travels through rmcp beside the message.

use http::request::Parts;
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::RequestId;
use keyward_core::mcp_tools::Narrowing;
use keyward_core::secret::KeyHash;
use rmcp::RoleServer;
use rmcp::service::RequestContext;

use crate::error::ApiError;

/// Who sent a message, and what it leaves of what that may use.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) hash: KeyHash,
    pub(super) request_id: RequestId,
    pub(super) narrowing: Narrowing,
}

impl Caller {
    /// The one who sent the message that is being handled.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Option<&Self> {
        context.extensions.get::<Parts>()?.extensions.get()
    }
}

/// A message that cannot be handed on.
pub(super) fn unreadable(error: http::Error) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, "The message cannot be read").because(error)
}
