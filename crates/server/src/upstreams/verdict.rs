//! Verdicts: what a provider's answer says of the key that it was asked with.

use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::waits;

/// What an answer says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The provider did its work; whether the client likes the answer is another matter.
    Served,
    /// It failed.
    Failed,
    /// The key may not ask for the model, for this long if that was said.
    Limited(Option<SignedDuration>),
    /// The key is not accepted.
    KeyRejected,
    /// The key is not accepted for the model.
    ModelRejected,
}

/// An error as providers write it, as far as it is about the key. Gemini's OpenAI dialect puts it into a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    // First: an object is no list, and a list could be taken for the members of an object.
    Several(Vec<Body>),
    One(Body),
}

#[derive(Deserialize)]
struct Body {
    error: Said,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    #[serde(rename = "type")]
    kind: Value,
    code: Value,
    pub(super) details: Vec<Detail>,
}

/// One of Google's details.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    #[serde(rename = "@type")]
    pub(super) kind: String,
    reason: String,
    #[serde(rename = "retryDelay")]
    pub(super) retry_delay: String,
}

impl Said {
    /// Reads the body of an error; one that is written in another way says nothing.
    fn of(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Written::One(body)) => body.error,
            Ok(Written::Several(bodies)) => bodies.into_iter().next().map(|body| body.error).unwrap_or_default(),
            Err(_) => Self::default(),
        }
    }

    /// True when the account has no money left: waiting does not help.
    fn is_out_of_money(&self) -> bool {
        [&self.code, &self.kind].into_iter().any(|said| said == "insufficient_quota")
    }

    fn names_a_wrong_key(&self) -> bool {
        self.details.iter().any(|detail| detail.reason == "API_KEY_INVALID")
    }
}

impl Verdict {
    /// The verdict of a whole answer.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Self {
        if status.is_success() {
            return Self::Served;
        }
        let said = Said::of(body);
        match status {
            StatusCode::TOO_MANY_REQUESTS if said.is_out_of_money() => Self::KeyRejected,
            StatusCode::TOO_MANY_REQUESTS => Self::Limited(waits::told(headers, &said, now)),
            StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED => Self::KeyRejected,
            // It may be the model alone that the key has no right to.
            StatusCode::FORBIDDEN => Self::ModelRejected,
            StatusCode::BAD_REQUEST if said.names_a_wrong_key() => Self::KeyRejected,
            StatusCode::SERVICE_UNAVAILABLE if headers.contains_key(RETRY_AFTER) => {
                Self::Limited(waits::told(headers, &said, now))
            }
            _ if Self::is_failure(status) => Self::Failed,
            _ => Self::Served,
        }
    }

    /// True for a status by which a provider says that it failed, and not that it was asked for something that it does not have.
    fn is_failure(status: StatusCode) -> bool {
        let is_lacking = [StatusCode::NOT_IMPLEMENTED, StatusCode::HTTP_VERSION_NOT_SUPPORTED].contains(&status);
        status == StatusCode::REQUEST_TIMEOUT || (status.is_server_error() && !is_lacking)
    }
}

#[cfg(test)]
mod tests;
