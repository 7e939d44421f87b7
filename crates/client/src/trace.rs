//! Spans: one for each call, with the feature `tracing`; without it, nothing at all.
//!
//! A span has no credential, no body and no query: the operation, method and path, status, request id, and how many retries.

use std::time::Duration;

use reqwest::Response;

use crate::call::Call;
use crate::error::Error;

/// Watches one call.
pub(crate) struct Watch {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl Watch {
    pub(crate) fn of(call: &Call) -> Self {
        let span = tracing::info_span!(
            "keyward",
            operation = call.operation,
            http.request.method = call.request.method().as_str(),
            url.path = call.request.url().path(),
            http.response.status_code = tracing::field::Empty,
            keyward.request_id = tracing::field::Empty,
        );
        Self { span }
    }

    /// Runs something inside the span.
    pub(crate) async fn during<F: Future>(&self, work: F) -> F::Output {
        tracing::Instrument::instrument(work, self.span.clone()).await
    }

    /// Notes an answer's status and request id; those of the last attempt stay.
    pub(crate) fn answered(&self, response: &Response) {
        self.span.record("http.response.status_code", response.status().as_u16());
        if let Some(id) = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()) {
            self.span.record("keyward.request_id", id);
        }
    }

    /// Notes that the call failed and is made again.
    pub(crate) fn again(&self, wait: Duration, error: &Error) {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(parent: &self.span, wait_ms = wait, %error, "the call is made again");
    }
}

#[cfg(not(feature = "tracing"))]
impl Watch {
    pub(crate) const fn of(_call: &Call) -> Self {
        Self {}
    }

    pub(crate) async fn during<F: Future>(&self, work: F) -> F::Output {
        work.await
    }

    pub(crate) const fn answered(&self, _response: &Response) {}

    pub(crate) const fn again(&self, _wait: Duration, _error: &Error) {}
}
