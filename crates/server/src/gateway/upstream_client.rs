//! The HTTP client for upstreams: one for each worker, since one shared by all makes workers wait for each other.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use super::resolver::GuardedResolver;
use crate::pieces::Pieces;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// A client for upstreams. Redirects are not followed, and no proxy is used.
#[derive(Clone)]
pub(crate) struct UpstreamClient(Client<HttpsConnector<HttpConnector<GuardedResolver>>, Pieces>);

impl UpstreamClient {
    pub(crate) fn new(tls: &Arc<ClientConfig>, block_private: bool) -> Self {
        let mut http = HttpConnector::new_with_resolver(GuardedResolver::new(block_private));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.as_ref().clone())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self(client)
    }

    pub(crate) async fn send(
        &self,
        request: http::Request<Pieces>,
    ) -> Result<http::Response<Incoming>, hyper_util::client::legacy::Error> {
        self.0.request(request).await
    }
}

/// TLS for upstreams: the web's roots, and those that this machine trusts besides.
pub(crate) fn tls() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a certificate store of this machine cannot be read");
    }
    roots.add_parsable_certificates(native.certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
