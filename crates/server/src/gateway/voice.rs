//! The voice of an answer: errors are told as the clients of the path expect them.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use keyward_core::error_body::{AnthropicError, ErrorBody, GeminiError};
use keyward_core::operation::{Dialect, Operation};
use serde::Serialize;

/// How errors are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Our own envelope, which OpenAI's clients understand.
    Own,
    /// Anthropic's.
    Anthropic,
    /// Google's.
    Gemini,
}

/// What Anthropic's clients send with every request.
const ANTHROPIC_VERSION: &str = "anthropic-version";

impl Voice {
    /// The voice of a path. One path is of two dialects; there a header tells which is meant.
    pub(crate) fn of(path: &str, headers: &HeaderMap) -> Self {
        let below =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if below("/anthropic")
            || below("/v1/messages")
            || (below("/v1/models") && headers.contains_key(ANTHROPIC_VERSION))
        {
            Self::Anthropic
        } else if below("/genai") || below("/v1beta") || (below("/v1/models") && path.contains(':')) {
            Self::Gemini
        } else {
            Self::Own
        }
    }

    /// An error as one body.
    pub(crate) fn body(self, mut answer: HttpResponseBuilder, error: ErrorBody) -> HttpResponse {
        match self {
            Self::Own => answer.json(error),
            Self::Anthropic => answer.json(AnthropicError::from(error)),
            Self::Gemini => answer.json(GeminiError::from(error)),
        }
    }
}

/// The last piece of a stream of events that broke off, so that a cut never looks like an end.
pub(super) fn last_event(operation: Operation, error: ErrorBody) -> Option<Bytes> {
    match operation.dialect() {
        Dialect::OpenAi if operation == Operation::Responses => event("error", &ResponsesError::from(error)),
        Dialect::OpenAi => data(&error),
        Dialect::Anthropic => event("error", &AnthropicError::from(error)),
        Dialect::Gemini => data(&GeminiError::from(error)),
    }
}

/// The last element of an array that broke off, and the array's end. `is_first`: nothing was sent of the array yet.
pub(super) fn last_element(is_first: bool, error: ErrorBody) -> Option<Bytes> {
    let json = serde_json::to_string(&GeminiError::from(error)).ok()?;
    let before = if is_first { "[" } else { "," };
    Some(Bytes::from(format!("{before}{json}]")))
}

fn event(name: &str, body: &impl Serialize) -> Option<Bytes> {
    let json = serde_json::to_string(body).ok()?;
    Some(Bytes::from(format!("event: {name}\ndata: {json}\n\n")))
}

fn data(body: &impl Serialize) -> Option<Bytes> {
    let json = serde_json::to_string(body).ok()?;
    Some(Bytes::from(format!("data: {json}\n\n")))
}

/// The `error` event of a stream of OpenAI's responses.
#[derive(Serialize)]
struct ResponsesError {
    #[serde(rename = "type")]
    kind: &'static str,
    code: String,
    message: String,
    param: Option<String>,
    /// Our envelope has more to say.
    error: ErrorBody,
}

impl From<ErrorBody> for ResponsesError {
    fn from(error: ErrorBody) -> Self {
        let param = Some(error.error.param.clone()).filter(|param| !param.is_empty());
        Self { kind: "error", code: error.error.code.clone(), message: error.error.message.clone(), param, error }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_path_tells_its_voice() {
        let none = HeaderMap::new();
        let mut anthropic = HeaderMap::new();
        anthropic.insert(HeaderName::from_static(ANTHROPIC_VERSION), HeaderValue::from_static("2023-06-01"));
        for (path, voice) in [
            ("/v1/messages", Voice::Anthropic),
            ("/v1/messages/count_tokens", Voice::Anthropic),
            ("/anthropic/v1/models", Voice::Anthropic),
            ("/genai/v1beta/models/m:generateContent", Voice::Gemini),
            ("/v1beta/models", Voice::Gemini),
            ("/v1/chat/completions", Voice::Own),
            ("/v1/models/m:generateContent", Voice::Gemini),
            ("/v1/models", Voice::Own),
            ("/v1/messagesx", Voice::Own),
            ("/api/governance/teams", Voice::Own),
        ] {
            assert_eq!(Voice::of(path, &none), voice, "{path}");
        }
        assert_eq!(Voice::of("/v1/models", &anthropic), Voice::Anthropic);
        assert_eq!(Voice::of("/v1/chat/completions", &anthropic), Voice::Own);
    }
}
