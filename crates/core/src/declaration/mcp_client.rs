//! The MCP clients of a file. One without a `client_id` is known by its name.

use super::{definition, full};
use crate::invalid::{Invalid, Pointer};
use crate::limits::Edit;
use crate::mcp_client::{CreateMcpClient, McpClient, McpClientDraft, UpdateMcpClient};

/// An MCP client of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredMcpClient {
    /// Where it stands in the file.
    pub at: Pointer,
    /// Everything about it.
    pub request: CreateMcpClient,
}

impl DeclaredMcpClient {
    /// The file's definition of it.
    #[must_use]
    pub fn definition(&self) -> String {
        definition(&("mcp_client", &self.request))
    }

    /// Whether this is the client that it declares.
    #[must_use]
    pub fn is(&self, client: &McpClient) -> bool {
        self.request.client_id.as_ref().map_or(client.name == self.request.name, |id| client.client_id == *id)
    }

    /// What the file makes of `before`.
    ///
    /// # Errors
    /// What cannot be carried out, and where in the file it stands.
    pub fn edit(&self, before: Option<&McpClient>, edit: &mut Edit<'_>) -> Result<McpClientDraft, Invalid> {
        let request = UpdateMcpClient::from(self.request.clone());
        let edited = match before {
            None => request.make(edit),
            Some(before) => UpdateMcpClient {
                connection_string: full(request.connection_string),
                headers: full(request.headers),
                ..request
            }
            .replace(before, edit),
        };
        edited.map_err(|invalid| self.locate(invalid))
    }

    /// The same, said of the file instead of the request.
    #[must_use]
    pub fn locate(&self, invalid: Invalid) -> Invalid {
        invalid.under(&self.at)
    }
}
