//! TLS: rustls with ring, whatever the host program installed; public roots are trusted, and with the feature `native-roots` the system's.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// The configuration of every TLS connection.
///
/// # Errors
/// Ring without any TLS version that rustls deems safe, which no released version has.
pub(crate) fn client_config() -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::unexpected(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots())
        .with_no_client_auth();
    // reqwest leaves a preconfigured backend as it is: without this, HTTP/2 is never offered.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The public roots are always there; an unreadable system store only means that private authorities are not trusted.
fn roots() -> RootCertStore {
    let public = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    #[cfg(feature = "native-roots")]
    let public = with_native_roots(public);
    public
}

#[cfg(feature = "native-roots")]
fn with_native_roots(mut roots: RootCertStore) -> RootCertStore {
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
