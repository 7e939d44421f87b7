//! The virtual keys of an MCP client. Each that an edit or deletion of the client touches has changed itself: it gets a new version
//! and an entry of its own in the audit log.

use std::collections::HashMap;

use diesel::prelude::*;
use keyward_core::allow_list::AllowList;
use keyward_core::ids::VirtualKeyId;
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::mcp_client::{MOST_VIRTUAL_KEYS, McpClient, McpClientEntry, McpVirtualKey};

use super::provider_key::{allow_list, allow_list_json};
use super::{Conn, mcp_config, virtual_key_many};
use crate::error::StoreError;
use crate::recorder::Recorder;
use crate::schema::{mcp_configs, virtual_keys};

/// The client with the virtual keys that may use it.
pub(super) fn entry(c: &mut Conn, client: McpClient) -> Result<McpClientEntry, StoreError> {
    let rows: Vec<(String, String, String)> = mcp_configs::table
        .inner_join(virtual_keys::table)
        .filter(mcp_configs::mcp_client_number.eq(client.id))
        .order(mcp_configs::id)
        .limit(i64::try_from(MOST_VIRTUAL_KEYS).unwrap_or(i64::MAX))
        .select((virtual_keys::id, virtual_keys::name, mcp_configs::tools_to_execute))
        .load(c)?;
    let keys = rows.into_iter().map(|(id, name, tools)| {
        Ok(McpVirtualKey { virtual_key_id: id.into(), virtual_key_name: name, tools_to_execute: allow_list(&tools)? })
    });
    Ok(McpClientEntry::new(client, keys.collect::<Result<_, StoreError>>()?))
}

/// The tools that each virtual key may use of a client, as they are stored.
fn assigned(c: &mut Conn, client_number: i64) -> Result<HashMap<String, AllowList>, StoreError> {
    let rows: Vec<(String, String)> = mcp_configs::table
        .filter(mcp_configs::mcp_client_number.eq(client_number))
        .select((mcp_configs::virtual_key_id, mcp_configs::tools_to_execute))
        .load(c)?;
    rows.into_iter().map(|(id, tools)| Ok((id, allow_list(&tools)?))).collect()
}

/// Makes these the virtual keys that may use a client.
pub(super) fn assign(
    c: &mut Conn,
    by: &Recorder,
    client_number: i64,
    keys: &[(VirtualKeyId, AllowList)],
) -> Result<(), StoreError> {
    let before = assigned(c, client_number)?;
    if before.len() > MOST_VIRTUAL_KEYS {
        let message = format!("more than {MOST_VIRTUAL_KEYS} virtual keys may use the client: edit the virtual keys");
        return Err(Invalid::at("vk_configs".into(), message).into());
    }
    check_keys(c, keys)?;
    let stays = |id: &str| keys.iter().any(|(key, _)| key.as_str() == id);
    let gone: Vec<&str> = before.keys().map(String::as_str).filter(|id| !stays(id)).collect();
    detach(c, by, client_number, &gone)?;
    let changed: HashMap<&str, &AllowList> = keys
        .iter()
        .filter(|(id, tools)| before.get(id.as_str()) != Some(tools))
        .map(|(id, tools)| (id.as_str(), tools))
        .collect();
    let ids: Vec<&str> = keys.iter().map(|(id, _)| id.as_str()).filter(|id| changed.contains_key(id)).collect();
    virtual_key_many::change(c, by, &ids, |c, ids| {
        for id in ids {
            let Some(tools) = changed.get(id) else { continue };
            let tools = allow_list_json(tools)?;
            match before.contains_key(*id) {
                true => {
                    let row = of_client(client_number).filter(mcp_configs::virtual_key_id.eq(*id));
                    diesel::update(row).set(mcp_configs::tools_to_execute.eq(tools)).execute(c)?;
                }
                false => mcp_config::insert(c, &VirtualKeyId::from(*id), client_number, tools)?,
            }
        }
        Ok(())
    })
}

/// The virtual keys must be there.
fn check_keys(c: &mut Conn, keys: &[(VirtualKeyId, AllowList)]) -> Result<(), StoreError> {
    let ids = keys.iter().map(|(id, _)| id.as_str());
    let query = virtual_keys::table.filter(virtual_keys::id.eq_any(ids)).select(virtual_keys::id);
    let known: Vec<String> = query.load(c)?;
    let missing = keys.iter().position(|(id, _)| known.iter().all(|known| known != id.as_str()));
    let Some((index, (id, _))) = missing.and_then(|index| Some((index, keys.get(index)?))) else { return Ok(()) };
    let at = Pointer::from("vk_configs").element(index).member("virtual_key_id");
    Err(Invalid::at(at, format!("virtual key '{id}' not found")).into())
}

/// Takes a client from every virtual key.
pub(super) fn detach_all(c: &mut Conn, by: &Recorder, client_number: i64) -> Result<(), StoreError> {
    let query = of_client(client_number).order(mcp_configs::id).select(mcp_configs::virtual_key_id);
    let ids: Vec<String> = query.load(c)?;
    detach(c, by, client_number, &ids.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Takes a client from these virtual keys.
fn detach(c: &mut Conn, by: &Recorder, client_number: i64, ids: &[&str]) -> Result<(), StoreError> {
    virtual_key_many::change(c, by, ids, |c, ids| {
        let rows = of_client(client_number).filter(mcp_configs::virtual_key_id.eq_any(ids));
        diesel::delete(rows).execute(c)?;
        Ok(())
    })
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of_client(number: i64) -> _ {
    mcp_configs::table.filter(mcp_configs::mcp_client_number.eq(number))
}
