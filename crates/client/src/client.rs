//! The client: what every operation shares. Credentials, addresses, conditions, and how a call becomes an answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keyward_core::change::Version;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue, IF_MATCH, USER_AGENT};
use reqwest::{Method, Request, Response};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::answer::{Answer, Head};
use crate::builder::{ClientBuilder, virtual_key_headers};
use crate::call::{Call, JSON, Repeat};
use crate::endpoint::endpoint;
use crate::error::Error;
use crate::retry::Retries;
use crate::trace::Watch;
use crate::transport::Transport;

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
    pub(crate) retries: Retries,
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

    /// The same client for one edit, rotation or deletion, which shall happen only while the resource has this version.
    /// Otherwise the server refuses it with `precondition_failed`.
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
    /// A client that retries gives each create a key of its own. This is for programs that may be started again themselves.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a text that no header can carry.
    pub fn with_idempotency_key(&self, key: &str) -> Result<Self, Error> {
        let key = HeaderValue::try_from(key)
            .map_err(|_| Error::unexpected("the idempotency key cannot be sent in a header"))?;
        let conditions = Conditions { idempotency_key: Some(key), ..self.0.conditions.clone() };
        Ok(Self::new(Settings { conditions, ..Settings::clone(&self.0) }))
    }

    /// The same client with another way of retrying.
    #[must_use]
    pub fn with_retries(&self, retries: Retries) -> Self {
        Self::new(Settings { retries, ..Settings::clone(&self.0) })
    }

    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, operation: &'static str, path: &[&str]) -> Result<T, Error> {
        self.fetch(self.call(operation, Method::GET, path, Credential::Admin)?).await
    }

    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Error> {
        self.fetch(self.call(operation, Method::GET, path, Credential::Admin)?.with_query(query)?).await
    }

    /// Makes something, under an idempotency key if the call may be sent again.
    pub(crate) async fn create<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let call = self.call(operation, Method::POST, path, Credential::Admin)?.with_json(body)?;
        let call = match self.idempotency_key() {
            Some(key) => call.with_header(IDEMPOTENCY_KEY, key).harmless(),
            None => call,
        };
        self.fetch(call).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.fetch(self.call(operation, Method::POST, path, Credential::Admin)?.with_json(body)?).await
    }

    /// Asks for something that needs no body.
    pub(crate) async fn act<T: DeserializeOwned>(&self, operation: &'static str, path: &[&str]) -> Result<T, Error> {
        self.fetch(self.call(operation, Method::POST, path, Credential::Admin)?).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.fetch(self.call(operation, Method::PUT, path, Credential::Admin)?.with_json(body)?).await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.fetch(self.call(operation, Method::PATCH, path, Credential::Admin)?.with_json(body)?).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(&self, operation: &'static str, path: &[&str]) -> Result<T, Error> {
        self.fetch(self.call(operation, Method::DELETE, path, Credential::Admin)?).await
    }

    /// A call without a body. A conditional change is harmful to repeat: the second would find the version of the first.
    pub(crate) fn call(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        credential: Credential,
    ) -> Result<Call, Error> {
        let Settings { base_url, admin, virtual_key, user_agent, conditions, .. } = &*self.0;
        let if_match =
            conditions.if_match.as_ref().filter(|_| method != Method::GET && credential == Credential::Admin);
        let repeat = match method {
            Method::GET => Repeat::Harmless,
            Method::PUT | Method::PATCH | Method::DELETE if if_match.is_none() => Repeat::Harmless,
            _ => Repeat::Harmful,
        };
        let credential = match credential {
            Credential::Admin => admin.as_ref().map(|value| (AUTHORIZATION, value)),
            Credential::VirtualKey => virtual_key.as_ref().map(|key| (X_BF_VK, &key.plain)),
            Credential::Bearer => virtual_key.as_ref().map(|key| (AUTHORIZATION, &key.bearer)),
        };
        let mut request = Request::new(method, endpoint(base_url, path)?);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, JSON);
        headers.insert(USER_AGENT, user_agent.clone());
        for (name, value) in if_match.map(|tag| (IF_MATCH, tag)).into_iter().chain(credential) {
            headers.insert(name, value.clone());
        }
        Ok(Call { operation, request, repeat })
    }

    /// The key of the next create: the one that was given; else a new one, where it may be of use.
    fn idempotency_key(&self) -> Option<HeaderValue> {
        let Settings { conditions, retries, .. } = &*self.0;
        let given = conditions.idempotency_key.clone();
        given.or_else(|| HeaderValue::try_from(Uuid::new_v4().to_string()).ok().filter(|_| retries.are_on()))
    }

    /// Makes a call and reads its answer.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        self.perform(call, |response| async move { Answer::read(response).await?.decode() }).await
    }

    /// Makes a call whose answer is text.
    pub(crate) async fn fetch_text(&self, call: Call) -> Result<String, Error> {
        self.perform(call, |response| async move { Answer::read(response).await?.text() }).await
    }

    /// Makes a call whose answer is a stream; an answer that is none is an error.
    pub(crate) async fn open_stream(&self, call: Call) -> Result<Response, Error> {
        self.perform(call.with_header(ACCEPT, EVENT_STREAM), opened).await
    }

    /// Sends the request, again where that is safe, and takes the answer: all of it within the timeout.
    async fn perform<T, F>(&self, call: Call, take: impl Fn(Response) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let after = self.0.timeout;
        let watch = Watch::of(&call);
        let attempts = tokio::time::timeout(after, self.attempts(call, take, &watch));
        watch.during(attempts).await.unwrap_or(Err(Error::Timeout { after }))
    }

    async fn attempts<T, F>(&self, call: Call, take: impl Fn(Response) -> F, watch: &Watch) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let Settings { retries, timeout, transport, .. } = &*self.0;
        let Call { mut request, repeat, .. } = call;
        let begin = Instant::now();
        let mut failures = 0;
        loop {
            let again = request.try_clone();
            let result = match transport.execute(request).await {
                Ok(response) => {
                    watch.answered(&response);
                    take(response).await
                }
                Err(error) => Err(error.into()),
            };
            let Err(error) = result else { return result };
            let wait = retries.wait(failures, repeat, &error, Uuid::new_v4().as_bytes());
            let (Some(copy), Some(wait)) = (again, wait) else { return Err(error) };
            if begin.elapsed().saturating_add(wait) >= *timeout {
                return Err(error);
            }
            watch.again(wait, &error);
            tokio::time::sleep(wait).await;
            failures += 1;
            request = copy;
        }
    }
}

/// The answer, if it is a stream.
async fn opened(response: Response) -> Result<Response, Error> {
    let head = Head::of(&response);
    match (head.is_success(), head.is_event_stream()) {
        (true, true) => Ok(response),
        (true, false) => Err(head.unexpected(format!("the answer is no stream ({})", head.content_type))),
        (false, _) => Err(Answer::read(response).await?.error()),
    }
}

impl fmt::Debug for Client {
    /// Leaves out the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { base_url, timeout, .. } = &*self.0;
        f.debug_struct("Client").field("base_url", &base_url.as_str()).field("timeout", timeout).finish_non_exhaustive()
    }
}
