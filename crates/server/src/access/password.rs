//! Passwords: hashed with Argon2id, which is slow on purpose, and so never on a thread that serves requests.

use std::sync::{Mutex, PoisonError};

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use jiff::{SignedDuration, Timestamp};
use keyward_core::error_code::ErrorCode;
use keyward_core::secret::KeyHash;
use keyward_store::CredentialStamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::ApiError;

/// How long a password that was found right is not hashed again.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);

/// The credential in force. Of the password only the hash is kept, and a keyed digest of what was accepted last.
pub(crate) struct Credential {
    pub(crate) username: String,
    hash: String,
    accepted: Mutex<Option<(KeyHash, Timestamp)>>,
}

impl Credential {
    /// The credential of this user name and hash.
    pub(crate) const fn new(username: String, hash: String) -> Self {
        Self { username, hash, accepted: Mutex::new(None) }
    }

    /// Tells this credential from every other one.
    pub(crate) fn stamp(&self) -> CredentialStamp {
        CredentialStamp(Sha256::digest(format!("{}\0{}", self.username, self.hash)).into())
    }

    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether what has this digest was found right a short time ago.
    pub(crate) fn remembers(&self, digest: KeyHash, now: Timestamp) -> bool {
        let accepted = *self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.is_some_and(|(known, until)| now < until && known.0.ct_eq(&digest.0).into())
    }

    /// Remembers that what has this digest is right.
    pub(crate) fn remember(&self, digest: KeyHash, now: Timestamp) {
        let until = now.checked_add(MEMORY).unwrap_or(now);
        *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, until));
    }

    /// Whether user name and password are these. A wrong name takes as long as a wrong password. The turn is over when it is known,
    /// also when nobody waits for that any more.
    pub(crate) async fn verify<T: Send + 'static>(
        &self,
        username: &str,
        password: SecretString,
        turn: T,
    ) -> Result<bool, ApiError> {
        let digest = |name: &str| Sha256::digest(name);
        let is_name: bool = digest(username).ct_eq(&digest(&self.username)).into();
        let hash = self.hash.clone();
        let is_password = aside(move || {
            let is_right =
                Argon2::default().verify_password(password.expose_secret().as_bytes(), hash.as_str()).is_ok();
            drop(turn);
            Ok(is_right)
        });
        Ok(is_password.await? && is_name)
    }
}

/// The Argon2id hash of a password, in the PHC string format. The same salt makes the same hash.
pub(crate) async fn hash(password: SecretString, salt: [u8; 16]) -> Result<String, ApiError> {
    aside(move || {
        let hash = Argon2::default().hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
        Ok(hash.map_err(|error| fault(error.to_string()))?.to_string())
    })
    .await
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, ApiError> + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(fault)?
}

fn fault(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
    ApiError::new(ErrorCode::Internal, "The password could not be hashed").because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_exact_credential_is_right() {
        let hash = hash("not-a-real-password".into(), [7; 16]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let credential = Credential::new("admin".to_owned(), hash);
        for (username, password, expected) in [
            ("admin", "not-a-real-password", true),
            ("admin", "not-a-real-passwor", false),
            ("Admin", "not-a-real-password", false),
            ("admin", "", false),
        ] {
            assert_eq!(
                credential.verify(username, password.into(), ()).await.unwrap(),
                expected,
                "{username} {password}"
            );
        }
    }

    #[test]
    fn memory_is_of_one_digest_and_short() {
        let credential = Credential::new(String::new(), String::new());
        let now = Timestamp::UNIX_EPOCH;
        credential.remember(KeyHash([1; 32]), now);
        assert!(credential.remembers(KeyHash([1; 32]), now));
        assert!(!credential.remembers(KeyHash([2; 32]), now));
        assert!(!credential.remembers(KeyHash([1; 32]), now + MEMORY));
    }
}
