//! The builder of a client: settings, checked when the client is built.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::client::{Client, Conditions, Settings, VirtualKeyHeaders};
use crate::endpoint::base_url;
use crate::error::Error;
use crate::retry::Retries;
use crate::transport::{HttpTransport, Transport};

const DEFAULT_BASE_URL: &str = "http://127.0.0.1:8080";
const DEFAULT_USER_AGENT: &str = concat!("keyward-client/", env!("CARGO_PKG_VERSION"));
/// Models may think for minutes, and an answer that nobody waits for is paid for all the same.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// What the client shows to the management API.
enum Manager {
    Password(String, SecretString),
    Token(SecretString),
}

/// Puts something around a transport.
type Middleware = Box<dyn FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport> + Send>;

/// Collects the settings of a [`Client`].
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    admin: Option<Manager>,
    virtual_key: Option<SecretString>,
    timeout: Duration,
    retries: Retries,
    user_agent: String,
    transport: Option<Arc<dyn Transport>>,
    middlewares: Vec<Middleware>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            admin: None,
            virtual_key: None,
            timeout: DEFAULT_TIMEOUT,
            retries: Retries::default(),
            user_agent: DEFAULT_USER_AGENT.to_owned(),
            transport: None,
            middlewares: Vec::new(),
        }
    }

    /// Where the server is: http or https, maybe with a path prefix. `http://127.0.0.1:8080` unless given.
    pub fn base_url(mut self, base_url: &str) -> Self {
        base_url.clone_into(&mut self.base_url);
        self
    }

    /// The credential of the management API, sent as HTTP Basic. It is never sent with inference.
    pub fn admin(mut self, username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        self.admin = Some(Manager::Password(username.into(), password.into()));
        self
    }

    /// A management key or the token of a session, sent as a bearer token in place of [`ClientBuilder::admin`]. It is never sent
    /// with inference.
    pub fn management_token(mut self, token: impl Into<SecretString>) -> Self {
        self.admin = Some(Manager::Token(token.into()));
        self
    }

    /// The virtual key for inference and its quota.
    pub fn virtual_key(mut self, value: impl Into<SecretString>) -> Self {
        self.virtual_key = Some(value.into());
        self
    }

    /// How long a call may take, with all its retries. Of a stream: how long its head may take, and then each of its pieces. Ten minutes
    /// unless given.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Which failed calls are made again: by default up to two times, where that is safe.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// What the client calls itself in the `user-agent` header.
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        user_agent.clone_into(&mut self.user_agent);
        self
    }

    /// What carries the requests instead of a new [`HttpTransport`].
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Puts a transport of one's own around the one that is there: it sees every request, also those that are made again, and
    /// every answer. The middleware that is added last sees a request first.
    pub fn middleware<T: Transport>(mut self, around: impl FnOnce(Arc<dyn Transport>) -> T + Send + 'static) -> Self {
        self.middlewares.push(Box::new(move |inner| Arc::new(around(inner))));
        self
    }

    /// Checks the settings and makes the client.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a base URL, a credential or a user agent that cannot be used; what
    /// [`HttpTransport::new`] fails with.
    pub fn build(self) -> Result<Client, Error> {
        let Self { base_url: text, admin, virtual_key, timeout, retries, user_agent, transport, middlewares } = self;
        let transport = match transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new()?),
        };
        Ok(Client::new(Settings {
            base_url: base_url(&text)?,
            admin: admin.map(|manager| manager.header()).transpose()?,
            virtual_key: virtual_key.map(|value| virtual_key_headers(&value)).transpose()?,
            timeout,
            retries,
            conditions: Conditions::default(),
            user_agent: HeaderValue::try_from(user_agent)
                .map_err(|_| Error::unexpected("the user agent cannot be sent in a header"))?,
            transport: middlewares.into_iter().fold(transport, |inner, around| around(inner)),
        }))
    }
}

/// The headers that carry a virtual key.
pub(crate) fn virtual_key_headers(value: &SecretString) -> Result<VirtualKeyHeaders, Error> {
    Ok(VirtualKeyHeaders {
        plain: sensitive("virtual key", value.expose_secret().to_owned())?,
        bearer: sensitive("virtual key", format!("Bearer {}", value.expose_secret()))?,
    })
}

impl Manager {
    fn header(&self) -> Result<HeaderValue, Error> {
        match self {
            Self::Password(username, password) => basic(username, password),
            Self::Token(token) => sensitive("management token", format!("Bearer {}", token.expose_secret())),
        }
    }
}

fn basic(username: &str, password: &SecretString) -> Result<HeaderValue, Error> {
    if username.contains(':') {
        return Err(Error::unexpected("HTTP Basic allows no colon in the admin's name"));
    }
    let pair = format!("{username}:{}", password.expose_secret());
    sensitive("admin credential", format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

/// A header that no `Debug` shows.
fn sensitive(what: &str, text: String) -> Result<HeaderValue, Error> {
    let mut value =
        HeaderValue::try_from(text).map_err(|_| Error::unexpected(format!("the {what} cannot be sent in a header")))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for ClientBuilder {
    /// Leaves out the credentials, and the base URL as well: it is not checked yet and may have a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_builds_without_settings_and_without_an_installed_tls_provider() {
        let client = Client::builder().build().unwrap();
        assert!(format!("{client:?}").contains(DEFAULT_BASE_URL));
    }

    #[test]
    fn what_no_header_can_carry_is_refused_and_not_repeated() {
        let refused = [
            Client::builder().virtual_key("hunter2\n"),
            Client::builder().admin("hunter2:", "x"),
            Client::builder().management_token("hunter2\n"),
            Client::builder().user_agent("hunter2\0"),
            Client::builder().base_url("http://admin:hunter2@127.0.0.1"),
        ];
        for builder in refused {
            let error = builder.build().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let builder = || Client::builder().admin("admin", "hunter2").virtual_key("sk-bf-hunter2");
        let client = builder().build().unwrap();
        let unchecked = builder().base_url("http://admin:hunter2@127.0.0.1");
        let shown = format!("{unchecked:?} {client:?}");
        // "hunter2" in base64, as HTTP Basic has it after "admin:".
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg") && !shown.contains("YWRtaW4"), "{shown}");
    }
}
