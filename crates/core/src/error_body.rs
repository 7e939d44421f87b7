//! The error envelope: one shape for every error answer, always complete.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::refusal::LimitRefusal;

mod anthropic;
mod gemini;

pub use anthropic::{AnthropicError, AnthropicErrorDetail};
pub use gemini::{GeminiError, GeminiErrorDetail, GeminiErrorInfo};

/// The body of every error answer of Keyward itself. A provider's own errors pass through unchanged instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// The request id, also in the `x-request-id` header and in the log.
    pub event_id: String,
    /// The machine-readable reason; equal to `error.code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// True for errors of the gateway, false for errors of the management API.
    pub is_bifrost_error: bool,
    /// The HTTP status of the answer.
    pub status_code: u16,
    /// What went wrong.
    pub error: ErrorDetail,
    /// What the request was about, as far as it is known.
    pub extra_fields: ErrorExtra,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// The class of error as OpenAI's clients know it, such as `invalid_request_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The machine-readable reason; one of the documented codes.
    pub code: String,
    /// The reason in words.
    pub message: String,
    /// A JSON pointer to the member at fault, or the header's name; empty when there is none.
    pub param: String,
    /// The request id once more.
    pub event_id: String,
    /// The limit that refused the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<LimitRefusal>,
}

/// What a failed request was about; members are empty when they are not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ErrorExtra {
    /// The provider the request was for.
    pub provider: String,
    /// The model as the client named it.
    pub model_requested: String,
    /// The kind of request, such as `chat_completion`.
    pub request_type: String,
}
