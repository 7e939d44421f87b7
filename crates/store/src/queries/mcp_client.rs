//! MCP clients. What is secret in them is sealed, and opened only to be kept in an edit.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::Bool;
use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::ids::{McpClientId, VirtualKeyId};
use keyward_core::invalid::Invalid;
use keyward_core::list::Listed;
use keyward_core::mcp_client::{
    McpAuthType, McpClient, McpClientDraft, McpClientEntry, McpClientFilter, McpClientVirtualKeys, McpConnectionType,
};
use keyward_core::secret::EnvVar;

use super::provider_key::{allow_list, allow_list_json, document, document_json};
use super::search::{self, CHUNK};
use super::{Backend, Conn, audit, folded, idempotency, mcp_client_keys};
use crate::error::{Noun, StoreError};
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::{mcp_clients, mcp_configs};
use crate::seal::{Place, Sealer};
use crate::sealed_map::SealedMap;

/// Everything but the secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = mcp_clients)]
struct McpClientRow {
    number: i64,
    id: String,
    name: String,
    connection_type: String,
    auth_type: String,
    connection_shown: String,
    stdio_config: Option<String>,
    allowed_extra_headers: String,
    tools_to_execute: String,
    tools_to_auto_execute: String,
    tool_pricing: String,
    tool_sync_interval: i64,
    tool_execution_timeout: i64,
    is_code_mode_client: bool,
    is_ping_available: bool,
    allow_on_all_virtual_keys: bool,
    disabled: bool,
    config_hash: String,
    created_at: Instant,
    updated_at: Instant,
}

impl McpClientRow {
    fn into_client(self) -> Result<McpClient, StoreError> {
        let Self {
            number,
            id,
            name,
            connection_type,
            auth_type,
            connection_shown,
            stdio_config,
            allowed_extra_headers,
            tools_to_execute,
            tools_to_auto_execute,
            tool_pricing,
            tool_sync_interval,
            tool_execution_timeout,
            is_code_mode_client,
            is_ping_available,
            allow_on_all_virtual_keys,
            disabled,
            config_hash,
            created_at,
            updated_at,
        } = self;
        let kind = McpConnectionType::find(&connection_type);
        let auth = McpAuthType::find(&auth_type);
        let client = McpClient {
            id: number,
            client_id: id.into(),
            name,
            is_code_mode_client,
            connection_type: kind.ok_or_else(|| StoreError::unreadable("a connection type", &connection_type))?,
            connection_string: None,
            stdio_config: stdio_config.map(|json| document("a program", &json)).transpose()?,
            auth_type: auth.ok_or_else(|| StoreError::unreadable("an auth type", &auth_type))?,
            headers: BTreeMap::new(),
            allowed_extra_headers: allow_list(&allowed_extra_headers)?,
            tools_to_execute: allow_list(&tools_to_execute)?,
            tools_to_auto_execute: allow_list(&tools_to_auto_execute)?,
            is_ping_available,
            tool_sync_interval,
            tool_execution_timeout,
            tool_pricing: document("prices of tools", &tool_pricing)?,
            allow_on_all_virtual_keys,
            disabled,
            config_hash,
            created_at: created_at.0,
            updated_at: updated_at.0,
        };
        Ok(client.with_secrets(document("a connection", &connection_shown)?))
    }
}

/// The columns that an edit writes.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = mcp_clients, treat_none_as_null = true)]
struct Columns {
    name: String,
    connection_type: &'static str,
    auth_type: &'static str,
    connection_shown: String,
    connection_sealed: Option<Vec<u8>>,
    stdio_config: Option<String>,
    allowed_extra_headers: String,
    tools_to_execute: String,
    tools_to_auto_execute: String,
    tool_pricing: String,
    tool_sync_interval: i64,
    tool_execution_timeout: i64,
    is_code_mode_client: bool,
    is_ping_available: bool,
    allow_on_all_virtual_keys: bool,
    disabled: bool,
    updated_at: Instant,
}

impl Columns {
    /// What the draft makes of the secrets that were, and everything else.
    fn of(draft: &McpClientDraft, secrets: SealedMap<String>, sealer: &Sealer) -> Result<Self, StoreError> {
        let McpClientDraft { client, connection_string: _, headers: _ } = draft;
        let secrets = secrets.edited(&draft.secrets(), |_, _| true)?;
        Ok(Self {
            name: client.name.clone(),
            connection_type: client.connection_type.as_str(),
            auth_type: client.auth_type.as_str(),
            connection_shown: document_json(&secrets.shown)?,
            connection_sealed: secrets.seal(Place::mcp_connection(client.client_id.as_str()), sealer)?,
            stdio_config: client.stdio_config.as_ref().map(document_json).transpose()?,
            allowed_extra_headers: allow_list_json(&client.allowed_extra_headers)?,
            tools_to_execute: allow_list_json(&client.tools_to_execute)?,
            tools_to_auto_execute: allow_list_json(&client.tools_to_auto_execute)?,
            tool_pricing: document_json(&client.tool_pricing)?,
            tool_sync_interval: client.tool_sync_interval,
            tool_execution_timeout: client.tool_execution_timeout,
            is_code_mode_client: client.is_code_mode_client,
            is_ping_available: client.is_ping_available,
            allow_on_all_virtual_keys: client.allow_on_all_virtual_keys,
            disabled: client.disabled,
            updated_at: Instant(client.updated_at),
        })
    }
}

/// Stores a new client.
pub(crate) fn create(
    c: &mut Conn,
    by: &Recorder,
    draft: &McpClientDraft,
    sealer: &Sealer,
) -> Result<McpClientEntry, StoreError> {
    if let Some(id) = idempotency::earlier(c, by)? {
        return get(c, &id.into());
    }
    let id = &draft.client.client_id;
    if diesel::select(diesel::dsl::exists(of_id(id))).get_result(c)? {
        let message = "An MCP client with this client_id already exists";
        return Err(StoreError::Taken(Invalid::at("client_id".into(), message)));
    }
    diesel::insert_into(mcp_clients::table)
        .values((
            mcp_clients::id.eq(id.as_str()),
            Columns::of(draft, SealedMap::empty(), sealer)?,
            mcp_clients::config_hash.eq(&draft.client.config_hash),
            mcp_clients::created_at.eq(Instant(draft.client.created_at)),
        ))
        .execute(c)?;
    idempotency::remember(c, by, id.as_str())?;
    let created = client(c, id)?;
    audit::created(c, by, ("mcp_client", id.as_str()), &created)?;
    get(c, id)
}

/// The row with this id.
#[diesel::dsl::auto_type(no_type_alias)]
fn of_id(id: &McpClientId) -> _ {
    let id: &str = id.as_str();
    mcp_clients::table.filter(mcp_clients::id.eq(id))
}

/// One client by itself.
pub(super) fn client(c: &mut Conn, id: &McpClientId) -> Result<McpClient, StoreError> {
    let row: Option<McpClientRow> = of_id(id).select(McpClientRow::as_select()).first(c).optional()?;
    row.ok_or(StoreError::NotFound(Noun::McpClient))?.into_client()
}

/// The client of this name.
pub(super) fn of_name(c: &mut Conn, name: &str) -> Result<McpClient, StoreError> {
    let query = mcp_clients::table.filter(mcp_clients::name.eq(name));
    let row: Option<McpClientRow> = query.select(McpClientRow::as_select()).first(c).optional()?;
    row.ok_or(StoreError::NotFound(Noun::McpClient))?.into_client()
}

/// What every client is known by: its row number, id and name.
pub(super) fn names(c: &mut Conn) -> Result<Vec<(i64, String, String)>, StoreError> {
    Ok(mcp_clients::table.select((mcp_clients::number, mcp_clients::id, mcp_clients::name)).load(c)?)
}

/// The clients with these row numbers, by number.
pub(super) fn of_numbers(c: &mut Conn, numbers: &[i64]) -> Result<HashMap<i64, McpClient>, StoreError> {
    let mut clients = HashMap::new();
    for chunk in numbers.chunks(CHUNK) {
        let query = mcp_clients::table.filter(mcp_clients::number.eq_any(chunk.iter().copied()));
        let rows: Vec<McpClientRow> = query.select(McpClientRow::as_select()).load(c)?;
        for row in rows {
            clients.insert(row.number, row.into_client()?);
        }
    }
    Ok(clients)
}

/// One client with the virtual keys that may use it.
pub(crate) fn get(c: &mut Conn, id: &McpClientId) -> Result<McpClientEntry, StoreError> {
    let client = client(c, id)?;
    mcp_client_keys::entry(c, client)
}

/// The clients that match, oldest first.
pub(crate) fn list(c: &mut Conn, filter: &McpClientFilter) -> Result<Listed<McpClientEntry>, StoreError> {
    let total = matching(filter).count().get_result(c)?;
    let ordered = matching(filter).order((mcp_clients::created_at, mcp_clients::number));
    let query = ordered.limit(filter.page.limit).offset(filter.page.offset);
    let rows: Vec<McpClientRow> = query.select(McpClientRow::as_select()).load(c)?;
    let entries =
        rows.into_iter().map(|row| mcp_client_keys::entry(c, row.into_client()?)).collect::<Result<_, _>>()?;
    Ok(Listed { entries, total })
}

/// Edits a client: `edit` sees it as it is, and nobody else changes it until the edit is stored. Given virtual keys are those that
/// may use it from now on.
pub(crate) fn update(
    c: &mut Conn,
    by: &Recorder,
    id: &McpClientId,
    keys: Option<&[(VirtualKeyId, AllowList)]>,
    sealer: &Sealer,
    edit: impl FnOnce(&McpClient, Timestamp) -> Result<McpClientDraft, Invalid>,
) -> Result<McpClientEntry, StoreError> {
    lock(c, id)?;
    let before = client(c, id)?;
    by.expects(&before)?;
    let draft = edit(&before, by.change.after(before.updated_at))?;
    let columns = Columns::of(&draft, secrets(c, id, sealer)?, sealer)?;
    diesel::update(of_id(id)).set(columns).execute(c)?;
    let after = client(c, id)?;
    audit::edited(c, by, ("mcp_client", id.as_str()), &before, &after)?;
    if let Some(keys) = keys {
        mcp_client_keys::assign(c, by, before.id, keys)?;
    }
    get(c, id)
}

/// The secrets as they are stored.
pub(super) fn secrets(c: &mut Conn, id: &McpClientId, sealer: &Sealer) -> Result<SealedMap<String>, StoreError> {
    let columns = (mcp_clients::connection_shown, mcp_clients::connection_sealed);
    let (shown, sealed): (String, Option<Vec<u8>>) = of_id(id).select(columns).first(c)?;
    let shown: BTreeMap<String, EnvVar> = document("a connection", &shown)?;
    SealedMap::open(shown, sealed.as_deref(), Place::mcp_connection(id.as_str()), sealer)
}

/// Removes a client. The virtual keys that had an MCP config for it lose that, each with an entry of its own in the audit log.
pub(crate) fn delete(c: &mut Conn, by: &Recorder, id: &McpClientId) -> Result<(), StoreError> {
    lock(c, id)?;
    let before = client(c, id)?;
    by.expects(&before)?;
    mcp_client_keys::detach_all(c, by, before.id)?;
    diesel::delete(of_id(id)).execute(c)?;
    audit::deleted(c, by, ("mcp_client", id.as_str()), &before)
}

/// Keeps others from changing the client until the unit of work ends.
fn lock(c: &mut Conn, id: &McpClientId) -> Result<(), StoreError> {
    match diesel::update(of_id(id)).set(mcp_clients::updated_at.eq(mcp_clients::updated_at)).execute(c)? {
        0 => Err(StoreError::NotFound(Noun::McpClient)),
        _ => Ok(()),
    }
}

fn matching(filter: &McpClientFilter) -> mcp_clients::BoxedQuery<'static, Backend> {
    let McpClientFilter {
        page,
        client_id,
        connection_types,
        auth_types,
        only_connected,
        virtual_keys,
        code_mode,
        disabled,
    } = filter.clone();
    let mut query = mcp_clients::table.into_boxed();
    if only_connected {
        query = query.filter(false.into_sql::<Bool>());
    }
    if let Some(text) = page.search {
        query = query.filter(folded(mcp_clients::name).like(search::pattern(&text)).escape('\\'));
    }
    if let Some(id) = client_id {
        query = query.filter(mcp_clients::id.eq(id.to_string()));
    }
    if let Some(types) = connection_types {
        query = query.filter(mcp_clients::connection_type.eq_any(types.into_iter().map(McpConnectionType::as_str)));
    }
    if let Some(types) = auth_types {
        query = query.filter(mcp_clients::auth_type.eq_any(types.into_iter().map(McpAuthType::as_str)));
    }
    if let Some(code_mode) = code_mode {
        query = query.filter(mcp_clients::is_code_mode_client.eq(code_mode));
    }
    if let Some(disabled) = disabled {
        query = query.filter(mcp_clients::disabled.eq(disabled));
    }
    if let Some(McpClientVirtualKeys { or_all, ids }) = virtual_keys {
        let ids = ids.into_iter().map(|id| id.to_string());
        let named =
            mcp_configs::table.filter(mcp_configs::virtual_key_id.eq_any(ids)).select(mcp_configs::mcp_client_number);
        let open = mcp_clients::allow_on_all_virtual_keys.eq(true).and(or_all.into_sql::<Bool>());
        query = query.filter(mcp_clients::number.eq_any(named).or(open));
    }
    query
}
