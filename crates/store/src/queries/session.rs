//! Sessions. A session is open while its credential is in force, until it expires or lies idle for too long.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::SessionId;
use keyward_core::secret::KeyHash;
use keyward_core::session::{Session, SessionList};

use super::{Conn, audit};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::sessions;
use crate::store::{CredentialStamp, SessionTerms};

/// The most sessions that are open at once; the oldest make room.
const MOST: i64 = 100;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: String,
    credential: Vec<u8>,
    username: String,
    source: String,
    created_at: Instant,
    last_used_at: Instant,
    expires_at: Instant,
}

impl SessionRow {
    fn is_open(&self, terms: &SessionTerms, now: Timestamp) -> bool {
        let idle = now.duration_since(self.last_used_at.0);
        self.credential == terms.credential.0 && now < self.expires_at.0 && idle < terms.idle_limit
    }

    fn into_session(self) -> Session {
        let Self { id, credential: _, username, source, created_at, last_used_at, expires_at } = self;
        Session {
            id: id.into(),
            username,
            source,
            created_at: created_at.0,
            last_used_at: last_used_at.0,
            expires_at: expires_at.0,
        }
    }
}

/// Opens a session, and forgets those that are over.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    session: &Session,
    token: KeyHash,
    terms: &SessionTerms,
) -> Result<Session, StoreError> {
    forget(c, terms, by.change.at)?;
    let CredentialStamp(credential) = &terms.credential;
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session.id.as_str()),
            sessions::token_hash.eq(token.0.as_slice()),
            sessions::credential.eq(credential.as_slice()),
            sessions::username.eq(&session.username),
            sessions::source.eq(&session.source),
            sessions::created_at.eq(Instant(session.created_at)),
            sessions::last_used_at.eq(Instant(session.last_used_at)),
            sessions::expires_at.eq(Instant(session.expires_at)),
        ))
        .execute(c)?;
    let created: SessionRow = sessions::table.find(session.id.as_str()).select(SessionRow::as_select()).first(c)?;
    let created = created.into_session();
    audit::created(c, by, ("session", created.id.as_str()), &created)?;
    Ok(created)
}

/// The open session with this token.
pub(crate) fn find(
    c: &mut Conn,
    token: KeyHash,
    terms: &SessionTerms,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let found: Option<SessionRow> = sessions::table
        .filter(sessions::token_hash.eq(token.0.as_slice()))
        .select(SessionRow::as_select())
        .first(c)
        .optional()?;
    Ok(found.filter(|row| row.is_open(terms, now)).map(SessionRow::into_session))
}

/// Whether a session has not ended.
pub(super) fn exists(c: &mut Conn, id: &SessionId) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(sessions::table.find(id.as_str()))).get_result(c)?)
}

/// Ends every session of another credential than this one.
pub(crate) fn keep_only(c: &mut Conn, credential: Option<&CredentialStamp>) -> Result<(), StoreError> {
    let kept = credential.map(|stamp| stamp.0.to_vec()).unwrap_or_default();
    diesel::delete(sessions::table.filter(sessions::credential.ne(kept))).execute(c)?;
    Ok(())
}

/// Notes that a session was used.
pub(crate) fn touch(c: &mut Conn, id: &SessionId, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(sessions::table.find(id.as_str())).set(sessions::last_used_at.eq(Instant(now))).execute(c)?;
    Ok(())
}

/// The open sessions, oldest first.
pub(crate) fn list(c: &mut Conn, terms: &SessionTerms, now: Timestamp) -> Result<SessionList, StoreError> {
    let rows: Vec<SessionRow> = sessions::table
        .order((sessions::created_at, sessions::id))
        .limit(MOST)
        .select(SessionRow::as_select())
        .load(c)?;
    let open = rows.into_iter().filter(|row| row.is_open(terms, now)).map(SessionRow::into_session);
    let sessions: Vec<Session> = open.collect();
    Ok(SessionList { count: i64::try_from(sessions.len()).unwrap_or(i64::MAX), sessions })
}

/// Ends a session.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &SessionId) -> Result<(), StoreError> {
    let found: Option<SessionRow> =
        sessions::table.find(id.as_str()).select(SessionRow::as_select()).first(c).optional()?;
    let session = found.ok_or(StoreError::NotFound(Noun::Session))?.into_session();
    by.expects(&session)?;
    diesel::delete(sessions::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("session", id.as_str()), &session)
}

/// Removes the sessions that are over, and the oldest when there are too many.
fn forget(c: &mut Conn, terms: &SessionTerms, now: Timestamp) -> Result<(), StoreError> {
    let rows: Vec<SessionRow> = sessions::table
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select())
        .load(c)?;
    let (open, over): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_open(terms, now));
    let room = usize::try_from(MOST - 1).unwrap_or(usize::MAX);
    let gone: Vec<String> = over.into_iter().chain(open.into_iter().skip(room)).map(|row| row.id).collect();
    diesel::delete(sessions::table.filter(sessions::id.eq_any(gone))).execute(c)?;
    Ok(())
}
