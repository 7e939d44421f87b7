//! The server's configuration: one row.

use diesel::prelude::*;
use jiff::Timestamp;
use keyward_core::invalid::Invalid;
use keyward_core::server_config::RotationCooldown;

use super::{Conn, audit, session};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{server_config, virtual_keys};
use crate::store::{ConfigRecord, StoredAuth, StoredPassword};

#[derive(Queryable, Selectable, AsChangeset)]
#[diesel(table_name = server_config, treat_none_as_null = true)]
struct ConfigRow {
    rotation_cooldown: i64,
    allowed_origins: String,
    auth_is_enabled: Option<bool>,
    admin_username: Option<String>,
    admin_password_hash: Option<String>,
    admin_password_variable: Option<String>,
    updated_at: Instant,
}

impl ConfigRow {
    fn new(record: &ConfigRecord) -> Result<Self, StoreError> {
        let ConfigRecord { rotation_cooldown, allowed_origins, auth, updated_at } = record.clone();
        let (is_enabled, username, password) = match auth {
            Some(StoredAuth { is_enabled, username, password }) => (Some(is_enabled), username, password),
            None => (None, None, None),
        };
        let (hash, variable) = match password {
            Some(StoredPassword::Hash(hash)) => (Some(hash), None),
            Some(StoredPassword::Variable(name)) => (None, Some(name)),
            None => (None, None),
        };
        Ok(Self {
            rotation_cooldown: rotation_cooldown.nanoseconds(),
            allowed_origins: serde_json::to_string(&allowed_origins).map_err(StoreError::internal)?,
            auth_is_enabled: is_enabled,
            admin_username: username,
            admin_password_hash: hash,
            admin_password_variable: variable,
            updated_at: Instant(updated_at),
        })
    }

    fn into_record(self) -> Result<ConfigRecord, StoreError> {
        let Self {
            rotation_cooldown,
            allowed_origins,
            auth_is_enabled,
            admin_username,
            admin_password_hash,
            admin_password_variable,
            updated_at,
        } = self;
        let unreadable = |error| StoreError::unreadable("the rotation cooldown", error);
        let origins = serde_json::from_str(&allowed_origins);
        let hash = admin_password_hash.map(StoredPassword::Hash);
        let password = hash.or(admin_password_variable.map(StoredPassword::Variable));
        Ok(ConfigRecord {
            rotation_cooldown: RotationCooldown::from_nanoseconds(rotation_cooldown).map_err(unreadable)?,
            allowed_origins: origins.map_err(|error| StoreError::unreadable("the list of origins", error))?,
            auth: auth_is_enabled.map(|is_enabled| StoredAuth { is_enabled, username: admin_username, password }),
            updated_at: updated_at.0,
        })
    }
}

/// What the API has said.
pub(crate) fn get(c: &mut Conn) -> Result<ConfigRecord, StoreError> {
    let row: ConfigRow = server_config::table.find(1).select(ConfigRow::as_select()).first(c)?;
    row.into_record()
}

/// Edits the configuration to what `edit` makes of it.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    edit: impl FnOnce(ConfigRecord, Timestamp) -> Result<ConfigRecord, Invalid>,
) -> Result<ConfigRecord, StoreError> {
    // The row is ours from here on.
    diesel::update(server_config::table.find(1)).set(server_config::id.eq(1)).execute(c)?;
    let before = get(c)?;
    let (shown, auth) = (before.shown(), before.auth.clone());
    by.expects(&shown)?;
    let at = by.change.after(before.updated_at);
    let after = ConfigRecord { updated_at: at, ..edit(before, at)? };
    diesel::update(server_config::table.find(1)).set(ConfigRow::new(&after)?).execute(c)?;
    if after.auth != auth {
        session::keep_only(c, None)?;
    }
    if after.rotation_cooldown == RotationCooldown::default() {
        end_cooldowns(c, at)?;
    }
    audit::edited(c, by, ("config", "server"), &shown, &after.shown())?;
    get(c)
}

/// The hash of what the configuration file said last.
pub(super) fn config_hash(c: &mut Conn) -> Result<String, StoreError> {
    Ok(server_config::table.find(1).select(server_config::config_hash).first(c)?)
}

/// From now on no virtual key's old value works.
fn end_cooldowns(c: &mut Conn, at: Timestamp) -> Result<(), StoreError> {
    diesel::update(virtual_keys::table.filter(virtual_keys::previous_value_hash.is_not_null()))
        .set((
            virtual_keys::previous_value_hash.eq(None::<Vec<u8>>),
            virtual_keys::previous_value_expires_at.eq(None::<Instant>),
            virtual_keys::updated_at.eq(Instant(at)),
        ))
        .execute(c)?;
    Ok(())
}
