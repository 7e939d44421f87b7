//! A service account's statement of who it is: a JWT, signed with RSA and SHA-256 by the TLS library's own signer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;
use rustls::{SignatureAlgorithm, SignatureScheme};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::CredentialError;

/// What a token may be used for; what the account may do is decided by its roles.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long a statement holds, in seconds: the most that is accepted.
const LIFE: i64 = 3_600;

/// A service account that can sign.
#[derive(Debug)]
pub(in super::super) struct Signatory {
    email: String,
    key: Arc<dyn SigningKey>,
    key_id: Option<String>,
    token_uri: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl Signatory {
    /// None when the key is not the PEM text of an RSA key.
    pub(super) fn new(
        email: String,
        private_key: &SecretString,
        key_id: Option<String>,
        token_uri: String,
    ) -> Option<Self> {
        let der = PrivateKeyDer::from_pem_slice(private_key.expose_secret().as_bytes()).ok()?;
        let key = rustls::crypto::ring::sign::any_supported_type(&der).ok()?;
        (key.algorithm() == SignatureAlgorithm::RSA).then_some(Self { email, key, key_id, token_uri })
    }

    pub(super) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    /// The statement, to be shown once, now.
    pub(super) fn statement(&self, now: Timestamp) -> Result<SecretString, CredentialError> {
        let iat = now.as_second();
        let claims =
            Claims { iss: &self.email, scope: SCOPE, aud: &self.token_uri, iat, exp: iat.saturating_add(LIFE) };
        let header = Header { alg: "RS256", typ: "JWT", kid: self.key_id.as_deref() };
        let signed = format!("{}.{}", encoded(&header)?, encoded(&claims)?);
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or(CredentialError::Unsignable)?;
        let signature = signer.sign(signed.as_bytes()).map_err(|_| CredentialError::Unsignable)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

fn encoded(part: &impl Serialize) -> Result<String, CredentialError> {
    serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| CredentialError::Unsignable)
}
