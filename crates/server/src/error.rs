//! Failures: each becomes an answer in the one error envelope here, and is logged here, once.
//!
//! What the caller may read and what the log keeps are separate: causes never leave the process.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use jiff::{SignedDuration, Timestamp};
use keyward_core::error_body::{ErrorBody, ErrorDetail, ErrorExtra};
use keyward_core::error_code::ErrorCode;
use keyward_core::ids::VirtualKeyId;
use keyward_core::invalid::{Fault, Invalid};
use keyward_core::refusal::{LimitRefusal, Refusal};
use keyward_core::scope::ScopeKind;
use keyward_store::StoreError;

use crate::clock;
use crate::gateway::Voice;

/// The target of the log for refusals of the gateway.
pub(crate) const REFUSALS: &str = "keyward::refusals";

/// How long to wait for a server that cannot serve at the moment.
const BACK_SOON: SignedDuration = SignedDuration::from_secs(1);

/// Which of our two doors a request came through: `is_bifrost_error` tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The management API.
    Management,
    /// The gateway.
    Gateway,
}

/// A failure with everything its answer needs. It is one pointer wide: results that carry it stay small.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Failure>);

#[derive(Debug)]
struct Failure {
    code: ErrorCode,
    message: String,
    param: String,
    door: Door,
    refusal: Option<Box<LimitRefusal>>,
    retry_after: Option<SignedDuration>,
    allow: Option<String>,
    told: Vec<(HeaderName, HeaderValue)>,
    extra: ErrorExtra,
    /// Whose request it was; only the log tells.
    virtual_key: Option<VirtualKeyId>,
    /// What only the log may read.
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What handlers of the management API return.
pub(crate) type ApiResult<T> = Result<actix_web::web::Json<T>, ApiError>;

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            code,
            message: message.into(),
            param: String::new(),
            door: Door::Management,
            refusal: None,
            retry_after: None,
            allow: None,
            told: Vec::new(),
            extra: ErrorExtra::default(),
            virtual_key: None,
            cause: None,
        }))
    }

    /// Names the member or header at fault.
    pub(crate) fn at(mut self, param: impl fmt::Display) -> Self {
        self.0.param = param.to_string();
        self
    }

    /// Says which part of the request it is about.
    pub(crate) fn within(mut self, part: impl fmt::Display) -> Self {
        self.0.message = format!("{part}: {}", self.0.message);
        self
    }

    /// Says how long to wait before the next try.
    pub(crate) fn retry_after(mut self, wait: SignedDuration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Says which methods the path has.
    pub(crate) fn allowing(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// Says more in headers.
    pub(crate) fn telling(mut self, told: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        self.0.told.extend(told);
        self
    }

    /// Keeps what only the log may read.
    pub(crate) fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Marks the failure as one of the gateway, and says what the request was about.
    pub(crate) fn in_gateway(mut self, extra: ErrorExtra) -> Self {
        self.0.door = Door::Gateway;
        self.0.extra = extra;
        self
    }

    /// Says whose request it was.
    pub(crate) fn of_key(mut self, virtual_key: Option<VirtualKeyId>) -> Self {
        self.0.virtual_key = virtual_key;
        self
    }

    /// The kind of scope whose limit refused the request, if one did.
    pub(crate) fn limit_scope(&self) -> Option<ScopeKind> {
        self.0.refusal.as_ref().map(|refusal| refusal.scope.kind)
    }

    pub(crate) fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The envelope of this failure.
    pub(crate) fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            event_id: request_id.to_owned(),
            kind: self.0.code.to_string(),
            is_bifrost_error: self.0.door == Door::Gateway,
            status_code: self.0.code.status(),
            error: ErrorDetail {
                kind: self.0.code.kind().to_owned(),
                code: self.0.code.to_string(),
                message: self.0.message.clone(),
                param: self.0.param.clone(),
                event_id: request_id.to_owned(),
                details: self.0.refusal.as_deref().cloned(),
            },
            extra_fields: self.0.extra.clone(),
        }
    }

    /// The whole answer.
    pub(crate) fn answer(&self, request_id: &str, voice: Voice) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.0.code == ErrorCode::Unauthorized {
            // A scheme that no browser knows: one that asked its reader for a password would send it with every page's requests from then on.
            response.insert_header(("www-authenticate", "Keyward realm=\"keyward\""));
        }
        if let Some(methods) = &self.0.allow {
            response.insert_header((ALLOW, methods.as_str()));
        }
        let (should_retry, wait) = self.retry(clock::now());
        response.insert_header(("x-should-retry", if should_retry { "true" } else { "false" }));
        if let Some(milliseconds) = wait.map(milliseconds) {
            response.insert_header((RETRY_AFTER, milliseconds.div_ceil(1_000).to_string()));
            response.insert_header(("retry-after-ms", milliseconds.to_string()));
        }
        for told in &self.0.told {
            response.insert_header(told.clone());
        }
        voice.body(response, self.body(request_id))
    }

    /// How many seconds to wait before another try, if that is known.
    pub(crate) fn wait_seconds(&self) -> Option<u64> {
        let (_, wait) = self.retry(clock::now());
        wait.map(|wait| milliseconds(wait).div_ceil(1_000))
    }

    /// Whether the same request may succeed later with nothing changed, and if it is known, how long to wait.
    fn retry(&self, now: Timestamp) -> (bool, Option<SignedDuration>) {
        let wait = match &self.0.refusal {
            Some(refusal) => {
                let wait = refusal.wait(now);
                return (wait.is_some(), wait);
            }
            None if self.0.code.status() == StatusCode::SERVICE_UNAVAILABLE => {
                Some(self.0.retry_after.unwrap_or(BACK_SOON))
            }
            None => self.0.retry_after,
        };
        (self.0.code.is_retryable(), wait)
    }

    /// Writes the failure to the log: a fault of ours with its causes, a refusal without a word of the client's. The gateway's refusals
    /// are counted, and have a line only for who asks: they may be many, and nobody shall fill a disk with them.
    pub(crate) fn log(&self, request_id: &str) {
        let Failure { code, extra, virtual_key, door, .. } = self.0.as_ref();
        let key = virtual_key.as_ref().map(VirtualKeyId::as_str);
        let (status, operation, provider) = (code.status(), said(&extra.request_type), said(&extra.provider));
        if status < 500 || matches!(code, ErrorCode::ShuttingDown | ErrorCode::ProviderNotSupported) {
            match door {
                Door::Gateway => {
                    tracing::debug!(target: REFUSALS, request_id, %code, status, virtual_key_id = key, operation, provider, "refused");
                }
                Door::Management => tracing::info!(request_id, %code, status, operation, provider, "refused"),
            }
            return;
        }
        let what = format!("{}{}", self.0.message, self.causes());
        // The provider's failure is none of ours.
        if matches!(code, ErrorCode::UpstreamUnreachable | ErrorCode::UpstreamInvalid | ErrorCode::UpstreamTimeout) {
            tracing::warn!(request_id, %code, status, virtual_key_id = key, operation, provider, "{what}");
        } else {
            tracing::error!(request_id, %code, status, virtual_key_id = key, operation, provider, "{what}");
        }
    }

    /// Why it failed, as far as only the log may read it.
    fn causes(&self) -> String {
        let mut chain = String::new();
        let mut cause: Option<&(dyn std::error::Error + 'static)> = match &self.0.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        };
        while let Some(error) = cause {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            cause = error.source();
        }
        chain
    }
}

/// None where nothing is known.
fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What a wait comes to: rounded up, and never nothing.
fn milliseconds(wait: SignedDuration) -> u64 {
    u64::try_from(wait.as_nanos()).unwrap_or_default().div_ceil(1_000_000).max(1)
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let code = match invalid.fault {
            Fault::Value => ErrorCode::InvalidRequest,
            Fault::Unknown => ErrorCode::UnknownField,
        };
        Self::new(code, invalid.message).at(invalid.pointer)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let mut error = Self::new(refusal.code(), refusal.to_string());
        match refusal {
            Refusal::Limit(limit) => {
                error.0.refusal = Some(limit);
                error
            }
            Refusal::UnknownKey
            | Refusal::KeyInactive
            | Refusal::KeyExpired
            | Refusal::ProviderBlocked(_)
            | Refusal::ModelBlocked { .. }
            | Refusal::ToolBlocked(_)
            | Refusal::PriceUnknown { .. }
            | Refusal::BooksUnavailable => error,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(noun) => Self::new(ErrorCode::NotFound, format!("{} not found", noun.words())),
            StoreError::Duplicate(noun) => {
                let message = format!("{} with this name already exists", noun.one());
                Self::new(ErrorCode::AlreadyExists, message).at("/name")
            }
            StoreError::Taken(invalid) => Self::new(ErrorCode::AlreadyExists, invalid.message).at(invalid.pointer),
            StoreError::Stale => {
                let message = "It has another version than the one in If-Match: read it again";
                Self::new(ErrorCode::PreconditionFailed, message).at("if-match")
            }
            StoreError::Denied(invalid) => Self::new(ErrorCode::PermissionDenied, invalid.message).at(invalid.pointer),
            StoreError::Invalid(invalid) => invalid.into(),
            StoreError::Declared(faults) => match faults.into_iter().next() {
                Some(invalid) => invalid.into(),
                None => Self::new(ErrorCode::Internal, "The configuration file cannot be applied"),
            },
            unavailable @ StoreError::Unavailable(_) => {
                Self::new(ErrorCode::GovernanceUnavailable, "The database cannot be reached").because(unavailable)
            }
            fault @ (StoreError::NoDatabase { .. }
            | StoreError::SchemaNewer { .. }
            | StoreError::SchemaDamaged { .. }
            | StoreError::WrongRootKey
            | StoreError::RootKeyMissing
            | StoreError::RootKeyLost { .. }
            | StoreError::RootKeyMalformed
            | StoreError::Locked { .. }
            | StoreError::Address(_)
            | StoreError::File { .. }
            | StoreError::Internal(_)) => {
                Self::new(ErrorCode::Internal, "The request failed for a reason of the server's own").because(fault)
            }
        }
    }
}

#[cfg(test)]
mod tests;
