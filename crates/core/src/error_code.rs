//! Every error Keyward answers with: one row gives code, HTTP status, kind, whether a retry can help, and a title.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $kind:literal, retry $retry:literal;)+) => {
        /// A machine-readable reason, stable across versions. It is `type` and `error.code` of an error answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status of an answer with this code.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The class of error as OpenAI's clients know it: `error.type`.
            #[must_use]
            pub const fn kind(self) -> &'static str {
                match self { $(Self::$name => $kind,)+ }
            }

            /// True when the same request may succeed later with nothing changed.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$name => $retry,)+ }
            }
        }
    };
}

error_codes! {
    /// The body is not JSON.
    InvalidJson = "invalid_json", 400, "invalid_request_error", retry false;
    /// A member has the wrong type or a value that is not allowed.
    InvalidRequest = "invalid_request", 400, "invalid_request_error", retry false;
    /// A member is not known; it would otherwise be lost silently.
    UnknownField = "unknown_field", 400, "invalid_request_error", retry false;
    /// Several credentials were sent and they differ.
    ConflictingCredentials = "conflicting_credentials", 400, "invalid_request_error", retry false;
    /// The credential is missing or wrong.
    Unauthorized = "unauthorized", 401, "authentication_error", retry false;
    /// No virtual key was sent.
    VirtualKeyRequired = "virtual_key_required", 401, "invalid_request_error", retry false;
    /// The virtual key is not known.
    InvalidVirtualKey = "invalid_api_key", 401, "invalid_request_error", retry false;
    /// Used and held money would exceed a budget.
    BudgetExceeded = "budget_exceeded", 402, "insufficient_quota", retry false;
    /// The request came from a web page of another origin; or, while no admin credential is configured, through a proxy.
    ForbiddenOrigin = "forbidden_origin", 403, "permission_error", retry false;
    /// The configuration hides the secret.
    SecretHidden = "secret_hidden", 403, "permission_error", retry false;
    /// The management key may not do this; or the credential was revoked or changed before the change was made.
    PermissionDenied = "permission_denied", 403, "permission_error", retry false;
    /// There is no login, because managing needs no credential.
    AuthenticationDisabled = "authentication_disabled", 403, "permission_error", retry false;
    /// A management key was sent where a virtual key belongs.
    ManagementKeyRefused = "management_key_refused", 403, "permission_error", retry false;
    /// The virtual key is switched off.
    VirtualKeyBlocked = "virtual_key_blocked", 403, "permission_error", retry false;
    /// The virtual key has expired.
    VirtualKeyExpired = "virtual_key_expired", 403, "permission_error", retry false;
    /// The virtual key may not use this provider.
    ProviderBlocked = "provider_blocked", 403, "permission_error", retry false;
    /// The virtual key may not use this model.
    ModelBlocked = "model_blocked", 403, "permission_error", retry false;
    /// The virtual key may not use this tool of an MCP client.
    McpToolBlocked = "mcp_tool_blocked", 403, "permission_error", retry false;
    /// A budget covers the request and the model's price is not known.
    ModelPriceUnknown = "model_price_unknown", 403, "permission_error", retry false;
    /// There is no such thing.
    NotFound = "not_found", 404, "invalid_request_error", retry false;
    /// The provider is not configured.
    ProviderNotFound = "provider_not_found", 404, "invalid_request_error", retry false;
    /// The path has other methods; the header `Allow` names them.
    MethodNotAllowed = "method_not_allowed", 405, "invalid_request_error", retry false;
    /// Something with this name exists already.
    AlreadyExists = "already_exists", 409, "invalid_request_error", retry false;
    /// `If-Match` names another version: somebody else has changed the resource since it was read.
    PreconditionFailed = "precondition_failed", 412, "invalid_request_error", retry false;
    /// The body is larger than the configured limit.
    PayloadTooLarge = "payload_too_large", 413, "invalid_request_error", retry false;
    /// As many requests as the virtual key may have at the same time are running.
    ConcurrencyLimited = "concurrency_limited", 429, "rate_limit_exceeded", retry true;
    /// A request limit is used up.
    RequestLimited = "request_limited", 429, "rate_limit_exceeded", retry true;
    /// Every provider key that could serve is limited by its provider; `Retry-After` says until when.
    ProviderKeyLimited = "provider_key_limited", 429, "rate_limit_exceeded", retry true;
    /// Too many wrong passwords came from this address or for this user name.
    LoginThrottled = "login_throttled", 429, "rate_limit_exceeded", retry true;
    /// A token limit is used up.
    TokenLimited = "token_limited", 429, "rate_limit_exceeded", retry true;
    /// A fault of the server; the log has its cause under the request id.
    Internal = "internal_error", 500, "server_error", retry false;
    /// Routing rules that are evaluated one after the other go round in a circle.
    RoutingLoop = "routing_loop", 500, "server_error", retry false;
    /// The provider is one that Keyward cannot call yet.
    ProviderNotSupported = "provider_not_supported", 501, "invalid_request_error", retry false;
    /// The provider cannot be reached or closed the connection.
    UpstreamUnreachable = "upstream_unreachable", 502, "upstream_error", retry true;
    /// The provider's answer is not what its dialect promises.
    UpstreamInvalid = "upstream_invalid", 502, "upstream_error", retry true;
    /// No provider key that the virtual key may use is able to serve the model, or each of them failed too often of late.
    ProviderKeyUnavailable = "provider_key_unavailable", 503, "server_error", retry true;
    /// The books cannot be kept at the moment, or an edit is not in force yet, so nothing is admitted.
    GovernanceUnavailable = "governance_unavailable", 503, "server_error", retry true;
    /// The server is draining before it stops.
    ShuttingDown = "shutting_down", 503, "server_error", retry true;
    /// The provider did not answer in time.
    UpstreamTimeout = "upstream_timeout", 504, "upstream_error", retry true;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_their_wire_form_is_the_table() {
        for (index, code) in ErrorCode::ALL.iter().enumerate() {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
            assert!(ErrorCode::ALL[..index].iter().all(|other| other.as_str() != code.as_str()));
        }
    }
}
