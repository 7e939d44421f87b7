//! Operations on MCP clients.

use keyward_core::ids::McpClientId;
use keyward_core::list::{McpClientChanged, McpClientDetail, McpClientList, McpClientRemoved};
use keyward_core::mcp_client::{CreateMcpClient, McpClientEntry, McpClientQuery, UpdateMcpClient};

use crate::client::Client;
use crate::error::Error;

const CLIENTS: [&str; 3] = ["api", "mcp", "clients"];
const CLIENT: [&str; 3] = ["api", "mcp", "client"];

fn one(id: &McpClientId) -> [&str; 4] {
    let [api, mcp, client] = CLIENT;
    [api, mcp, client, id.as_str()]
}

impl Client {
    /// Makes an MCP client known.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn mcp_client_create(&self, request: &CreateMcpClient) -> Result<McpClientChanged, Error> {
        self.create("mcp_client_create", &CLIENT, request).await
    }

    /// Lists MCP clients.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn mcp_client_list(&self, query: &McpClientQuery) -> Result<McpClientList, Error> {
        self.list("mcp_client_list", &CLIENTS, query).await
    }

    /// Reads an MCP client.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn mcp_client_get(&self, id: &McpClientId) -> Result<McpClientEntry, Error> {
        self.get("mcp_client_get", &one(id)).await.map(|detail: McpClientDetail| detail.client)
    }

    /// Edits an MCP client: what is absent stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn mcp_client_update(
        &self,
        id: &McpClientId,
        request: &UpdateMcpClient,
    ) -> Result<McpClientChanged, Error> {
        self.put("mcp_client_update", &one(id), request).await
    }

    /// Removes an MCP client, and with it the MCP configs of virtual keys for it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn mcp_client_delete(&self, id: &McpClientId) -> Result<McpClientRemoved, Error> {
        self.delete("mcp_client_delete", &one(id)).await
    }
}
