//! The audit log: appended in the transaction of the change that it tells of.

use diesel::prelude::*;
use keyward_core::audit::{AuditEntry, AuditFilter, AuditList, AuditVerification, configuration};
use keyward_core::change::{Actor, ActorKind};
use serde::Serialize;

use super::{Backend, Conn};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::{AuditChain, Recorder};
use crate::schema::{audit_head, audit_log};

/// What a change was about: the kind of thing, and its id.
type Subject<'a> = (&'static str, &'a str);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log)]
struct AuditRow {
    sequence: i64,
    at: Instant,
    actor_kind: String,
    actor_name: String,
    actor_id: String,
    source: String,
    request_id: String,
    action: String,
    resource: String,
    resource_id: String,
    state_before: Option<String>,
    state_after: Option<String>,
    hash: Vec<u8>,
}

impl AuditRow {
    /// What the hash covers. A JSON list keeps the members apart, whatever is in them.
    fn content(&self) -> Result<Vec<u8>, StoreError> {
        let Self {
            sequence,
            at,
            actor_kind,
            actor_name,
            actor_id,
            source,
            request_id,
            action,
            resource,
            resource_id,
            state_before,
            state_after,
            hash: _,
        } = self;
        let who = (actor_kind, actor_name, actor_id, source, request_id);
        let what = (action, resource, resource_id, state_before, state_after);
        serde_json::to_vec(&(sequence, at.0.as_microsecond(), who, what)).map_err(StoreError::internal)
    }

    fn into_entry(self) -> Result<AuditEntry, StoreError> {
        let Self {
            sequence,
            at,
            actor_kind,
            actor_name,
            actor_id,
            source,
            request_id,
            action,
            resource,
            resource_id,
            state_before,
            state_after,
            hash,
        } = self;
        let kind = ActorKind::ALL.into_iter().find(|kind| kind.as_str() == actor_kind);
        let kind = kind.ok_or_else(|| StoreError::unreadable("a kind of actor", actor_kind))?;
        let state = |text: Option<String>| {
            let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
            parsed.map_err(|error| StoreError::unreadable("a state in the audit log", error))
        };
        Ok(AuditEntry {
            sequence,
            at: at.0,
            actor: Actor { kind, name: actor_name, id: actor_id },
            source,
            request_id: request_id.into(),
            action,
            resource,
            resource_id,
            before: state(state_before)?,
            after: state(state_after)?,
            hash: hexadecimal(&hash),
        })
    }
}

/// Records that something was made.
pub(super) fn created(
    c: &mut Conn,
    by: &Recorder,
    subject: Subject<'_>,
    after: &impl Serialize,
) -> Result<(), StoreError> {
    record(c, by, subject, None, Some(state(after)?))
}

/// Records that something was edited.
pub(super) fn edited<T: Serialize>(
    c: &mut Conn,
    by: &Recorder,
    subject: Subject<'_>,
    before: &T,
    after: &T,
) -> Result<(), StoreError> {
    record(c, by, subject, Some(state(before)?), Some(state(after)?))
}

/// Records that something was deleted.
pub(super) fn deleted(
    c: &mut Conn,
    by: &Recorder,
    subject: Subject<'_>,
    before: &impl Serialize,
) -> Result<(), StoreError> {
    record(c, by, subject, Some(state(before)?), None)
}

/// Records that a secret was shown: nothing has changed, but somebody knows more.
pub(super) fn shown(c: &mut Conn, by: &Recorder, subject: Subject<'_>) -> Result<(), StoreError> {
    record(c, by, subject, None, None)
}

fn state(thing: &impl Serialize) -> Result<String, StoreError> {
    let value = serde_json::to_value(thing).map_err(StoreError::internal)?;
    serde_json::to_string(&configuration(value)).map_err(StoreError::internal)
}

fn record(
    c: &mut Conn,
    by: &Recorder,
    (resource, resource_id): Subject<'_>,
    state_before: Option<String>,
    state_after: Option<String>,
) -> Result<(), StoreError> {
    by.ensure_checked()?;
    // The row is ours from here on, so that no two entries follow the same one.
    let (sequence, previous): (i64, Vec<u8>) = diesel::update(audit_head::table.find(1))
        .set(audit_head::sequence.eq(audit_head::sequence + 1))
        .returning((audit_head::sequence, audit_head::hash))
        .get_result(c)?;
    let author = &by.change.author;
    let mut row = AuditRow {
        sequence,
        at: Instant(by.change.at),
        actor_kind: author.actor.kind.as_str().to_owned(),
        actor_name: author.actor.name.clone(),
        actor_id: author.actor.id.clone(),
        source: author.source.clone(),
        request_id: author.request_id.to_string(),
        action: by.change.operation.to_owned(),
        resource: resource.to_owned(),
        resource_id: resource_id.to_owned(),
        state_before,
        state_after,
        hash: Vec::new(),
    };
    row.hash = by.chain().link(&previous, &row.content()?);
    diesel::update(audit_head::table.find(1)).set(audit_head::hash.eq(&row.hash)).execute(c)?;
    diesel::insert_into(audit_log::table).values(row).execute(c)?;
    Ok(())
}

/// A page of entries, newest first.
pub(crate) fn list(c: &mut Conn, filter: &AuditFilter) -> Result<AuditList, StoreError> {
    let mut rows: Vec<AuditRow> = matching(filter)
        .order(audit_log::sequence.desc())
        .limit(filter.limit.saturating_add(1))
        .select(AuditRow::as_select())
        .load(c)?;
    let page = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > page;
    rows.truncate(page);
    let entries = rows.into_iter().map(AuditRow::into_entry).collect::<Result<Vec<_>, _>>()?;
    Ok(AuditList {
        count: i64::try_from(entries.len()).unwrap_or(i64::MAX),
        next: entries.last().filter(|_| has_more).map(|entry| entry.sequence),
        entries,
    })
}

fn matching(filter: &AuditFilter) -> audit_log::BoxedQuery<'static, Backend> {
    let AuditFilter { limit: _, before, action, resource, resource_id, actor, since, until } = filter.clone();
    let mut query = audit_log::table.into_boxed();
    if let Some(before) = before {
        query = query.filter(audit_log::sequence.lt(before));
    }
    if let Some(action) = action {
        query = query.filter(audit_log::action.eq(action));
    }
    if let Some(resource) = resource {
        query = query.filter(audit_log::resource.eq(resource));
    }
    if let Some(id) = resource_id {
        query = query.filter(audit_log::resource_id.eq(id));
    }
    if let Some(actor) = actor {
        query = query.filter(audit_log::actor_name.eq(actor));
    }
    if let Some(since) = since {
        query = query.filter(audit_log::at.ge(Instant(since)));
    }
    if let Some(until) = until {
        query = query.filter(audit_log::at.lt(Instant(until)));
    }
    query
}

/// How many entries a verification reads at once.
const STRIDE: i64 = 1_000;

/// Follows the chain from its first entry to its last.
pub(crate) fn verify(c: &mut Conn, chain: &AuditChain) -> Result<AuditVerification, StoreError> {
    let (last, head): (i64, Vec<u8>) =
        audit_head::table.find(1).select((audit_head::sequence, audit_head::hash)).first(c)?;
    let (mut entries, mut previous) = (0, Vec::new());
    loop {
        let rows: Vec<AuditRow> = audit_log::table
            .filter(audit_log::sequence.gt(entries))
            .order(audit_log::sequence)
            .limit(STRIDE)
            .select(AuditRow::as_select())
            .load(c)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let follows = row.sequence == entries + 1 && chain.link(&previous, &row.content()?) == row.hash;
            if !follows {
                return Ok(broken(entries, &previous));
            }
            (entries, previous) = (row.sequence, row.hash);
        }
    }
    if entries != last || previous != head {
        return Ok(broken(entries, &previous));
    }
    Ok(AuditVerification { intact: true, entries, head: hexadecimal(&previous), broken_at: None })
}

/// The chain is whole up to the entry `whole`, and no further.
fn broken(whole: i64, head: &[u8]) -> AuditVerification {
    AuditVerification { intact: false, entries: whole, head: hexadecimal(head), broken_at: Some(whole + 1) }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
