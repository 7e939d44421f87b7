//! Error answers: read from Keyward's envelope, or as far as can be from a provider's own body.

use std::fmt;
use std::time::Duration;

use keyward_core::error_code::ErrorCode;
use keyward_core::refusal::LimitRefusal;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::Head;

/// Whose error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorSource {
    /// Keyward's own.
    Keyward,
    /// The provider's, passed through.
    Provider,
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status; for an error inside a stream, the one that the error names, or else that of the stream.
    pub status: u16,
    /// The reason, when it is one of Keyward's that this version knows.
    pub code: Option<ErrorCode>,
    /// The reason as it was sent; empty when there was none.
    pub raw_code: String,
    /// The reason in words.
    pub message: String,
    /// A JSON pointer to the member at fault, or the header's name.
    pub param: Option<String>,
    /// The request id, as the server's log has it.
    pub request_id: Option<String>,
    /// How long to wait before the next attempt: `retry-after-ms`, or `retry-after` in seconds.
    pub retry_after: Option<Duration>,
    /// The server's own word on a retry: `x-should-retry`.
    pub should_retry: Option<bool>,
    /// How many attempts at a provider the gateway had admitted by then, where it says so.
    pub attempts: Option<u32>,
    /// The limit that refused the request.
    pub refusal: Option<LimitRefusal>,
    /// Whose error it is.
    pub source: ErrorSource,
}

/// The members of the envelope that are used here. Less strict than the whole, so that a newer server is understood.
#[derive(Deserialize)]
struct Envelope {
    event_id: String,
    #[serde(default)]
    status_code: Option<u16>,
    error: EnvelopeDetail,
}

#[derive(Deserialize)]
struct EnvelopeDetail {
    code: String,
    message: String,
    #[serde(default)]
    param: String,
    #[serde(default)]
    details: Option<Box<RawValue>>,
}

impl ApiError {
    /// Reads an error answer; none when it is Keyward's to explain and has no envelope.
    pub(crate) fn from_answer(head: &Head, body: &[u8]) -> Option<Self> {
        match head.source {
            ErrorSource::Provider => Some(Self::of_provider(head, serde_json::from_slice(body).ok().as_ref())),
            ErrorSource::Keyward => serde_json::from_slice(body).ok().map(|envelope| Self::of_keyward(head, envelope)),
        }
    }

    /// Reads an error that came as an event of a stream; none when it is not JSON that reports one.
    pub(crate) fn from_event(head: &Head, data: &[u8]) -> Option<Self> {
        if let Some(envelope) = Envelope::of_event(data) {
            let status = envelope.status_code.unwrap_or(head.status);
            return Some(Self { status, ..Self::of_keyward(head, envelope) });
        }
        let body: Value = serde_json::from_slice(data).ok()?;
        let has_error = body.get("error").is_some_and(|error| !error.is_null());
        (has_error || is_error_event(&body)).then(|| Self::of_provider(head, Some(&body)))
    }

    fn of_keyward(head: &Head, Envelope { event_id, status_code: _, error }: Envelope) -> Self {
        Self {
            code: ErrorCode::ALL.iter().copied().find(|code| code.as_str() == error.code),
            raw_code: error.code,
            message: error.message,
            param: some_text(error.param),
            request_id: head.request_id.clone().or_else(|| some_text(event_id)),
            refusal: error.details.and_then(|details| serde_json::from_str(details.get()).ok()),
            ..Self::blank(head, ErrorSource::Keyward)
        }
    }

    /// Providers agree on `error.message` at most; some send a bare text, some put the object into a list.
    fn of_provider(head: &Head, body: Option<&Value>) -> Self {
        let body = body.map(|body| body.get(0).unwrap_or(body));
        let itself = body.filter(|body| is_error_event(body));
        let error = body.and_then(|body| body.get("error")).or(itself);
        let member = |name: &str| error.and_then(|error| error.get(name)).and_then(scalar);
        let message = member("message").or_else(|| error.and_then(scalar));
        Self {
            raw_code: member("code").or_else(|| member("type")).unwrap_or_default(),
            message: message.unwrap_or_else(|| format!("the provider answered with status {}", head.status)),
            param: member("param"),
            ..Self::blank(head, ErrorSource::Provider)
        }
    }

    fn blank(head: &Head, source: ErrorSource) -> Self {
        Self {
            status: head.status,
            code: None,
            raw_code: String::new(),
            message: String::new(),
            param: None,
            request_id: head.request_id.clone(),
            retry_after: head.retry_after,
            should_retry: head.should_retry,
            attempts: head.attempts,
            refusal: None,
            source,
        }
    }

    pub(super) fn is_retryable(&self) -> bool {
        let by_status = || matches!(self.status, 408 | 429 | 502..=504 | 529);
        self.should_retry.unwrap_or_else(|| match (self.code, self.source) {
            (Some(code), _) => code.is_retryable(),
            (None, ErrorSource::Keyward) => by_status(),
            (None, ErrorSource::Provider) => by_status() || self.status == 500,
        })
    }
}

impl Envelope {
    /// The envelope of an event: the event itself, or what it has as its error, beside what its dialect wants.
    fn of_event(data: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Around {
            error: Envelope,
        }
        let inside = || serde_json::from_slice(data).ok().map(|Around { error }| error);
        serde_json::from_slice(data).ok().or_else(inside)
    }
}

/// Whether it is an error as the stream of a response reports one: not as a member, but as a whole.
fn is_error_event(body: &Value) -> bool {
    body.get("type").is_some_and(|kind| kind == "error")
}

fn some_text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => some_text(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let whose = match self.source {
            ErrorSource::Keyward => "",
            ErrorSource::Provider => "provider error, ",
        };
        let code = if self.raw_code.is_empty() { "" } else { ", " };
        write!(f, " ({whose}{}{code}{})", self.status, self.raw_code)?;
        match &self.request_id {
            Some(id) => write!(f, " [request {id}]"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
