//! Management keys. Of a secret only its keyed hash is stored. Nobody changes a key that may do more than they may.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::authority::Reach;
use keyward_core::ids::ManagementKeyId;
use keyward_core::invalid::Invalid;
use keyward_core::list::{Listed, Page};
use keyward_core::management_key::ManagementKey;
use keyward_core::secret::KeyHash;

use super::{Backend, Conn, audit, folded, idempotency, reach, reference, search, session};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{management_keys, teams};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = management_keys, treat_none_as_null = true)]
struct KeyRow {
    id: String,
    name: String,
    description: String,
    permissions: String,
    team_id: Option<String>,
    customer_id: Option<String>,
    is_active: bool,
    expires_at: Option<Instant>,
    created_at: Instant,
    updated_at: Instant,
}

impl KeyRow {
    fn new(key: &ManagementKey) -> Result<Self, StoreError> {
        let ManagementKey {
            id,
            name,
            description,
            permissions,
            team_id,
            customer_id,
            is_active,
            expires_at,
            created_at,
            updated_at,
        } = key.clone();
        Ok(Self {
            id: id.to_string(),
            name,
            description,
            permissions: serde_json::to_string(&permissions).map_err(StoreError::internal)?,
            team_id: team_id.map(|id| id.to_string()),
            customer_id: customer_id.map(|id| id.to_string()),
            is_active,
            expires_at: expires_at.map(Instant),
            created_at: Instant(created_at),
            updated_at: Instant(updated_at),
        })
    }

    fn into_key(self) -> Result<ManagementKey, StoreError> {
        let Self {
            id,
            name,
            description,
            permissions,
            team_id,
            customer_id,
            is_active,
            expires_at,
            created_at,
            updated_at,
        } = self;
        let permissions = serde_json::from_str(&permissions);
        Ok(ManagementKey {
            id: id.into(),
            name,
            description,
            permissions: permissions.map_err(|error| StoreError::unreadable("a list of permissions", error))?,
            team_id: team_id.map(Into::into),
            customer_id: customer_id.map(Into::into),
            is_active,
            expires_at: expires_at.map(|instant| instant.0),
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }
}

/// Stores a new key that is found by `hash`. Says whether it is new, or was made by the same request before.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    key: &ManagementKey,
    hash: KeyHash,
) -> Result<(ManagementKey, bool), StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return Ok((get(c, by.reach(), &id.into())?, false));
    }
    check(c, by, key)?;
    diesel::insert_into(management_keys::table)
        .values((KeyRow::new(key)?, management_keys::value_hash.eq(hash.0.as_slice())))
        .execute(c)?;
    idempotency::remember(c, by, key.id.as_str())?;
    let created = get(c, by.reach(), &key.id)?;
    audit::created(c, by, ("management_key", created.id.as_str()), &created)?;
    Ok((created, true))
}

/// One key.
pub(crate) fn get(c: &mut Conn, reach: &Reach, id: &ManagementKeyId) -> Result<ManagementKey, StoreError> {
    let found: Option<KeyRow> = matching(reach, &Page::default())
        .filter(management_keys::id.eq(id.to_string()))
        .select(KeyRow::as_select())
        .first(c)
        .optional()?;
    found.ok_or(StoreError::NotFound(Noun::ManagementKey))?.into_key()
}

/// A page of keys, oldest first.
pub(crate) fn list(c: &mut Conn, reach: &Reach, page: &Page) -> Result<Listed<ManagementKey>, StoreError> {
    let total = matching(reach, page).count().get_result(c)?;
    let rows: Vec<KeyRow> = matching(reach, page)
        .order((management_keys::created_at, management_keys::id))
        .limit(page.limit)
        .offset(page.offset)
        .select(KeyRow::as_select())
        .load(c)?;
    Ok(Listed { entries: rows.into_iter().map(KeyRow::into_key).collect::<Result<_, _>>()?, total })
}

/// The key with this hash.
pub(crate) fn find(c: &mut Conn, hash: KeyHash) -> Result<Option<ManagementKey>, StoreError> {
    let found: Option<KeyRow> = management_keys::table
        .filter(management_keys::value_hash.eq(hash.0.as_slice()))
        .select(KeyRow::as_select())
        .first(c)
        .optional()?;
    found.map(KeyRow::into_key).transpose()
}

/// Edits a key to what `edit` makes of it.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &ManagementKeyId,
    edit: impl FnOnce(&ManagementKey, Timestamp) -> Result<ManagementKey, Invalid>,
) -> Result<ManagementKey, StoreError> {
    let before = take(c, by, id)?;
    let after = edit(&before, by.change.after(before.updated_at))?;
    check(c, by, &after)?;
    diesel::update(management_keys::table.find(id.as_str())).set(KeyRow::new(&after)?).execute(c)?;
    if !(before.is_usable(by.change.at) && after.is_usable(by.change.at)) {
        session::end_of_key(c, id)?;
    }
    let after = get(c, by.reach(), id)?;
    audit::edited(c, by, ("management_key", id.as_str()), &before, &after)?;
    Ok(after)
}

/// Gives a key another secret; the old one is refused from now on.
pub(crate) fn rotate(
    c: &mut Conn,
    by: &Recorder,
    id: &ManagementKeyId,
    hash: KeyHash,
) -> Result<ManagementKey, StoreError> {
    let before = take(c, by, id)?;
    let at = Instant(by.change.after(before.updated_at));
    session::end_of_key(c, id)?;
    diesel::update(management_keys::table.find(id.as_str()))
        .set((management_keys::value_hash.eq(hash.0.as_slice()), management_keys::updated_at.eq(at)))
        .execute(c)?;
    let after = get(c, by.reach(), id)?;
    audit::edited(c, by, ("management_key", id.as_str()), &before, &after)?;
    Ok(after)
}

/// Removes a key: it is refused from now on.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &ManagementKeyId) -> Result<(), StoreError> {
    let before = take(c, by, id)?;
    diesel::delete(management_keys::table.find(id.as_str())).execute(c)?;
    session::end_of_key(c, id)?;
    audit::deleted(c, by, ("management_key", id.as_str()), &before)
}

/// Keeps others from changing the key until the unit of work ends, if its author may change it.
fn take(c: &mut Conn, by: &Recorder, id: &ManagementKeyId) -> Result<ManagementKey, StoreError> {
    let unchanged = management_keys::updated_at.eq(management_keys::updated_at);
    diesel::update(management_keys::table.find(id.as_str())).set(unchanged).execute(c)?;
    let before = get(c, by.reach(), id)?;
    covers(c, by, &before)?;
    by.expects(&before)?;
    Ok(before)
}

/// The key refers to what is there, and its author may do all that it allows.
fn check(c: &mut Conn, by: &Recorder, key: &ManagementKey) -> Result<(), StoreError> {
    covers(c, by, key)?;
    reference::check_team(c, key.team_id.as_ref())?;
    reference::check_customer(c, key.customer_id.as_ref())
}

/// Makes sure that the author may do all that the key allows.
pub(super) fn covers(c: &mut Conn, by: &Recorder, key: &ManagementKey) -> Result<(), StoreError> {
    let customer = reach::customer_of(c, key.team_id.as_ref())?;
    by.covers(&key.authority(), customer.as_ref())
}

fn matching(reach: &Reach, page: &Page) -> management_keys::BoxedQuery<'static, Backend> {
    let query = match reach {
        Reach::Everything => management_keys::table.into_boxed(),
        Reach::Team(id) => management_keys::table.filter(management_keys::team_id.eq(id.to_string())).into_boxed(),
        Reach::Customer(id) => {
            let teams = teams::table.filter(teams::customer_id.eq(id.to_string())).select(teams::id.nullable());
            let own = management_keys::customer_id.eq(id.to_string()).or(management_keys::team_id.eq_any(teams));
            management_keys::table.filter(own.assume_not_null()).into_boxed()
        }
    };
    match &page.search {
        Some(text) => query.filter(folded(management_keys::name).like(search::pattern(text)).escape('\\')),
        None => query,
    }
}
