//! Pricing overrides.

use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::PricingOverrideId;
use keyward_core::invalid::Invalid;
use keyward_core::list::Listed;
use keyward_core::pricing_override::{MatchType, PricingOverride, PricingOverrideFilter, PricingScopeKind};
use serde::de::DeserializeOwned;

use super::search;
use super::{Backend, Conn, audit, folded, idempotency};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{pricing_overrides, provider_keys, providers, virtual_keys};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = pricing_overrides)]
struct PricingOverrideRow {
    id: String,
    name: String,
    scope_kind: String,
    virtual_key_id: Option<String>,
    provider_id: Option<String>,
    provider_key_id: Option<String>,
    match_type: String,
    pattern: String,
    request_types: String,
    patch: String,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl PricingOverrideRow {
    fn new(entry: &PricingOverride) -> Result<Self, StoreError> {
        Ok(Self {
            id: entry.id.to_string(),
            name: entry.name.clone(),
            scope_kind: entry.scope_kind.as_str().to_owned(),
            virtual_key_id: entry.virtual_key_id.as_ref().map(ToString::to_string),
            provider_id: entry.provider_id.as_ref().map(ToString::to_string),
            provider_key_id: entry.provider_key_id.as_ref().map(ToString::to_string),
            match_type: entry.match_type.as_str().to_owned(),
            pattern: entry.pattern.clone(),
            request_types: serde_json::to_string(&entry.request_types).map_err(StoreError::internal)?,
            patch: entry.patch.to_json(),
            config_hash: entry.config_hash.clone(),
            created_at: Instant(entry.created_at),
            updated_at: Instant(entry.updated_at),
        })
    }

    fn into_override(self) -> Result<PricingOverride, StoreError> {
        let Self {
            id,
            name,
            scope_kind,
            virtual_key_id,
            provider_id,
            provider_key_id,
            match_type,
            pattern,
            request_types,
            patch,
            config_hash,
            created_at,
            updated_at,
        } = self;
        let unreadable = |invalid| StoreError::unreadable("a pricing override", invalid);
        Ok(PricingOverride {
            id: id.into(),
            name,
            scope_kind: PricingScopeKind::parse(&scope_kind).map_err(unreadable)?,
            virtual_key_id: virtual_key_id.map(Into::into),
            provider_id: provider_id.map(Into::into),
            provider_key_id: provider_key_id.map(Into::into),
            match_type: MatchType::parse(&match_type).map_err(unreadable)?,
            pattern,
            request_types: json(&request_types)?,
            patch: json(&patch)?,
            pricing_patch: patch,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::unreadable("a pricing override", error))
}

/// Stores a new pricing override.
pub(crate) fn create(c: &mut Conn, by: &Recorder, entry: &PricingOverride) -> Result<PricingOverride, StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return get(c, &id.into());
    }
    check_references(c, entry, None)?;
    diesel::insert_into(pricing_overrides::table).values(PricingOverrideRow::new(entry)?).execute(c)?;
    idempotency::remember(c, by, entry.id.as_str())?;
    let created = get(c, &entry.id)?;
    audit::created(c, by, ("pricing_override", created.id.as_str()), &created)?;
    Ok(created)
}

/// What a pricing override is for must be there when it is named. It may go later: then nothing has that price.
fn check_references(c: &mut Conn, entry: &PricingOverride, before: Option<&PricingOverride>) -> Result<(), StoreError> {
    let refuse = |member: &str, what: String| Err(Invalid::at(member.into(), format!("{what} not found")).into());
    if let Some(id) =
        entry.virtual_key_id.as_ref().filter(|id| before.and_then(|old| old.virtual_key_id.as_ref()) != Some(id))
        && !diesel::select(exists(virtual_keys::table.find(id.as_str()))).get_result::<bool>(c)?
    {
        return refuse("virtual_key_id", format!("virtual key '{id}'"));
    }
    if let Some(name) =
        entry.provider_id.as_ref().filter(|name| before.and_then(|old| old.provider_id.as_ref()) != Some(name))
    {
        let named = providers::table.filter(providers::name.eq(name.as_str()));
        if !diesel::select(exists(named)).get_result::<bool>(c)? {
            return refuse("provider_id", format!("provider '{name}'"));
        }
    }
    if let Some(id) =
        entry.provider_key_id.as_ref().filter(|id| before.and_then(|old| old.provider_key_id.as_ref()) != Some(id))
    {
        let named = provider_keys::table.filter(provider_keys::id.eq(id.as_str()));
        if !diesel::select(exists(named)).get_result::<bool>(c)? {
            return refuse("provider_key_id", format!("provider key '{id}'"));
        }
    }
    Ok(())
}

/// One pricing override.
pub(crate) fn get(c: &mut Conn, id: &PricingOverrideId) -> Result<PricingOverride, StoreError> {
    let query = pricing_overrides::table.find(id.as_str()).select(PricingOverrideRow::as_select());
    let row: Option<PricingOverrideRow> = query.first(c).optional()?;
    row.ok_or(StoreError::NotFound(Noun::PricingOverride))?.into_override()
}

/// Every pricing override, oldest first.
pub(crate) fn load_all(c: &mut Conn) -> Result<Vec<PricingOverride>, StoreError> {
    let ordered = pricing_overrides::table.order((pricing_overrides::created_at, pricing_overrides::id));
    let rows: Vec<PricingOverrideRow> = ordered.select(PricingOverrideRow::as_select()).load(c)?;
    rows.into_iter().map(PricingOverrideRow::into_override).collect()
}

/// A page of pricing overrides, oldest first.
pub(crate) fn list(c: &mut Conn, filter: &PricingOverrideFilter) -> Result<Listed<PricingOverride>, StoreError> {
    let total = matching(filter).count().get_result(c)?;
    let ordered = matching(filter).order((pricing_overrides::created_at, pricing_overrides::id));
    let query = ordered.limit(filter.page.limit).offset(filter.page.offset);
    let rows: Vec<PricingOverrideRow> = query.select(PricingOverrideRow::as_select()).load(c)?;
    let entries = rows.into_iter().map(PricingOverrideRow::into_override).collect::<Result<Vec<_>, _>>()?;
    Ok(Listed { entries, total })
}

fn matching(filter: &PricingOverrideFilter) -> pricing_overrides::BoxedQuery<'static, Backend> {
    let PricingOverrideFilter { page, scope_kind, virtual_key_id, provider_id, provider_key_id } = filter;
    let mut query = pricing_overrides::table.into_boxed();
    if let Some(text) = &page.search {
        query = query.filter(folded(pricing_overrides::name).like(search::pattern(text)).escape('\\'));
    }
    if let Some(kind) = scope_kind {
        query = query.filter(pricing_overrides::scope_kind.eq(kind.as_str()));
    }
    if let Some(id) = virtual_key_id {
        query = query.filter(pricing_overrides::virtual_key_id.eq(id.to_string()));
    }
    if let Some(name) = provider_id {
        query = query.filter(pricing_overrides::provider_id.eq(name.to_string()));
    }
    if let Some(id) = provider_key_id {
        query = query.filter(pricing_overrides::provider_key_id.eq(id.to_string()));
    }
    query
}

/// Edits a pricing override: `edit` sees it as it is, and nobody else changes it until the edit is stored.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &PricingOverrideId,
    edit: impl FnOnce(&PricingOverride, Timestamp) -> Result<PricingOverride, Invalid>,
) -> Result<PricingOverride, StoreError> {
    let unchanged = pricing_overrides::updated_at.eq(pricing_overrides::updated_at);
    diesel::update(pricing_overrides::table.find(id.as_str())).set(unchanged).execute(c)?;
    let before = get(c, id)?;
    by.expects(&before)?;
    let after = edit(&before, by.change.after(before.updated_at))?;
    check_references(c, &after, Some(&before))?;
    write(c, &after)?;
    let after = get(c, id)?;
    audit::edited(c, by, ("pricing_override", id.as_str()), &before, &after)?;
    Ok(after)
}

fn write(c: &mut Conn, entry: &PricingOverride) -> Result<(), StoreError> {
    let row = PricingOverrideRow::new(entry)?;
    diesel::update(pricing_overrides::table.find(entry.id.as_str()))
        .set((
            pricing_overrides::name.eq(row.name),
            pricing_overrides::scope_kind.eq(row.scope_kind),
            pricing_overrides::virtual_key_id.eq(row.virtual_key_id),
            pricing_overrides::provider_id.eq(row.provider_id),
            pricing_overrides::provider_key_id.eq(row.provider_key_id),
            pricing_overrides::match_type.eq(row.match_type),
            pricing_overrides::pattern.eq(row.pattern),
            pricing_overrides::request_types.eq(row.request_types),
            pricing_overrides::patch.eq(row.patch),
            pricing_overrides::updated_at.eq(row.updated_at),
        ))
        .execute(c)?;
    Ok(())
}

/// Removes a pricing override.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &PricingOverrideId) -> Result<(), StoreError> {
    let before = get(c, id)?;
    by.expects(&before)?;
    diesel::delete(pricing_overrides::table.find(id.as_str())).execute(c)?;
    audit::deleted(c, by, ("pricing_override", id.as_str()), &before)
}
