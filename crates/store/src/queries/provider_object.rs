//! Objects that providers keep: found by those who made them, and by nobody else.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use jiff::Timestamp;
use keyward_core::ids::{RequestId, VirtualKeyId};
use keyward_core::provider_object::{ObjectKind, ObjectModel, ObjectState, ProviderObject};

use super::Conn;
use crate::error::StoreError;
use crate::instant::Instant;
use crate::schema::{ledger, provider_objects};

/// The most objects that one list has.
const MOST: i64 = 10_000;

/// Whether the virtual key that made it is gone.
const IS_LEFT: &str = "NOT EXISTS (SELECT 1 FROM virtual_keys v WHERE v.id = provider_objects.virtual_key_id)";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = provider_objects)]
struct ObjectRow {
    kind: String,
    provider: String,
    id: String,
    virtual_key_id: String,
    provider_key_id: String,
    request_id: String,
    endpoint: Option<String>,
    models: String,
    state: String,
    told: Option<String>,
    created_at: Instant,
    expires_at: Option<Instant>,
}

impl ObjectRow {
    fn of(object: &ProviderObject) -> Result<Self, StoreError> {
        let ProviderObject {
            kind,
            provider,
            id,
            virtual_key_id,
            provider_key_id,
            request_id,
            endpoint,
            models,
            state,
            told,
            created_at,
            expires_at,
        } = object;
        let names: Vec<[&str; 2]> = models.iter().map(|model| [model.asked.as_str(), model.served.as_str()]).collect();
        Ok(Self {
            kind: kind.as_str().to_owned(),
            provider: provider.to_string(),
            id: id.clone(),
            virtual_key_id: virtual_key_id.to_string(),
            provider_key_id: provider_key_id.to_string(),
            request_id: request_id.to_string(),
            endpoint: endpoint.clone(),
            models: serde_json::to_string(&names).map_err(StoreError::internal)?,
            state: state.as_str().to_owned(),
            told: told.clone(),
            created_at: Instant(*created_at),
            expires_at: expires_at.map(Instant),
        })
    }

    fn into_object(self) -> Result<ProviderObject, StoreError> {
        let Self {
            kind,
            provider,
            id,
            virtual_key_id,
            provider_key_id,
            request_id,
            endpoint,
            models,
            state,
            told,
            created_at,
            expires_at,
        } = self;
        let known = ObjectKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let done = ObjectState::ALL.into_iter().find(|known| known.as_str() == state);
        let names: Vec<[String; 2]> = serde_json::from_str(&models).map_err(StoreError::internal)?;
        let named = |[asked, served]: [String; 2]| ObjectModel { asked: asked.into(), served: served.into() };
        Ok(ProviderObject {
            kind: known.ok_or_else(|| StoreError::unreadable("the kind of an object", &kind))?,
            provider: provider.into(),
            id,
            virtual_key_id: virtual_key_id.into(),
            provider_key_id: provider_key_id.into(),
            request_id: request_id.into(),
            endpoint,
            models: names.into_iter().map(named).collect(),
            state: done.ok_or_else(|| StoreError::unreadable("the state of an object", &state))?,
            told,
            created_at: created_at.0,
            expires_at: expires_at.map(|instant| instant.0),
        })
    }
}

/// Writes objects down. One that is there already stays as it is, with its owner.
pub(crate) fn put(c: &mut Conn, objects: &[ProviderObject]) -> Result<(), StoreError> {
    for object in objects {
        let row = ObjectRow::of(object)?;
        diesel::insert_into(provider_objects::table).values(row).on_conflict_do_nothing().execute(c)?;
    }
    Ok(())
}

/// The object of this id that the virtual key has made.
pub(crate) fn find(
    c: &mut Conn,
    kind: ObjectKind,
    id: &str,
    virtual_key: &VirtualKeyId,
) -> Result<Option<ProviderObject>, StoreError> {
    let found: Option<ObjectRow> = provider_objects::table
        .filter(provider_objects::virtual_key_id.eq(virtual_key.as_str()))
        .filter(provider_objects::kind.eq(kind.as_str()))
        .filter(provider_objects::id.eq(id))
        .order(provider_objects::created_at.desc())
        .select(ObjectRow::as_select())
        .first(c)
        .optional()?;
    found.map(ObjectRow::into_object).transpose()
}

/// What the virtual key has made of a kind, newest first.
pub(crate) fn list(
    c: &mut Conn,
    kind: ObjectKind,
    virtual_key: &VirtualKeyId,
) -> Result<Vec<ProviderObject>, StoreError> {
    let rows: Vec<ObjectRow> = provider_objects::table
        .filter(provider_objects::virtual_key_id.eq(virtual_key.as_str()))
        .filter(provider_objects::kind.eq(kind.as_str()))
        .order((provider_objects::created_at.desc(), provider_objects::id.desc()))
        .limit(MOST)
        .select(ObjectRow::as_select())
        .load(c)?;
    rows.into_iter().map(ObjectRow::into_object).collect()
}

/// The batches that are not charged yet, oldest first.
pub(crate) fn open(c: &mut Conn) -> Result<Vec<ProviderObject>, StoreError> {
    let rows: Vec<ObjectRow> = provider_objects::table
        .filter(provider_objects::state.eq(ObjectState::Open.as_str()))
        .order((provider_objects::created_at, provider_objects::id))
        .limit(MOST)
        .select(ObjectRow::as_select())
        .load(c)?;
    rows.into_iter().map(ObjectRow::into_object).collect()
}

/// Whether the usage of what a request has made is still waited for.
pub(crate) fn is_awaited(c: &mut Conn, request: &RequestId) -> Result<bool, StoreError> {
    let open = provider_objects::table
        .filter(provider_objects::state.eq(ObjectState::Open.as_str()))
        .filter(provider_objects::request_id.eq(request.as_str()));
    Ok(diesel::select(exists(open)).get_result(c)?)
}

/// Notes what the provider says of an object.
pub(crate) fn tell(c: &mut Conn, object: &ProviderObject, told: &str) -> Result<(), StoreError> {
    let key = (object.kind.as_str(), object.provider.as_str(), object.id.as_str());
    diesel::update(provider_objects::table.find(key)).set(provider_objects::told.eq(told)).execute(c)?;
    Ok(())
}

/// Notes that nothing more is waited for of a batch, and until when it is kept.
pub(crate) fn close(
    c: &mut Conn,
    object: &ProviderObject,
    state: ObjectState,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let key = (object.kind.as_str(), object.provider.as_str(), object.id.as_str());
    let change =
        (provider_objects::state.eq(state.as_str()), provider_objects::expires_at.eq(Some(Instant(expires_at))));
    diesel::update(provider_objects::table.find(key)).set(change).execute(c)?;
    Ok(())
}

/// Forgets an object.
pub(crate) fn delete(c: &mut Conn, object: &ProviderObject) -> Result<(), StoreError> {
    let key = (object.kind.as_str(), object.provider.as_str(), object.id.as_str());
    diesel::delete(provider_objects::table.find(key)).execute(c)?;
    Ok(())
}

/// Forgets what has expired, and what virtual keys have left that are gone. Batches stay until their usage is known.
pub(crate) fn expire(c: &mut Conn, now: Timestamp) -> Result<usize, StoreError> {
    let settled = provider_objects::table.filter(provider_objects::state.ne(ObjectState::Open.as_str()));
    let expired = diesel::delete(settled.filter(provider_objects::expires_at.lt(Some(Instant(now))))).execute(c)?;
    let left = diesel::delete(settled.filter(sql::<Bool>(IS_LEFT))).execute(c)?;
    Ok(expired + left)
}

/// Which attempts of a request are in the ledger.
pub(crate) fn attempts(c: &mut Conn, request: &RequestId) -> Result<Vec<i32>, StoreError> {
    let of_request = ledger::table.filter(ledger::request_id.eq(request.as_str()));
    Ok(of_request.select(ledger::attempt).load(c)?)
}
