//! Which tools of an MCP client a virtual key may use. One function says so, for lists, for calls, and for what models are offered.
//!
//! Everybody must agree: the client itself, the virtual key's MCP config for it, and the request, which can only leave out.

use std::fmt;

use crate::allow_list::AllowList;
use crate::mcp_client::McpClient;

/// What stands between the names of a client and of its tool; names of clients are without it.
const SEPARATOR: char = '-';
/// The entry of a header that leaves out nothing.
const EVERYTHING: &str = "*";

/// A tool of an MCP client, as the gateway names it: `{client}-{tool}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QualifiedTool<'a> {
    /// The client's name.
    pub client: &'a str,
    /// The tool's name at its server.
    pub tool: &'a str,
}

impl<'a> QualifiedTool<'a> {
    /// Takes a name apart, if it can be one.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let (client, tool) = name.split_once(SEPARATOR)?;
        (!client.is_empty() && !tool.is_empty()).then_some(Self { client, tool })
    }
}

impl fmt::Display for QualifiedTool<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", self.client, self.tool)
    }
}

/// What a request leaves of the tools that its virtual key may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    clients: Option<Vec<String>>,
    tools: Option<Vec<String>>,
}

impl Narrowing {
    /// Reads the lists that a request gives, separated by commas: names of clients, and of tools, where `{client}-*` is every tool of a
    /// client. An absent list leaves out nothing, an empty one everything.
    #[must_use]
    pub fn of(clients: Option<&str>, tools: Option<&str>) -> Self {
        let list = |text: &str| text.split(',').map(|entry| entry.trim().to_owned()).collect();
        Self { clients: clients.map(list), tools: tools.map(list) }
    }

    fn leaves(&self, asked: QualifiedTool<'_>) -> bool {
        let is_of_client = |entry: &str| entry == EVERYTHING || entry == asked.client;
        let is_of_tool = |entry: &str| match QualifiedTool::parse(entry) {
            Some(named) => named.client == asked.client && (named.tool == EVERYTHING || named.tool == asked.tool),
            None => entry == EVERYTHING,
        };
        let leaves = |list: &Option<Vec<String>>, fits: &dyn Fn(&str) -> bool| {
            list.as_ref().is_none_or(|list| list.iter().any(|entry| fits(entry)))
        };
        leaves(&self.clients, &is_of_client) && leaves(&self.tools, &is_of_tool)
    }
}

/// The tools of one MCP client that one virtual key may use in one request.
#[derive(Debug, Clone, Copy)]
pub struct EffectiveTools<'a> {
    client: &'a McpClient,
    of_key: Option<&'a AllowList>,
    narrowing: &'a Narrowing,
}

impl<'a> EffectiveTools<'a> {
    /// What is left of a client's tools by the virtual key's MCP config for it, if it has one, and by the request.
    #[must_use]
    pub const fn new(client: &'a McpClient, of_key: Option<&'a AllowList>, narrowing: &'a Narrowing) -> Self {
        Self { client, of_key, narrowing }
    }

    /// True when the tool may be used.
    #[must_use]
    pub fn allows(&self, tool: &str) -> bool {
        let of_key = self.of_key.map_or(self.client.allow_on_all_virtual_keys, |tools| tools.allows(tool));
        let asked = QualifiedTool { client: &self.client.name, tool };
        !self.client.disabled && of_key && self.client.tools_to_execute.allows(tool) && self.narrowing.leaves(asked)
    }

    /// True when every tool may be used, also those that nobody has named.
    #[must_use]
    pub fn allows_everything(&self) -> bool {
        let of_key = self.of_key.map_or(self.client.allow_on_all_virtual_keys, AllowList::is_everything);
        let every = QualifiedTool { client: &self.client.name, tool: EVERYTHING };
        !self.client.disabled && of_key && self.client.tools_to_execute.is_everything() && self.narrowing.leaves(every)
    }
}

#[cfg(test)]
mod tests;
