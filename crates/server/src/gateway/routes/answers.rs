//! What the gateway's routes answer with, for their documentation.

#![expect(dead_code, reason = "documents answers")]

use keyward_core::error_body::{AnthropicError, ErrorBody, GeminiError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoResponses, ToSchema};

/// An object of the provider's dialect, which passes through.
#[derive(Serialize, ToSchema)]
pub(super) struct Passed {
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// What every route that passes requests on may answer with.
macro_rules! errors {
    ($(#[$doc:meta])* $name:ident, $body:ident $(, $(#[$extra_doc:meta])* $extra:ident = $extra_status:literal)*) => {
        $(#[$doc])*
        #[derive(IntoResponses)]
        pub(super) enum $name {
            /// The request cannot be understood, or credentials differ; `param` says where.
            #[response(status = 400)]
            Invalid($body),
            /// The virtual key is missing or not known.
            #[response(status = 401)]
            Unauthorized($body),
            /// A budget has no room; `details` names it. Retrying does not help before `resets_at`.
            #[response(status = 402)]
            BudgetExceeded($body),
            /// The virtual key is inactive or expired, or may not use the provider or the model.
            #[response(status = 403)]
            Forbidden($body),
            /// The provider or the model is not there.
            #[response(status = 404)]
            NotFound($body),
            $($(#[$extra_doc])* #[response(status = $extra_status)] $extra($body),)*
            /// The body is larger than the limit.
            #[response(status = 413)]
            TooLarge($body),
            /// A rate limit has no room; `details` names it, `Retry-After` says when to try again.
            #[response(status = 429)]
            Limited($body),
            /// A fault of the server.
            #[response(status = 500)]
            Internal($body),
            /// The provider is one that Keyward cannot call yet.
            #[response(status = 501)]
            NotSupported($body),
            /// The provider cannot be reached, or its answer broke off.
            #[response(status = 502)]
            BadGateway($body),
            /// Usage cannot be recorded, no provider key can serve, or the server is about to stop.
            #[response(status = 503)]
            Unavailable($body),
            /// The provider did not answer in time.
            #[response(status = 504)]
            Timeout($body),
            /// The provider's own redirect, which is not followed.
            #[response(status = "3XX")]
            Redirect,
            /// The provider's own error, with `x-keyward-error-source: provider`.
            #[response(status = "4XX")]
            ProvidersRefusal,
            /// The provider's own error, with `x-keyward-error-source: provider`.
            #[response(status = "5XX")]
            ProvidersFailure,
        }
    };
}

errors! {
    /// Errors in our own envelope, which OpenAI's clients understand.
    GatewayErrors, ErrorBody
}
errors! {
    /// The same, where an object may not be changed yet.
    ObjectErrors, ErrorBody,
    /// The file has the usage of a batch that is not charged yet.
    NotChargedYet = 409
}
errors! {
    /// Errors as Anthropic's clients read them.
    AnthropicErrors, AnthropicError
}
errors! {
    /// Errors as Google's clients read them.
    GeminiErrors, GeminiError
}
