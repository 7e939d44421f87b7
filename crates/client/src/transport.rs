//! The transport: the one seam through which every request leaves. Replace it, or put something around it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Request, Response};

use crate::error::Error;
use crate::tls;

/// How long a connection may take to come up; a host that is gone is noticed long before a whole request times out.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Carries requests to the server. The client applies its own timeouts and retries around it.
///
/// A middleware is a transport too, around another one; [`ClientBuilder::middleware`](crate::ClientBuilder::middleware) puts it
/// there:
///
/// ```
/// use std::pin::Pin;
/// use std::sync::Arc;
///
/// use keyward_client::reqwest::header::HeaderValue;
/// use keyward_client::reqwest::{Request, Response, Result};
/// use keyward_client::{Client, Transport};
///
/// /// Tells the server which program asks.
/// struct Named {
///     name: HeaderValue,
///     inner: Arc<dyn Transport>,
/// }
///
/// impl Transport for Named {
///     fn execute(&self, mut request: Request) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + '_>> {
///         request.headers_mut().insert("x-program", self.name.clone());
///         self.inner.execute(request)
///     }
/// }
///
/// let name = HeaderValue::from_static("nightly-report");
/// let client = Client::builder().middleware(|inner| Named { name, inner }).build();
/// # assert!(client.is_ok());
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and returns as soon as the head of its answer is there.
    ///
    /// Credentials are in headers that are marked as sensitive, so that `Debug` does not show them.
    fn execute(&self, request: Request) -> Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + '_>>;
}

/// The default transport: reqwest with rustls and ring, one connection pool, no redirects.
#[derive(Clone)]
pub struct HttpTransport(reqwest::Client);

impl HttpTransport {
    /// A transport with a connection pool of its own.
    ///
    /// # Errors
    /// [`Error::Unexpected`] or [`Error::Transport`] when TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        // A redirect would carry the `x-bf-vk` header to another origin: reqwest strips only the headers it knows.
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config()?)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        Ok(Self(client))
    }
}

impl Transport for HttpTransport {
    fn execute(&self, request: Request) -> Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + '_>> {
        Box::pin(self.0.execute(request))
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpTransport")
    }
}
