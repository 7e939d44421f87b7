//! Sessions.

use jiff::{SignedDuration, Timestamp};
use keyward_core::change::Change;
use keyward_core::ids::SessionId;
use keyward_core::management_key::ManagementKey;
use keyward_core::secret::KeyHash;
use keyward_core::session::{Session, SessionList};

use super::{Database, Store};
use crate::error::StoreError;

/// Identifies a credential: another password has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialStamp(pub [u8; 32]);

/// What a session must fulfil to be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTerms {
    /// The administrator's credential that is in force: sessions that another one opened are over.
    pub credential: CredentialStamp,
    /// How long a session may lie idle.
    pub idle_limit: SignedDuration,
}

/// A session that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenSession {
    /// The session.
    pub session: Session,
    /// The management key that opened it, as it is now; none: the administrator did.
    pub key: Option<ManagementKey>,
}

/// How exact the instant of the last use is.
const RESOLUTION: SignedDuration = SignedDuration::from_mins(1);

impl Store {
    /// Opens a session that is found by `token`; those that are over are forgotten. `key` is the secret of the management key that
    /// opens it; none: the administrator does.
    ///
    /// # Errors
    /// [`StoreError::Denied`] when the opener's credential is not in force any more.
    pub async fn session_create(
        &self,
        change: Change,
        session: Session,
        token: &str,
        key: Option<&str>,
        terms: SessionTerms,
    ) -> Result<Session, StoreError> {
        let (by, hash) = (self.recorder(change), self.inner.tokens.hash(token));
        let KeyHash(credential) = key.map_or(KeyHash(terms.credential.0), |secret| self.inner.tokens.hash(secret));
        changing!(self, by, |queries, c| queries::session::create(c, &by, &session, hash, &credential, &terms))
    }

    /// Ends every session of the administrator that another credential opened; none: every one of the administrator.
    ///
    /// # Errors
    /// Only faults.
    pub async fn sessions_keep_only(&self, credential: Option<CredentialStamp>) -> Result<(), StoreError> {
        writing!(self, |queries, c| queries::session::keep_only(c, credential.as_ref()))
    }

    /// The open session with this token, which is used by that.
    ///
    /// # Errors
    /// Only faults.
    pub async fn session_use(
        &self,
        token: &str,
        terms: SessionTerms,
        now: Timestamp,
    ) -> Result<Option<OpenSession>, StoreError> {
        let hash = self.inner.tokens.hash(token);
        let found = reading!(self, |queries, c| queries::session::find(c, hash, &terms, now))?;
        let Some(open) = found else { return Ok(None) };
        if now.duration_since(open.session.last_used_at) >= RESOLUTION {
            let id = open.session.id.clone();
            writing!(self, |queries, c| queries::session::touch(c, &id, now))?;
        }
        Ok(Some(open))
    }

    /// The open sessions, oldest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn session_list(&self, terms: SessionTerms, now: Timestamp) -> Result<SessionList, StoreError> {
        reading!(self, |queries, c| queries::session::list(c, &terms, now))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn session_delete(&self, change: Change, id: SessionId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::session::delete(c, &by, &id))
    }
}
