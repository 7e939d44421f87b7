//! The one error type of the client. Nothing in it, shown or debugged, has a credential in it.

use std::time::Duration;

use keyward_core::refusal::LimitRefusal;

mod api;

pub use api::{ApiError, ErrorSource};

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request did not reach the server, or its answer did not come back.
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    /// The answer, or the next piece of a stream, did not come in time.
    #[error("no answer within {after:?}")]
    Timeout {
        /// The configured timeout.
        after: Duration,
    },
    /// The server, or the provider behind it, answered with an error.
    #[error("{0}")]
    Api(Box<ApiError>),
    /// The server reported success with a body that is not what its documents promise.
    #[error("the answer with status {status} cannot be read at `{path}`: {reason}")]
    Decode {
        /// The HTTP status of the answer.
        status: u16,
        /// Where in the body, such as `virtual_keys[2].created_at`; `.` is the body itself.
        path: String,
        /// What is wrong there. Values of the body are not repeated: some are secrets.
        reason: String,
    },
    /// Anything else: an error answer in an unknown shape, a stream that broke off, wrong use.
    #[error("{message}")]
    Unexpected {
        /// What happened.
        message: String,
        /// The HTTP status of the answer, when there was one.
        status: Option<u16>,
        /// The request id, when the answer named it.
        request_id: Option<String>,
    },
}

impl Error {
    pub(crate) fn unexpected(message: impl Into<String>) -> Self {
        Self::Unexpected { message: message.into(), status: None, request_id: None }
    }

    /// The machine-readable reason of an error answer, as it was sent; see [`ApiError::code`] for the known ones.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.api().map(|error| error.raw_code.as_str()).filter(|code| !code.is_empty())
    }

    /// The HTTP status of the answer, when there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Transport(error) => error.status().map(|status| status.as_u16()),
            Self::Timeout { .. } => None,
            Self::Api(error) => Some(error.status),
            Self::Decode { status, .. } => Some(*status),
            Self::Unexpected { status, .. } => *status,
        }
    }

    /// True when the same request may succeed later with nothing changed.
    ///
    /// The server's own word, `x-should-retry`, comes first. A request that was not answered in time may still have
    /// been carried out: a repeated creation then answers `already_exists`, a repeated completion costs again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport(error) => error.is_connect() || error.is_timeout(),
            Self::Timeout { .. } => true,
            Self::Api(error) => error.is_retryable(),
            Self::Decode { .. } => false,
            // Such as a load balancer in front of the server, with a page of its own.
            Self::Unexpected { status, .. } => matches!(status, Some(429 | 502..=504)),
        }
    }

    /// How long the server asks to wait before the next attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(|error| error.retry_after)
    }

    /// The limit that refused the request.
    #[must_use]
    pub fn refusal(&self) -> Option<&LimitRefusal> {
        self.api().and_then(|error| error.refusal.as_ref())
    }

    /// The request id, as the server's log has it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(error) => error.request_id.as_deref(),
            Self::Unexpected { request_id, .. } => request_id.as_deref(),
            Self::Transport(_) | Self::Timeout { .. } | Self::Decode { .. } => None,
        }
    }

    fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::Transport(_) | Self::Timeout { .. } | Self::Decode { .. } | Self::Unexpected { .. } => None,
        }
    }
}
