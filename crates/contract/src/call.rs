//! One request, by the id of its operation, and its answer.

use http::HeaderMap;
use serde_json::Value;

/// A request in the making. Its method and its path are the document's.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) shown: Shown,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// None.
    Nothing,
    /// Some bytes, and their content type.
    Bytes(Vec<u8>, String),
    /// More than any server takes: it is announced, and never comes.
    Endless,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Whoever runs the verifier.
    Own,
    /// Nobody, or whoever the headers say.
    Nobody,
}

impl Call {
    pub(crate) fn to(operation: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            parameters: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Nothing,
            shown: Shown::Own,
        }
    }

    /// Fills in parameters of the path. What is said last of one holds.
    pub(crate) fn at<'a>(mut self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (name, value) in parameters {
            self.parameters.retain(|(known, _)| known != name);
            self.parameters.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string(), "application/json")
    }

    pub(crate) fn text(mut self, body: &str, media: &str) -> Self {
        self.body = Body::Bytes(body.as_bytes().to_vec(), media.to_owned());
        self
    }

    pub(crate) fn endless(mut self) -> Self {
        self.body = Body::Endless;
        self
    }

    /// Shows no credential but what the headers have.
    pub(crate) fn anonymous(mut self) -> Self {
        self.shown = Shown::Nobody;
        self
    }

    /// Shows this token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.anonymous().header("authorization", &format!("Bearer {token}"))
    }

    /// Shows this virtual key.
    pub(crate) fn virtual_key(self, value: &str) -> Self {
        self.anonymous().header("x-bf-vk", value)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The machine-readable reason of an error.
    pub(crate) fn code(&self) -> String {
        text(&self.json(), "/error/code")
    }

    /// What an error says, for people. What other answers say may be a secret.
    pub(crate) fn said(&self) -> String {
        let message = text(&self.json(), "/error/message");
        if message.is_empty() { "no error of ours".to_owned() } else { message.chars().take(200).collect() }
    }
}

/// A text in a value; empty when it is not there.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
