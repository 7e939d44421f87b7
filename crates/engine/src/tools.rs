//! Tools: what a virtual key may use of MCP clients, decided anew for each list and each call.

use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::ids::VirtualKeyId;
use keyward_core::mcp_client::McpClient;
use keyward_core::mcp_tools::{EffectiveTools, Narrowing, QualifiedTool};
use keyward_core::refusal::Refusal;
use keyward_core::virtual_key::VirtualKey;

use crate::identity::{Permit, Principal};

/// What begins the name of the provider that an MCP client is in the books.
const PROVIDER: &str = "mcp:";

/// What the MCP configs of one virtual key say.
#[derive(Debug)]
pub(crate) struct ToolPolicy {
    /// The version of the virtual key that says so.
    version: Timestamp,
    /// The tools that may be used of each client, by the client's row number: no other client ever gets it.
    clients: Box<[(i64, AllowList)]>,
}

impl ToolPolicy {
    pub(crate) fn of(key: &VirtualKey) -> Option<Self> {
        let configs = key.mcp_configs.iter().map(|config| (config.mcp_client_id, config.tools_to_execute.clone()));
        let clients: Box<[_]> = configs.collect();
        (!clients.is_empty()).then_some(Self { version: key.updated_at, clients })
    }
}

impl Principal {
    /// The tools of an MCP client that the virtual key may use, within what a request leaves of them.
    #[must_use]
    pub fn tools<'a>(&'a self, client: &'a McpClient, narrowing: &'a Narrowing) -> EffectiveTools<'a> {
        let policy = self.policy.tools.as_ref();
        let of_key = policy.and_then(|policy| policy.clients.iter().find(|(number, _)| *number == client.id));
        EffectiveTools::new(client, of_key.map(|(_, tools)| tools), narrowing)
    }

    /// The virtual key.
    #[must_use]
    pub fn virtual_key_id(&self) -> &VirtualKeyId {
        &self.policy.id
    }

    /// The version of the virtual key whose MCP configs decide; none when it has none.
    #[must_use]
    pub fn tools_version(&self) -> Option<Timestamp> {
        self.policy.tools.as_ref().map(|policy| policy.version)
    }

    /// Asks to use a tool of an MCP client. In the books, the client is the provider `mcp:{client}`, and the tool its model.
    ///
    /// # Errors
    /// When the virtual key may not use the tool.
    pub fn permit_tool(self, client: &McpClient, tool: &str, narrowing: &Narrowing) -> Result<Permit, Refusal> {
        if !self.tools(client, narrowing).allows(tool) {
            return Err(Refusal::ToolBlocked(QualifiedTool { client: &client.name, tool }.to_string()));
        }
        let provider = format!("{PROVIDER}{}", client.name).into();
        Ok(Permit { principal: self, config: None, provider, model: tool.into() })
    }
}
