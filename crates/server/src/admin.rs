//! The admin's credential.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The admin's credential. Of the password only a digest is kept, so that comparing takes the same time for every guess.
#[derive(Debug, Clone)]
pub struct AdminCredential {
    username: String,
    digest: [u8; 32],
}

impl AdminCredential {
    /// The credential of this user name and password.
    #[must_use]
    pub fn new(username: &str, password: &SecretString) -> Self {
        let digest = Self::digest(&format!("{username}:{}", password.expose_secret()));
        Self { username: username.to_owned(), digest }
    }

    /// The user name.
    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    fn digest(pair: &str) -> [u8; 32] {
        Sha256::digest(pair).into()
    }

    /// Checks HTTP Basic credentials.
    pub(crate) fn accepts(&self, headers: &HeaderMap) -> bool {
        let presented = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .and_then(|(_, encoded)| String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok());
        presented.is_some_and(|pair| Self::digest(&pair).ct_eq(&self.digest).into())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        headers
    }

    #[test]
    fn only_the_exact_credential_is_accepted() {
        let credential = AdminCredential::new("admin", &"not-a-real-password".into());
        let basic = |pair: &str| headers(&format!("Basic {}", BASE64_STANDARD.encode(pair)));
        assert!(credential.accepts(&basic("admin:not-a-real-password")));
        assert!(!credential.accepts(&basic("admin:not-a-real-passwor")));
        assert!(!credential.accepts(&basic("admin")));
        assert!(!credential.accepts(&headers("Basic %%%")));
        assert!(!credential.accepts(&HeaderMap::new()));
    }
}
