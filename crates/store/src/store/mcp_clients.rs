//! MCP clients.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::change::Change;
use keyward_core::ids::{McpClientId, VirtualKeyId};
use keyward_core::invalid::Invalid;
use keyward_core::list::Listed;
use keyward_core::mcp_client::{McpClient, McpClientDraft, McpClientEntry, McpClientFilter};
use keyward_core::secret::SecretSource;

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Stores a new MCP client, its secrets sealed.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a name that is taken, [`StoreError::Taken`] for an id that is.
    pub async fn mcp_client_create(&self, change: Change, draft: McpClientDraft) -> Result<McpClientEntry, StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::mcp_client::create(c, &by, &draft, &sealer))
    }

    /// One MCP client with the virtual keys that may use it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id.
    pub async fn mcp_client_get(&self, id: McpClientId) -> Result<McpClientEntry, StoreError> {
        reading!(self, |queries, c| queries::mcp_client::get(c, &id))
    }

    /// The MCP clients that match, oldest first.
    ///
    /// # Errors
    /// Only faults.
    pub async fn mcp_client_list(&self, filter: McpClientFilter) -> Result<Listed<McpClientEntry>, StoreError> {
        reading!(self, |queries, c| queries::mcp_client::list(c, &filter))
    }

    /// Edits an MCP client to what `edit` makes of it at the instant that it is given; nobody else changes it in between. Given
    /// virtual keys are those that may use it from now on, each with its tools; each that this changes is recorded too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`], what `edit` refuses, [`StoreError::Duplicate`] for a name that is taken, and
    /// [`StoreError::Invalid`] for a virtual key that is not there.
    pub async fn mcp_client_update(
        &self,
        change: Change,
        id: McpClientId,
        keys: Option<Vec<(VirtualKeyId, AllowList)>>,
        edit: impl FnOnce(&McpClient, Timestamp) -> Result<McpClientDraft, Invalid> + Send + 'static,
    ) -> Result<McpClientEntry, StoreError> {
        let (by, sealer) = (self.recorder(change), self.sealer());
        changing!(self, by, |queries, c| queries::mcp_client::update(c, &by, &id, keys.as_deref(), &sealer, edit))
    }

    /// Removes an MCP client with the MCP configs for it. Each virtual key that had one is recorded too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none with this id, [`StoreError::Stale`] when it has another version.
    pub async fn mcp_client_delete(&self, change: Change, id: McpClientId) -> Result<(), StoreError> {
        let by = self.recorder(change);
        changing!(self, by, |queries, c| queries::mcp_client::delete(c, &by, &id))
    }

    /// Every MCP client with the secrets of its connection: for the gateway, never for an answer.
    ///
    /// # Errors
    /// Only faults.
    pub async fn mcp_servers(&self) -> Result<Vec<McpServer>, StoreError> {
        let sealer = self.sealer();
        reading!(self, |queries, c| queries::mcp_server::load_all(c, &sealer))
    }

    /// The virtual keys with an MCP config for this client.
    ///
    /// # Errors
    /// Only faults.
    pub async fn mcp_client_virtual_keys(&self, id: McpClientId) -> Result<Vec<VirtualKeyId>, StoreError> {
        reading!(self, |queries, c| queries::mcp_server::virtual_keys(c, &id))
    }
}

/// An MCP client as the gateway uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServer {
    /// The client.
    pub client: McpClient,
    /// Where its server is: the text itself, or the variable that has it.
    pub address: Option<SecretSource>,
    /// The headers of a connection: their values, or the variables that have them.
    pub headers: BTreeMap<String, SecretSource>,
}
