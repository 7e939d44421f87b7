//! Sessions.

use jiff::{SignedDuration, Timestamp};
use keyward_core::change::Change;
use keyward_core::ids::SessionId;
use keyward_core::session::{Session, SessionList};

use super::{Database, Store};
use crate::error::StoreError;

/// Identifies a credential: another password has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialStamp(pub [u8; 32]);

/// What a session must fulfil to be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTerms {
    /// The credential that is in force: sessions that another one opened are over.
    pub credential: CredentialStamp,
    /// How long a session may lie idle.
    pub idle_limit: SignedDuration,
}

/// How exact the instant of the last use is.
const RESOLUTION: SignedDuration = SignedDuration::from_mins(1);

impl Store {
    /// Opens a session that is found by `token`; those that are over are forgotten.
    ///
    /// # Errors
    /// Only faults.
    pub async fn session_create(
        &self,
        change: Change,
        session: Session,
        token: &str,
        terms: SessionTerms,
    ) -> Result<Session, StoreError> {
        let (by, hash) = (self.recorder(change), self.inner.tokens.hash(token));
        changing!(self, by, |queries, c| queries::session::create(c, &by, &session, hash, &terms))
    }

    /// Ends every session that another credential opened; none: every one.
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
    ) -> Result<Option<Session>, StoreError> {
        let hash = self.inner.tokens.hash(token);
        let found = reading!(self, |queries, c| queries::session::find(c, hash, &terms, now))?;
        let Some(session) = found else { return Ok(None) };
        if now.duration_since(session.last_used_at) >= RESOLUTION {
            let id = session.id.clone();
            writing!(self, |queries, c| queries::session::touch(c, &id, now))?;
        }
        Ok(Some(session))
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
