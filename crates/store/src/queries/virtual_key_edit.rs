//! Virtual keys: making and editing. An edit writes the difference, and never changes what was used.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::ids::VirtualKeyId;
use keyward_core::invalid::Invalid;
use keyward_core::ledger::Adjustment;
use keyward_core::limits::ResetUsage;
use keyward_core::provider_config::{ProviderConfig, ProviderConfigDraft};
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::secret::{KeyHash, VirtualKeyValue};
use keyward_core::virtual_key::{VirtualKey, VirtualKeyDraft, VirtualKeyHashes};

use super::limit::{self, LimitOwner};
use super::virtual_key::{get, get_with_owner, lock};
use super::{Conn, audit, idempotency, mcp_config, meter, provider_config, reach, reference, virtual_key_metadata};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::virtual_keys;
use crate::seal::{Place, Sealer};
use crate::store::Reveal;

/// Stores a new virtual key, unless that was done before, and shows it with its secret and its owner.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    draft: &VirtualKeyDraft,
    value: &VirtualKeyValue,
    hash: KeyHash,
    sealer: &Sealer,
) -> Result<(VirtualKeyHashes, VirtualKey), StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return repeated(c, by, &id.into(), sealer);
    }
    insert(c, by, draft, value, hash, sealer)?;
    idempotency::remember(c, by, draft.id.as_str())?;
    get_with_owner(c, by.reach(), &draft.id, Reveal::Full, sealer)
}

/// Stores a new virtual key, its secret sealed and findable by `hash`. What comes back does not have its owner: an owner tells how many
/// virtual keys it has, and to count them for each of many takes longer with every one.
pub(crate) fn insert(
    c: &mut Conn,
    by: &Recorder,
    draft: &VirtualKeyDraft,
    value: &VirtualKeyValue,
    hash: KeyHash,
    sealer: &Sealer,
) -> Result<VirtualKey, StoreError> {
    let (team_id, customer_id) = by.reach().home(draft.team_id.clone(), draft.customer_id.clone());
    let draft = &VirtualKeyDraft { team_id, customer_id, ..draft.clone() };
    reach::may_make_key(c, by, draft.team_id.as_ref(), draft.customer_id.as_ref())?;
    let configs = reference::resolve(c, draft, None)?;
    let sealed = sealer.seal(value.expose(), Place::virtual_key(draft.id.as_str()))?;
    diesel::insert_into(virtual_keys::table)
        .values((
            virtual_keys::id.eq(draft.id.as_str()),
            virtual_keys::name.eq(&draft.name),
            virtual_keys::description.eq(&draft.description),
            virtual_keys::value_hash.eq(hash.0.as_slice()),
            virtual_keys::value_sealed.eq(sealed),
            virtual_keys::value_redacted.eq(value.redacted().expose()),
            virtual_keys::is_active.eq(draft.is_active),
            virtual_keys::allow_all_providers.eq(draft.allow_all_providers),
            virtual_keys::team_id.eq(draft.team_id.as_ref().map(|id| id.as_str())),
            virtual_keys::customer_id.eq(draft.customer_id.as_ref().map(|id| id.as_str())),
            virtual_keys::calendar_aligned.eq(draft.calendar_aligned),
            (
                virtual_keys::max_parallel_requests.eq(draft.max_parallel_requests.map(|cap| i64::from(cap.get()))),
                virtual_keys::expires_at.eq(draft.expires_at.map(Instant)),
                virtual_keys::delete_after_expire.eq(draft.delete_after_expire),
                virtual_keys::disable_content_logging.eq(draft.disable_content_logging),
                virtual_keys::config_hash.eq(""),
                virtual_keys::created_at.eq(Instant(draft.created_at)),
                virtual_keys::updated_at.eq(Instant(draft.updated_at)),
            ),
        ))
        .execute(c)?;
    limit::insert(c, &LimitOwner::VirtualKey(draft.id.to_string()), &draft.limits)?;
    for config in &configs {
        provider_config::insert(c, &draft.id, config)?;
    }
    mcp_config::write(c, &draft.id, &[], &draft.mcp_configs)?;
    virtual_key_metadata::replace(c, &draft.id, &draft.metadata)?;
    let (_, created) = get(c, by.reach(), &draft.id, Reveal::Redacted, sealer)?;
    audit::created(c, by, ("virtual_key", draft.id.as_str()), &created)?;
    Ok(created)
}

/// What a create made before. Its secret is shown once more, which is recorded; unless it is another one by now: whoever made the
/// first does not get to know that.
fn repeated(
    c: &mut Conn,
    by: &Recorder,
    id: &VirtualKeyId,
    sealer: &Sealer,
) -> Result<(VirtualKeyHashes, VirtualKey), StoreError> {
    let (hashes, key) = get_with_owner(c, by.reach(), id, Reveal::Redacted, sealer)?;
    if key.rotated_at.is_some() {
        return Ok((hashes, key));
    }
    reach::may_change_key(c, by, key.team_id.as_ref(), key.customer_id.as_ref())?;
    audit::shown(c, by, ("virtual_key", id.as_str()))?;
    get_with_owner(c, by.reach(), id, Reveal::Full, sealer)
}

/// A virtual key after an edit, and what the edit took off its meters.
pub(crate) type Edited = ((VirtualKeyHashes, VirtualKey), Vec<Adjustment>);

/// Edits a virtual key: `edit` sees it as it is, and nobody else changes it until the edit is stored.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &VirtualKeyId,
    reveal: Reveal,
    sealer: &Sealer,
    edit: impl FnOnce(&VirtualKey, Timestamp) -> Result<VirtualKeyDraft, Invalid>,
) -> Result<Edited, StoreError> {
    lock(c, by, id)?;
    let (_, before) = get(c, by.reach(), id, Reveal::Redacted, sealer)?;
    by.expects(&before)?;
    let now = by.change.after(before.updated_at);
    let draft = edit(&before, now)?;
    reach::may_make_key(c, by, draft.team_id.as_ref(), draft.customer_id.as_ref())?;
    let configs = reference::resolve(c, &draft, Some(&before))?;
    write(c, id, &draft)?;
    limit::update(c, &LimitOwner::VirtualKey(id.to_string()), &before.limits(), &draft.limits)?;
    write_configs(c, id, &before.provider_configs, &configs)?;
    mcp_config::write(c, id, &before.mcp_configs, &draft.mcp_configs)?;
    let (_, after) = get(c, by.reach(), id, Reveal::Redacted, sealer)?;
    adopt_windows(c, &after, now)?;
    let adjustments = match draft.reset_budget_usage {
        ResetUsage::Yes => meter::reset(c, after.all_budgets().map(|budget| &budget.id), now)?,
        ResetUsage::No => Vec::new(),
    };
    audit::edited(c, by, ("virtual_key", id.as_str()), &before, &after)?;
    Ok((get_with_owner(c, by.reach(), id, reveal, sealer)?, adjustments))
}

/// The draft's own columns. Its secret is not edited.
fn write(c: &mut Conn, id: &VirtualKeyId, draft: &VirtualKeyDraft) -> Result<(), StoreError> {
    diesel::update(virtual_keys::table.find(id.as_str()))
        .set((
            virtual_keys::name.eq(&draft.name),
            virtual_keys::description.eq(&draft.description),
            virtual_keys::is_active.eq(draft.is_active),
            virtual_keys::allow_all_providers.eq(draft.allow_all_providers),
            virtual_keys::team_id.eq(draft.team_id.as_ref().map(|id| id.as_str())),
            virtual_keys::customer_id.eq(draft.customer_id.as_ref().map(|id| id.as_str())),
            virtual_keys::max_parallel_requests.eq(draft.max_parallel_requests.map(|cap| i64::from(cap.get()))),
            virtual_keys::calendar_aligned.eq(draft.calendar_aligned),
            virtual_keys::expires_at.eq(draft.expires_at.map(Instant)),
            virtual_keys::delete_after_expire.eq(draft.delete_after_expire),
            virtual_keys::disable_content_logging.eq(draft.disable_content_logging),
            virtual_keys::updated_at.eq(Instant(draft.updated_at)),
        ))
        .execute(c)?;
    virtual_key_metadata::replace(c, id, &draft.metadata)
}

fn write_configs(
    c: &mut Conn,
    id: &VirtualKeyId,
    before: &[ProviderConfig],
    after: &[ProviderConfigDraft],
) -> Result<(), StoreError> {
    for config in before.iter().filter(|config| after.iter().all(|draft| draft.id != Some(config.id))) {
        provider_config::delete(c, config)?;
    }
    for draft in after {
        match before.iter().find(|config| draft.id == Some(config.id)) {
            Some(config) => provider_config::update(c, config, draft)?,
            None => provider_config::insert(c, id, draft)?,
        }
    }
    Ok(())
}

/// Counters move into the windows of the edited policies; usage goes with them.
fn adopt_windows(c: &mut Conn, key: &VirtualKey, now: Timestamp) -> Result<(), StoreError> {
    let scope = Scope { kind: ScopeKind::VirtualKey, id: key.id.as_str().into() };
    limit::adopt_windows(c, &key.limits(), &scope, now)?;
    let mut of_configs = key.provider_configs.iter().flat_map(ProviderConfig::all_limits);
    of_configs.try_for_each(|(scope, limits)| limit::adopt_windows(c, &limits, &scope, now))
}
