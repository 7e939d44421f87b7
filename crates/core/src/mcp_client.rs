//! MCP clients: the servers of tools that virtual keys may be given. Which tools those are: [`crate::mcp_tools`].
//!
//! The entity is the response, alone in a virtual key's MCP config and beside its virtual keys in [`McpClientEntry`]. What
//! is secret in it is redacted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::allow_list::AllowList;
use crate::change::Versioned;
use crate::ids::{McpClientId, VirtualKeyId};
use crate::money::NanoUsd;
use crate::secret::EnvVar;

mod checks;
mod draft;
mod query;
mod requests;

pub use draft::McpClientDraft;
pub use query::{McpClientFilter, McpClientQuery, McpClientVirtualKeys};
pub use requests::{CreateMcpClient, McpVirtualKeyInput, UpdateMcpClient};

/// The most virtual keys that an answer about an MCP client shows, and that one request may give.
pub const MOST_VIRTUAL_KEYS: usize = 1_000;

/// How an MCP server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum McpConnectionType {
    /// Over HTTP, at `connection_string`.
    Http,
    /// Over server-sent events, at `connection_string`: kept, and not connected to.
    Sse,
    /// As a program, started by `stdio_config`.
    Stdio,
}

impl McpConnectionType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Http, Self::Sse, Self::Stdio];

    /// The type's name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sse => "sse",
            Self::Stdio => "stdio",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How a connection shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum McpAuthType {
    /// Not at all.
    None,
    /// By `headers`.
    Headers,
}

impl McpAuthType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::None, Self::Headers];

    /// The type's name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Headers => "headers",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The program that is an MCP server. Keyward starts none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct McpStdioConfig {
    /// The program.
    #[schema(min_length = 1)]
    pub command: String,
    /// What it is started with, readable in answers: no place for secrets.
    #[serde(default)]
    pub args: Vec<String>,
    /// The names of the environment variables that it needs.
    #[serde(default)]
    pub envs: Vec<String>,
}

/// An MCP client. Its address and the values of its headers are redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct McpClient {
    /// The client's row number.
    pub id: i64,
    /// Identifies the client in the management API.
    pub client_id: McpClientId,
    /// The unique name, by which virtual keys refer to the client.
    pub name: String,
    /// Whether the compatible product would offer the tools in code mode. Kept for clients.
    pub is_code_mode_client: bool,
    /// How the server is reached.
    pub connection_type: McpConnectionType,
    /// Where the server is; absent for `stdio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub connection_string: Option<EnvVar>,
    /// The program that is the server; only for `stdio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stdio_config: Option<McpStdioConfig>,
    /// How a connection shows who it is.
    pub auth_type: McpAuthType,
    /// The headers of a connection, by their names in small letters.
    pub headers: BTreeMap<String, EnvVar>,
    /// Headers that callers may hand on to the server: `[]` is none, `["*"]` is any. Kept for clients.
    pub allowed_extra_headers: AllowList,
    /// The tools that may be used at all: `["*"]` is every tool, `[]` is none.
    pub tools_to_execute: AllowList,
    /// Those among them that run without being asked about. Kept for clients: the gateway runs what its callers ask for.
    pub tools_to_auto_execute: AllowList,
    /// Whether the server answers pings. Kept for clients.
    pub is_ping_available: bool,
    /// How many nanoseconds a list of the server's tools is used before it is asked for again; 0 is ten minutes, less than 0 is for
    /// good.
    pub tool_sync_interval: i64,
    /// How many seconds a tool may take; 0 is thirty.
    pub tool_execution_timeout: i64,
    /// What one use of a tool costs, in US dollars, by the tool's name. Other tools are free.
    pub tool_pricing: BTreeMap<String, NanoUsd>,
    /// True: virtual keys without an MCP config for this client may use all its tools.
    pub allow_on_all_virtual_keys: bool,
    /// True: nobody may use the client.
    pub disabled: bool,
    /// A hash of the configuration file's definition; empty for clients made through the API.
    pub config_hash: String,
    /// When the client was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last edited.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What is known of the connection to an MCP server. The management API does not look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum McpClientState {
    /// Nothing.
    Disconnected,
    /// There shall be none.
    Disabled,
}

/// A virtual key that may use an MCP client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct McpVirtualKey {
    /// The virtual key.
    pub virtual_key_id: VirtualKeyId,
    /// Its name.
    pub virtual_key_name: String,
    /// The tools that it may use: `["*"]` is every tool, `[]` is none.
    pub tools_to_execute: AllowList,
}

/// An MCP client with what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct McpClientEntry {
    /// The client.
    pub config: McpClient,
    /// Always empty: the gateway tells the server's tools, at `/mcp`.
    #[schema(value_type = Vec<Object>)]
    pub tools: Vec<Map<String, Value>>,
    /// What is known of the connection.
    pub state: McpClientState,
    /// The virtual keys with an MCP config for this client, the oldest 1,000 of those configs.
    pub vk_configs: Vec<McpVirtualKey>,
}

impl McpClientEntry {
    /// The client with the virtual keys that may use it.
    #[must_use]
    pub const fn new(config: McpClient, vk_configs: Vec<McpVirtualKey>) -> Self {
        let state = if config.disabled { McpClientState::Disabled } else { McpClientState::Disconnected };
        Self { config, tools: Vec::new(), state, vk_configs }
    }
}

impl Versioned for McpClient {
    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

impl Versioned for McpClientEntry {
    fn updated_at(&self) -> Timestamp {
        self.config.updated_at
    }
}
