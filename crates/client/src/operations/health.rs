//! Operations on the server itself: whether it lives, whether it can serve, and its figures. All but the figures need no admin.

use keyward_core::list::{Done, Health};
use reqwest::Method;

use crate::client::{Client, Credential};
use crate::error::Error;

impl Client {
    /// Asks whether the process lives.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn livez(&self) -> Result<Done, Error> {
        self.get("livez", &["livez"]).await
    }

    /// Asks whether the server can serve.
    ///
    /// # Errors
    /// See [`Error`]; an [`Error::Api`] with status 503 says why it cannot.
    pub async fn readyz(&self) -> Result<Done, Error> {
        self.get("readyz", &["readyz"]).await
    }

    /// Asks the same where clients of the compatible API look for it.
    ///
    /// # Errors
    /// See [`Error`]; an [`Error::Api`] with status 503 says why it cannot.
    pub async fn health(&self) -> Result<Health, Error> {
        self.get("health", &["health"]).await
    }

    /// Reads the server's figures in Prometheus' text format.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn metrics(&self) -> Result<String, Error> {
        self.fetch_text(self.call("metrics", Method::GET, &["metrics"], Credential::Admin)?).await
    }
}
