//! Answers: what the head says about an answer, and its body, read up to a cap.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::decode::decode;
use crate::error::{ApiError, Error, ErrorSource};

/// The largest body that is read of an answer that is not a stream.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// What the head of an answer says, as far as the client goes by it.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) should_retry: Option<bool>,
    pub(crate) attempts: Option<u32>,
    pub(crate) source: ErrorSource,
}

impl Head {
    pub(crate) fn of(response: &Response) -> Self {
        Self::new(response.status().as_u16(), response.headers())
    }

    pub(crate) fn new(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let number = |name: &str| text(name).and_then(|text| text.trim().parse().ok());
        let milliseconds = number("retry-after-ms").map(Duration::from_millis);
        Self {
            status,
            content_type: text(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase(),
            request_id: text("x-request-id").map(str::to_owned),
            retry_after: milliseconds.or_else(|| number(RETRY_AFTER.as_str()).map(Duration::from_secs)),
            should_retry: text("x-should-retry").and_then(|text| text.parse().ok()),
            attempts: text("x-keyward-attempts").and_then(|text| text.parse().ok()),
            source: match text("x-keyward-error-source") {
                Some("provider") => ErrorSource::Provider,
                Some(_) | None => ErrorSource::Keyward,
            },
        }
    }

    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    pub(crate) fn is_event_stream(&self) -> bool {
        self.content_type.starts_with("text/event-stream")
    }

    /// Something that the documents do not foresee.
    pub(crate) fn unexpected(&self, message: impl Into<String>) -> Error {
        Error::Unexpected { message: message.into(), status: Some(self.status), request_id: self.request_id.clone() }
    }
}

/// An answer with its whole body.
pub(crate) struct Answer {
    head: Head,
    body: Vec<u8>,
}

impl Answer {
    /// Reads the body.
    pub(crate) async fn read(mut response: Response) -> Result<Self, Error> {
        let head = Head::of(&response);
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await? {
            if body.len() + bytes.len() > MAX_BODY {
                return Err(head.unexpected(format!("the answer is larger than {MAX_BODY} bytes")));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(Self { head, body })
    }

    /// What a successful answer has in its body.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self.head.is_success() {
            true => decode(self.head.status, &self.body),
            false => Err(self.error()),
        }
    }

    /// What a successful answer says as text.
    pub(crate) fn text(self) -> Result<String, Error> {
        match self.head.is_success() {
            true => String::from_utf8(self.body).map_err(|_| self.head.unexpected("the answer is no text")),
            false => Err(self.error()),
        }
    }

    /// The error that an unsuccessful answer is.
    pub(crate) fn error(&self) -> Error {
        match ApiError::from_answer(&self.head, &self.body) {
            Some(error) => Error::Api(Box::new(error)),
            None => {
                let Head { status, content_type, .. } = &self.head;
                self.head.unexpected(format!("the server answered {status} without an error body ({content_type})"))
            }
        }
    }
}
