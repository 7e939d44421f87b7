//! The envelope as Anthropic's clients read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ErrorBody, ErrorExtra};
use crate::refusal::LimitRefusal;

/// The body of an error answer on Anthropic's paths; also the data of a stream's `error` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnthropicError {
    /// Always `error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What went wrong.
    pub error: AnthropicErrorDetail,
    /// The request id, also in the `x-request-id` header and in the log.
    pub request_id: String,
}

/// What went wrong, in Anthropic's words and in ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnthropicErrorDetail {
    /// The class of error as Anthropic's clients know it, such as `rate_limit_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The reason in words.
    pub message: String,
    /// The machine-readable reason; one of the documented codes.
    pub code: String,
    /// A JSON pointer to the member at fault, or the header's name; empty when there is none.
    pub param: String,
    /// The limit that refused the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<LimitRefusal>,
    /// What the request was about, as far as it is known.
    pub extra_fields: ErrorExtra,
}

impl From<ErrorBody> for AnthropicError {
    fn from(body: ErrorBody) -> Self {
        let ErrorBody { event_id, status_code, error, extra_fields, .. } = body;
        Self {
            kind: "error".to_owned(),
            error: AnthropicErrorDetail {
                kind: kind(status_code).to_owned(),
                message: error.message,
                code: error.code,
                param: error.param,
                details: error.details,
                extra_fields,
            },
            request_id: event_id,
        }
    }
}

/// Anthropic's class of errors with a status.
const fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 | 405 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
