//! MCP configs: which tools of single MCP clients virtual keys may use.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use keyward_core::ids::VirtualKeyId;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::virtual_key::{McpConfig, McpConfigDraft};

use super::provider_key::{allow_list, allow_list_json};
use super::search::CHUNK;
use super::{Conn, mcp_client};
use crate::error::StoreError;
use crate::schema::{mcp_clients, mcp_configs};

/// A row of the table.
type Row = (i64, String, i64, String);

/// The MCP configs of these virtual keys, by virtual key.
pub(super) fn load(c: &mut Conn, virtual_keys: &[&str]) -> Result<HashMap<String, Vec<McpConfig>>, StoreError> {
    let mut configs: HashMap<String, Vec<McpConfig>> = HashMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for chunk in virtual_keys.chunks(CHUNK) {
        let query = mcp_configs::table
            .filter(mcp_configs::virtual_key_id.eq_any(chunk.iter().copied()))
            .order(mcp_configs::id)
            .select(mcp_configs::all_columns);
        rows.append(&mut query.load(c)?);
    }
    let numbers: HashSet<i64> = rows.iter().map(|(_, _, client, _)| *client).collect();
    let clients = mcp_client::of_numbers(c, &numbers.into_iter().collect::<Vec<_>>())?;
    for (id, virtual_key, client, tools) in rows {
        // A client that went meanwhile took its configs along.
        let Some(mcp_client) = clients.get(&client).cloned() else { continue };
        configs.entry(virtual_key.clone()).or_default().push(McpConfig {
            id,
            virtual_key_id: virtual_key.into(),
            mcp_client_id: mcp_client.id,
            mcp_client_name: mcp_client.name.clone(),
            mcp_client,
            tools_to_execute: allow_list(&tools)?,
        });
    }
    Ok(configs)
}

/// Makes the MCP configs of a virtual key what the drafts say. What goes, goes first: its client may have another one now.
pub(super) fn write(
    c: &mut Conn,
    owner: &VirtualKeyId,
    before: &[McpConfig],
    after: &[McpConfigDraft],
) -> Result<(), StoreError> {
    let kept = |config: &&McpConfig| after.iter().any(|draft| draft.id == Some(config.id));
    for gone in before.iter().filter(|config| !kept(config)) {
        diesel::delete(mcp_configs::table.find(gone.id)).execute(c)?;
    }
    for (index, draft) in after.iter().enumerate() {
        let tools = allow_list_json(&draft.tools_to_execute)?;
        match draft.id {
            Some(id) => {
                let row = diesel::update(mcp_configs::table.find(id));
                row.set(mcp_configs::tools_to_execute.eq(tools)).execute(c)?;
            }
            None => {
                let client = client_number(c, index, draft)?;
                insert(c, owner, client, tools)?;
            }
        }
    }
    Ok(())
}

/// Stores a new MCP config.
pub(super) fn insert(
    c: &mut Conn,
    owner: &VirtualKeyId,
    client_number: i64,
    tools_to_execute: String,
) -> Result<(), StoreError> {
    diesel::insert_into(mcp_configs::table)
        .values((
            mcp_configs::virtual_key_id.eq(owner.as_str()),
            mcp_configs::mcp_client_number.eq(client_number),
            mcp_configs::tools_to_execute.eq(tools_to_execute),
        ))
        .execute(c)?;
    Ok(())
}

/// The row number of the client that an element names.
fn client_number(c: &mut Conn, index: usize, draft: &McpConfigDraft) -> Result<i64, StoreError> {
    let name = &draft.mcp_client_name;
    let query = mcp_clients::table.filter(mcp_clients::name.eq(name)).select(mcp_clients::number);
    let found = query.first(c).optional()?;
    found.ok_or_else(|| {
        let at = Pointer::from("mcp_configs").element(index).member("mcp_client_name");
        Invalid::at(at, format!("failed to get MCP client: '{name}' not found")).into()
    })
}
