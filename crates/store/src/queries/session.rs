//! Sessions. One of the administrator is open while its credential is in force, one of a management key while the key is, with the
//! secret that it had; both until they expire or lie idle for too long.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::authority::Authority;
use keyward_core::ids::{ManagementKeyId, SessionId};
use keyward_core::management_key::ManagementKey;
use keyward_core::secret::KeyHash;
use keyward_core::session::{Session, SessionList};

use super::{Conn, audit, management_key};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::sessions;
use crate::store::{CredentialStamp, OpenSession, SessionTerms};

/// The most sessions that the administrator has open at once, and each management key; the oldest make room.
const MOST: usize = 100;
/// The most sessions in a list.
const LONGEST: i64 = 1_000;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: String,
    credential: Vec<u8>,
    username: String,
    management_key_id: Option<String>,
    from_dashboard: bool,
    source: String,
    created_at: Instant,
    last_used_at: Instant,
    expires_at: Instant,
}

/// Who opened a session, as they are now.
enum Opener {
    Administrator,
    Key(ManagementKey),
    /// A management key that is not in force any more, or has another secret.
    Gone,
}

impl SessionRow {
    fn opener(&self, c: &mut Conn, now: Timestamp) -> Result<Opener, StoreError> {
        let Some(id) = self.management_key_id.as_deref() else { return Ok(Opener::Administrator) };
        let Ok(hash) = self.credential.as_slice().try_into() else { return Ok(Opener::Gone) };
        let found = management_key::find(c, KeyHash(hash))?;
        let in_force = found.filter(|key| key.id.as_str() == id && key.is_usable(now));
        Ok(in_force.map_or(Opener::Gone, Opener::Key))
    }

    /// The session, if it is open.
    fn open(self, c: &mut Conn, terms: &SessionTerms, now: Timestamp) -> Result<Option<OpenSession>, StoreError> {
        if now >= self.expires_at.0 || now.duration_since(self.last_used_at.0) >= terms.idle_limit {
            return Ok(None);
        }
        let key = match self.opener(c, now)? {
            Opener::Administrator if self.credential == terms.credential.0 => None,
            Opener::Key(key) => Some(key),
            Opener::Administrator | Opener::Gone => return Ok(None),
        };
        Ok(Some(OpenSession { session: self.into_session(), key }))
    }

    fn into_session(self) -> Session {
        let Self {
            id,
            credential: _,
            username,
            management_key_id,
            from_dashboard,
            source,
            created_at,
            last_used_at,
            expires_at,
        } = self;
        Session {
            id: id.into(),
            username,
            management_key_id: management_key_id.map(Into::into),
            from_dashboard,
            source,
            created_at: created_at.0,
            last_used_at: last_used_at.0,
            expires_at: expires_at.0,
        }
    }
}

/// Opens a session, and forgets those that are over. `credential` is that of its opener.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    session: &Session,
    token: KeyHash,
    credential: &[u8; 32],
    terms: &SessionTerms,
) -> Result<Session, StoreError> {
    forget(c, session, terms, by.change.at)?;
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session.id.as_str()),
            sessions::token_hash.eq(token.0.as_slice()),
            sessions::credential.eq(credential.as_slice()),
            sessions::username.eq(&session.username),
            sessions::management_key_id.eq(session.management_key_id.as_ref().map(ToString::to_string)),
            sessions::from_dashboard.eq(session.from_dashboard),
            sessions::source.eq(&session.source),
            sessions::created_at.eq(Instant(session.created_at)),
            sessions::last_used_at.eq(Instant(session.last_used_at)),
            sessions::expires_at.eq(Instant(session.expires_at)),
        ))
        .execute(c)?;
    let created: SessionRow = sessions::table.find(session.id.as_str()).select(SessionRow::as_select()).first(c)?;
    covers(c, by, &created)?;
    let created = created.into_session();
    audit::created(c, by, ("session", created.id.as_str()), &created)?;
    Ok(created)
}

/// Makes sure that the author may do all that the session may.
fn covers(c: &mut Conn, by: &Recorder, row: &SessionRow) -> Result<(), StoreError> {
    match row.opener(c, by.change.at)? {
        Opener::Key(key) => management_key::covers(c, by, &key),
        Opener::Administrator | Opener::Gone => Ok(()),
    }
}

/// The open session with this token.
pub(crate) fn find(
    c: &mut Conn,
    token: KeyHash,
    terms: &SessionTerms,
    now: Timestamp,
) -> Result<Option<OpenSession>, StoreError> {
    let found: Option<SessionRow> = sessions::table
        .filter(sessions::token_hash.eq(token.0.as_slice()))
        .select(SessionRow::as_select())
        .first(c)
        .optional()?;
    match found {
        Some(row) => row.open(c, terms, now),
        None => Ok(None),
    }
}

/// Whether a session has not ended, and its opener may still do what it could.
pub(super) fn stands(c: &mut Conn, id: &SessionId, authority: &Authority, now: Timestamp) -> Result<bool, StoreError> {
    let found: Option<SessionRow> =
        sessions::table.find(id.as_str()).select(SessionRow::as_select()).first(c).optional()?;
    let Some(row) = found else { return Ok(false) };
    Ok(match row.opener(c, now)? {
        Opener::Administrator => true,
        Opener::Key(key) => key.authority() == *authority,
        Opener::Gone => false,
    })
}

/// Ends every session of the administrator that another credential than this one opened.
pub(crate) fn keep_only(c: &mut Conn, credential: Option<&CredentialStamp>) -> Result<(), StoreError> {
    let kept = credential.map(|stamp| stamp.0.to_vec()).unwrap_or_default();
    let others = sessions::table.filter(sessions::management_key_id.is_null()).filter(sessions::credential.ne(kept));
    diesel::delete(others).execute(c)?;
    Ok(())
}

/// Ends every session of a management key.
pub(super) fn end_of_key(c: &mut Conn, id: &ManagementKeyId) -> Result<(), StoreError> {
    diesel::delete(sessions::table.filter(sessions::management_key_id.eq(id.as_str()))).execute(c)?;
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
        .limit(LONGEST)
        .select(SessionRow::as_select())
        .load(c)?;
    let mut sessions = Vec::with_capacity(rows.len());
    for row in rows {
        sessions.extend(row.open(c, terms, now)?.map(|open| open.session));
    }
    Ok(SessionList { count: i64::try_from(sessions.len()).unwrap_or(i64::MAX), sessions })
}

/// Ends a session.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &SessionId) -> Result<(), StoreError> {
    let found: Option<SessionRow> =
        sessions::table.find(id.as_str()).select(SessionRow::as_select()).first(c).optional()?;
    let row = found.ok_or(StoreError::NotFound(Noun::Session))?;
    covers(c, by, &row)?;
    let session = row.into_session();
    by.expects(&session)?;
    diesel::delete(sessions::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("session", id.as_str()), &session)
}

/// Removes the sessions that are over, and the oldest of the same opener when there are too many.
fn forget(c: &mut Conn, new: &Session, terms: &SessionTerms, now: Timestamp) -> Result<(), StoreError> {
    let rows: Vec<SessionRow> = sessions::table
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select())
        .load(c)?;
    let (mut gone, mut own) = (Vec::new(), 0_usize);
    for row in rows {
        let id = row.id.clone();
        match row.open(c, terms, now)? {
            None => gone.push(id),
            Some(open) if open.session.management_key_id == new.management_key_id => {
                own += 1;
                if own >= MOST {
                    gone.push(id);
                }
            }
            Some(_) => {}
        }
    }
    diesel::delete(sessions::table.filter(sessions::id.eq_any(gone))).execute(c)?;
    Ok(())
}
