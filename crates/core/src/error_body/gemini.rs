//! The envelope as Google's clients read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ErrorBody;
use crate::refusal::LimitRefusal;

/// The body of an error answer on Gemini's paths; also the last piece of a stream that broke off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GeminiError {
    /// What went wrong.
    pub error: GeminiErrorDetail,
}

/// What went wrong, in Google's words and in ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GeminiErrorDetail {
    /// The HTTP status of the answer.
    pub code: u16,
    /// The reason in words.
    pub message: String,
    /// The class of error as Google's clients know it, such as `RESOURCE_EXHAUSTED`.
    pub status: String,
    /// What more there is to say.
    pub details: Vec<GeminiErrorInfo>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GeminiErrorInfo {
    /// `type.googleapis.com/google.rpc.ErrorInfo`.
    #[serde(rename = "@type")]
    pub kind: String,
    /// The machine-readable reason; one of the documented codes.
    pub reason: String,
    /// Always `keyward`.
    pub domain: String,
    /// `event_id`, `param`, `provider`, `model_requested` and `request_type`, as far as they are known.
    pub metadata: BTreeMap<String, String>,
    /// The limit that refused the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refusal: Option<LimitRefusal>,
}

impl From<ErrorBody> for GeminiError {
    fn from(body: ErrorBody) -> Self {
        let ErrorBody { event_id, status_code, error, extra_fields, .. } = body;
        let known = [
            ("event_id", event_id),
            ("param", error.param),
            ("provider", extra_fields.provider),
            ("model_requested", extra_fields.model_requested),
            ("request_type", extra_fields.request_type),
        ];
        let known = known.into_iter().filter(|(_, text)| !text.is_empty());
        let info = GeminiErrorInfo {
            kind: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            reason: error.code,
            domain: "keyward".to_owned(),
            metadata: known.map(|(name, text)| (name.to_owned(), text)).collect(),
            refusal: error.details,
        };
        Self {
            error: GeminiErrorDetail {
                code: status_code,
                message: error.message,
                status: status(status_code).to_owned(),
                details: vec![info],
            },
        }
    }
}

/// Google's class of errors with a status.
const fn status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}
