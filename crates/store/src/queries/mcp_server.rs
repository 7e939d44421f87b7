//! MCP clients as the gateway uses them: the only queries that open the secrets of their connections for use.

use diesel::prelude::*;
use keyward_core::ids::{McpClientId, VirtualKeyId};
use keyward_core::mcp_client::McpClient;

use super::{Conn, mcp_client};
use crate::error::StoreError;
use crate::schema::{mcp_clients, mcp_configs};
use crate::seal::Sealer;
use crate::store::McpServer;

/// Every client, by its row number.
pub(crate) fn load_all(c: &mut Conn, sealer: &Sealer) -> Result<Vec<McpServer>, StoreError> {
    let mut ids: Vec<(i64, String, String)> = mcp_client::names(c)?;
    ids.sort_unstable();
    let servers = ids.into_iter().map(|(_, id, _)| {
        let id = McpClientId::from(id);
        let client = mcp_client::client(c, &id)?;
        let (address, headers) = McpClient::parted(mcp_client::secrets(c, &id, sealer)?.sources());
        Ok(McpServer { client, address, headers })
    });
    servers.collect()
}

/// The virtual keys with an MCP config for a client.
pub(crate) fn virtual_keys(c: &mut Conn, id: &McpClientId) -> Result<Vec<VirtualKeyId>, StoreError> {
    let client = mcp_clients::table.filter(mcp_clients::id.eq(id.as_str())).select(mcp_clients::number);
    let query = mcp_configs::table.filter(mcp_configs::mcp_client_number.eq_any(client)).order(mcp_configs::id);
    let ids: Vec<String> = query.select(mcp_configs::virtual_key_id).load(c)?;
    Ok(ids.into_iter().map(Into::into).collect())
}
