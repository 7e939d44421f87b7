//! AWS's signatures (version 4), by AWS's own signer.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use super::CredentialError;
use super::hidden;
use crate::pieces::Pieces;

/// Keys of AWS: an account's, or those of a session.
#[derive(Debug, Clone)]
pub(super) struct AwsKeys {
    pub(super) access_key: SecretString,
    pub(super) secret_key: SecretString,
    pub(super) session_token: Option<SecretString>,
}

/// Signs requests to one service in one region.
#[derive(Debug)]
pub(crate) struct AwsSigner {
    keys: AwsKeys,
    region: String,
    service: &'static str,
}

impl AwsSigner {
    /// A signer. What it sends in headers must be sendable there.
    pub(super) fn new(keys: AwsKeys, region: String, service: &'static str) -> Result<Self, CredentialError> {
        let is_sendable = |text: &SecretString| text.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
        match is_sendable(&keys.access_key) && keys.session_token.as_ref().is_none_or(is_sendable) {
            true => Ok(Self { keys, region, service }),
            false => Err(CredentialError::Unsendable),
        }
    }

    /// Signs the method, the URL, the host, the content type and the body.
    pub(super) fn sign(&self, request: &mut http::Request<Pieces>, now: Timestamp) -> Result<(), CredentialError> {
        let keys = &self.keys;
        let identity: Identity = Credentials::new(
            keys.access_key.expose_secret(),
            keys.secret_key.expose_secret(),
            keys.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
            None,
            "keyward",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::from(now))
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| CredentialError::Unsignable)?
            .into();
        let added = {
            let headers = signed_headers(request)?;
            let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let url = request.uri().to_string();
            let body = SignableBody::Precomputed(digest(request.body()));
            let signable = SignableRequest::new(request.method().as_str(), url, headers, body)
                .map_err(|_| CredentialError::Unsignable)?;
            // The signer tells its trace what it signs, session token and all: no subscriber may hear it.
            let signed = tracing::dispatcher::with_default(&tracing::Dispatch::none(), || sign(signable, &params));
            let (instructions, _) = signed.map_err(|_| CredentialError::Unsignable)?.into_parts();
            instructions.into_parts().0
        };
        for header in added {
            let name = HeaderName::from_bytes(header.name().as_bytes()).map_err(|_| CredentialError::Unsignable)?;
            request.headers_mut().insert(name, hidden(header.value())?);
        }
        Ok(())
    }
}

/// The SHA-256 of a body, as signatures have it.
fn digest(body: &Pieces) -> String {
    let digest = body.iter().fold(Sha256::new(), Sha256::chain_update);
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is signed besides what always is.
fn signed_headers(request: &http::Request<Pieces>) -> Result<Vec<(String, String)>, CredentialError> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).map_err(|_| CredentialError::Unsignable);
    let authority = request.uri().authority().ok_or(CredentialError::Unsignable)?;
    let mut headers = vec![(HOST.to_string(), authority.as_str().to_owned())];
    if let Some(value) = request.headers().get(CONTENT_TYPE) {
        headers.push((CONTENT_TYPE.to_string(), text(value)?));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
