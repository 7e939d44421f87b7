//! The section `mcp`: the MCP clients, each as the request that the API would get for it.

use keyward_core::declaration::{DeclaredMcpClient, McpConfigPlace};
use keyward_core::duration::go_duration;
use keyward_core::invalid::Pointer;
use keyward_core::mcp_client::{CreateMcpClient, UpdateMcpClient};
use keyward_core::virtual_key::McpConfigInput;
use serde::{Deserialize, Serialize};

use super::node::Node;
use super::reader::Reader;

/// What only the compatible product can do: it embeds, or signs in at, the server.
const UNKEPT: [(&str, &[&str]); 2] = [
    ("connection_type", &["inprocess", "websocket"]),
    ("auth_type", &["oauth", "per_user_headers", "per_user_oauth", "token_exchange"]),
];

/// The section `mcp`, read.
#[derive(Default)]
pub(super) struct McpSection {
    /// The MCP clients; none when the file does not speak of them.
    pub(super) clients: Option<Vec<DeclaredMcpClient>>,
    /// The names and ids of those that have no effect.
    unkept: Vec<String>,
}

/// The members of the section, so that others are refused by name: what is known has been taken out.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Members {
    client_configs: (),
}

impl McpSection {
    /// Reads the section.
    pub(super) fn read(file: &mut Node, reader: &mut Reader) -> Self {
        let Some(mut node) = file.take("mcp") else { return Self::default() };
        let at = Pointer::from("mcp");
        let list = reader.list(&mut node, "client_configs", &at);
        reader.typed::<Members>(node, &at);
        let mut section = Self::default();
        section.clients = list.map(|list| {
            let read = list.into_iter().filter_map(|(at, node)| section.client(node, at, reader));
            read.collect()
        });
        section
    }

    fn client(&mut self, mut node: Node, at: Pointer, reader: &mut Reader) -> Option<DeclaredMcpClient> {
        if self.leaves_out(&node, &at, reader) {
            return None;
        }
        durations(&mut node, &at, reader);
        let mut request: CreateMcpClient = reader.typed(node, &at)?;
        request.client_id = request.client_id.filter(|id| !id.as_str().is_empty());
        if request.tools_to_execute.is_none() {
            reader.warn(&at.member("tools_to_execute"), "absent: every tool may be used");
        }
        for (inner, variable) in UpdateMcpClient::from(request.clone()).variables() {
            reader.variable(&at.join(&inner), &variable);
        }
        Some(DeclaredMcpClient { at, request })
    }

    /// Whether the client is of a kind that Keyward does not keep.
    fn leaves_out(&mut self, client: &Node, at: &Pointer, reader: &mut Reader) -> bool {
        let text = |member: &str| client.member(member).and_then(Node::text);
        let unkept =
            UNKEPT.into_iter().find(|(member, kinds)| text(member).is_some_and(|kind| kinds.contains(&&*kind)));
        let Some((member, _)) = unkept else { return false };
        self.unkept.extend(text("name").into_iter().chain(text("client_id")));
        reader.warn(at, format!("without effect: Keyward keeps no MCP client of this {member}"));
        true
    }

    /// The MCP configs of a virtual key, each with its place; none when the file does not speak of them.
    pub(super) fn configs(
        &self,
        virtual_key: &mut Node,
        at: &Pointer,
        reader: &mut Reader,
    ) -> Option<Vec<(McpConfigInput, McpConfigPlace)>> {
        let list = reader.list(virtual_key, "mcp_configs", at)?;
        Some(list.into_iter().filter_map(|(at, node)| self.config(node, at, reader)).collect())
    }

    fn config(&self, mut node: Node, at: Pointer, reader: &mut Reader) -> Option<(McpConfigInput, McpConfigPlace)> {
        let id = node.take("mcp_client_id");
        let by_id = id.filter(|_| node.member("mcp_client_name").is_none_or(Node::is_null));
        let client = at.member(if by_id.is_some() { "mcp_client_id" } else { "mcp_client_name" });
        if let Some(id) = by_id {
            // A text is an id of the API, a number is that of the row.
            match id.text().or_else(|| id.literal().filter(|text| text.parse::<i64>().is_ok()).map(ToOwned::to_owned)) {
                Some(id) => node.set("mcp_client_name", Node::of(&id).ok()?),
                None => reader.error(&client, "invalid type: expected a string or an integer"),
            }
        }
        let input: McpConfigInput = reader.typed(node, &at)?;
        if input.mcp_client_name.as_ref().is_some_and(|name| self.unkept.contains(name)) {
            reader.warn(&at, "without effect: so is its MCP client");
            return None;
        }
        if input.tools_to_execute.is_none() {
            reader.warn(&at.member("tools_to_execute"), "absent: every tool may be used");
        }
        Some((input, McpConfigPlace { at, client }))
    }
}

/// Durations may be texts: the interval is kept in nanoseconds, the timeout in seconds.
fn durations(client: &mut Node, at: &Pointer, reader: &mut Reader) {
    if let Some(text) = client.member("tool_sync_interval").and_then(Node::text) {
        let (is_negative, length) = text.strip_prefix('-').map_or((false, &*text), |rest| (true, rest));
        let nanos = go_duration(length).and_then(|length| i64::try_from(length.as_nanos()).ok());
        let nanos = nanos.map(|nanos| if is_negative { -nanos } else { nanos });
        set(client, "tool_sync_interval", nanos, at, reader, "a Go duration, such as 10m");
    }
    if let Some(text) = client.member("tool_execution_timeout").and_then(Node::text) {
        let seconds = go_duration(&text).filter(|length| length.subsec_nanos() == 0).map(|length| length.as_secs());
        set(client, "tool_execution_timeout", seconds, at, reader, "a Go duration in whole seconds, such as 30s");
    }
}

fn set(client: &mut Node, member: &str, value: Option<i64>, at: &Pointer, reader: &mut Reader, what: &str) {
    match value.map(|value| Node::of(&value)) {
        Some(Ok(node)) => client.set(member, node),
        Some(Err(_)) | None => {
            client.take(member);
            reader.error(&at.member(member), format!("{member} must be {what}"));
        }
    }
}
