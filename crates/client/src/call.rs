//! Calls: a request, the operation that it asks for, and what would come of sending it twice.

use reqwest::Request;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    /// The operation id, as the OpenAPI documents have it.
    #[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "only spans tell it"))]
    pub(crate) operation: &'static str,
    pub(crate) request: Request,
    pub(crate) repeat: Repeat,
}

/// What comes of a request that is carried out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// No more than of one that is carried out once.
    Harmless,
    /// A second effect, another charge, or an answer that misleads.
    Harmful,
}

impl Call {
    /// The same call with a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.request.headers_mut().insert(name, value);
        self
    }

    /// The same call, which may be carried out twice.
    pub(crate) fn harmless(self) -> Self {
        Self { repeat: Repeat::Harmless, ..self }
    }

    /// The same call with a JSON body.
    pub(crate) fn with_json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::unexpected(format!("the request cannot be written as JSON: {error}")))?;
        *self.request.body_mut() = Some(body.into());
        Ok(self.with_header(CONTENT_TYPE, JSON))
    }

    /// The same call with the members of a query that are set.
    pub(crate) fn with_query(mut self, query: &impl Serialize) -> Result<Self, Error> {
        let query = serde_json::to_value(query)
            .map_err(|error| Error::unexpected(format!("the query cannot be written: {error}")))?;
        let Value::Object(members) = query else { return Err(Error::unexpected("the query has no members")) };
        for (name, value) in &members {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.request.url_mut().query_pairs_mut().append_pair(name, &text);
        }
        Ok(self)
    }
}
