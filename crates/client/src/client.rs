//! The client: what every operation shares. Credentials, addresses, timeouts, and how a call becomes an answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keyward_core::change::Version;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, IF_MATCH, USER_AGENT};
use reqwest::{Method, Request, Response};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::answer::{Answer, Head};
use crate::builder::{ClientBuilder, virtual_key_headers};
use crate::endpoint::endpoint;
use crate::error::Error;
use crate::transport::Transport;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const X_BF_VK: HeaderName = HeaderName::from_static("x-bf-vk");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A client of one Keyward server. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Settings>);

/// What a client is made of; everything is checked.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) base_url: Url,
    pub(crate) admin: Option<HeaderValue>,
    pub(crate) virtual_key: Option<VirtualKeyHeaders>,
    pub(crate) timeout: Duration,
    pub(crate) user_agent: HeaderValue,
    pub(crate) conditions: Conditions,
    pub(crate) transport: Arc<dyn Transport>,
}

/// On what conditions a change is wanted.
#[derive(Clone, Default)]
pub(crate) struct Conditions {
    if_match: Option<HeaderValue>,
    idempotency_key: Option<HeaderValue>,
}

/// A virtual key, ready for the two headers that carry it.
#[derive(Clone)]
pub(crate) struct VirtualKeyHeaders {
    pub(crate) plain: HeaderValue,
    pub(crate) bearer: HeaderValue,
}

/// Which credential goes with a request. A missing one is left out: the server then says what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The manager's: a password as HTTP Basic, or a bearer token.
    Admin,
    /// The virtual key in `x-bf-vk`.
    VirtualKey,
    /// The virtual key as a bearer token.
    Bearer,
}

impl Client {
    /// Begins a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// The same client with another virtual key; it shares the connections of this one.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a text that no header can carry.
    pub fn with_virtual_key(&self, value: impl Into<SecretString>) -> Result<Self, Error> {
        let virtual_key = Some(virtual_key_headers(&value.into())?);
        Ok(Self::new(Settings { virtual_key, ..Settings::clone(&self.0) }))
    }

    /// The same client for one edit or deletion, which shall happen only while the resource has this version. Otherwise the
    /// server refuses it with `precondition_failed`.
    ///
    /// # Errors
    /// None for a version of this crate's making.
    pub fn if_match(&self, version: Version) -> Result<Self, Error> {
        let tag = HeaderValue::try_from(version.etag()).map_err(|_| Error::unexpected("the version is no header"))?;
        let conditions = Conditions { if_match: Some(tag), ..self.0.conditions.clone() };
        Ok(Self::new(Settings { conditions, ..Settings::clone(&self.0) }))
    }

    /// The same client for one create, which may be sent again under the same key: what is there already is not made twice.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a text that no header can carry.
    pub fn with_idempotency_key(&self, key: &str) -> Result<Self, Error> {
        let key = HeaderValue::try_from(key)
            .map_err(|_| Error::unexpected("the idempotency key cannot be sent in a header"))?;
        let conditions = Conditions { idempotency_key: Some(key), ..self.0.conditions.clone() };
        Ok(Self::new(Settings { conditions, ..Settings::clone(&self.0) }))
    }

    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.fetch(self.request(Method::GET, path, Credential::Admin)?).await
    }

    pub(crate) async fn list<T: DeserializeOwned>(&self, path: &[&str], query: &impl Serialize) -> Result<T, Error> {
        let mut request = self.request(Method::GET, path, Credential::Admin)?;
        append_query(request.url_mut(), query)?;
        self.fetch(request).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Error> {
        self.fetch(with_json(self.request(Method::POST, path, Credential::Admin)?, body)?).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Error> {
        self.fetch(with_json(self.request(Method::PUT, path, Credential::Admin)?, body)?).await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Error> {
        self.fetch(with_json(self.request(Method::PATCH, path, Credential::Admin)?, body)?).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.fetch(self.request(Method::DELETE, path, Credential::Admin)?).await
    }

    /// A request without a body.
    pub(crate) fn request(&self, method: Method, path: &[&str], credential: Credential) -> Result<Request, Error> {
        let Settings { base_url, admin, virtual_key, user_agent, conditions, .. } = &*self.0;
        let condition = match method {
            Method::POST => conditions.idempotency_key.as_ref().map(|key| (IDEMPOTENCY_KEY, key)),
            _ => conditions.if_match.as_ref().map(|tag| (IF_MATCH, tag)),
        };
        let mut request = Request::new(method, endpoint(base_url, path)?);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, JSON);
        headers.insert(USER_AGENT, user_agent.clone());
        if let Some((name, value)) = condition {
            headers.insert(name, value.clone());
        }
        let credential = match credential {
            Credential::Admin => admin.as_ref().map(|value| (AUTHORIZATION, value)),
            Credential::VirtualKey => virtual_key.as_ref().map(|key| (X_BF_VK, &key.plain)),
            Credential::Bearer => virtual_key.as_ref().map(|key| (AUTHORIZATION, &key.bearer)),
        };
        if let Some((name, value)) = credential {
            headers.insert(name, value.clone());
        }
        Ok(request)
    }

    /// Sends a request and reads its answer, both within the timeout.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        let exchange = async { Answer::read(self.0.transport.execute(request).await?).await };
        self.in_time(exchange).await?.decode()
    }

    /// Sends a request whose answer is a stream; an answer that is none is an error.
    pub(crate) async fn open_stream(&self, mut request: Request) -> Result<Response, Error> {
        request.headers_mut().insert(ACCEPT, EVENT_STREAM);
        let opening = async {
            let response = self.0.transport.execute(request).await?;
            let head = Head::of(&response);
            match (head.is_success(), head.is_event_stream()) {
                (true, true) => Ok(response),
                (true, false) => Err(head.unexpected(format!("the answer is no stream ({})", head.content_type))),
                (false, _) => Err(Answer::read(response).await?.error()),
            }
        };
        self.in_time(opening).await
    }

    async fn in_time<T>(&self, exchange: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let after = self.0.timeout;
        tokio::time::timeout(after, exchange).await.unwrap_or(Err(Error::Timeout { after }))
    }
}

/// Adds the members of a query that are set.
fn append_query(url: &mut Url, query: &impl Serialize) -> Result<(), Error> {
    let query = serde_json::to_value(query)
        .map_err(|error| Error::unexpected(format!("the query cannot be written: {error}")))?;
    let Value::Object(members) = query else { return Err(Error::unexpected("the query has no members")) };
    for (name, value) in &members {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        url.query_pairs_mut().append_pair(name, &text);
    }
    Ok(())
}

/// The request with a JSON body.
pub(crate) fn with_json(mut request: Request, body: &impl Serialize) -> Result<Request, Error> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Error::unexpected(format!("the request cannot be written as JSON: {error}")))?;
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    *request.body_mut() = Some(body.into());
    Ok(request)
}

impl fmt::Debug for Client {
    /// Leaves out the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { base_url, timeout, .. } = &*self.0;
        f.debug_struct("Client").field("base_url", &base_url.as_str()).field("timeout", timeout).finish_non_exhaustive()
    }
}
