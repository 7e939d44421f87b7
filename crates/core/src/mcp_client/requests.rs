//! Requests that make and edit MCP clients.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MOST_VIRTUAL_KEYS, McpAuthType, McpConnectionType, McpStdioConfig};
use crate::allow_list::AllowList;
use crate::ids::{McpClientId, VirtualKeyId};
use crate::invalid::{Invalid, Pointer};
use crate::money::NanoUsd;
use crate::patch::Patch;
use crate::secret::SecretSource;

/// The two requests: one that makes a client, one that edits one. They share all members but the first.
macro_rules! requests {
    ($($(#[$doc:meta])* $member:ident: $type:ty,)+) => {
        /// Makes an MCP client known. `name`, `connection_type` and what that type needs are required.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct CreateMcpClient {
            /// The client's id, of your own choice: letters, digits, `-`, `_` and `.`. One is made unless given.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(max_length = 255)]
            pub client_id: Option<McpClientId>,
            /// The unique name: ASCII, without hyphens and spaces, not beginning with a digit.
            #[schema(required = true, min_length = 1, max_length = 256)]
            pub name: String,
            $($(#[$doc])* pub $member: $type,)+
        }

        /// Edits an MCP client: what is absent stays, null clears. A secret that is sent back as it was shown stays.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct UpdateMcpClient {
            /// The client that is meant. It cannot be changed.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub client_id: Option<McpClientId>,
            /// The unique name; it cannot be cleared.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 256)]
            pub name: Option<String>,
            $($(#[$doc])* pub $member: $type,)+
            /// The virtual keys that may use the client, the full set: one that has an MCP config for it keeps that and gets
            /// these tools, others get one, and those that are not named lose theirs. Needs the permission to write virtual keys.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(max_items = 1000)]
            pub vk_configs: Option<Vec<McpVirtualKeyInput>>,
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub id: Option<i64>,
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub config_hash: Option<String>,
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub created_at: Option<String>,
            /// Answers have it; not looked at.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub updated_at: Option<String>,
        }

        impl From<CreateMcpClient> for UpdateMcpClient {
            fn from(request: CreateMcpClient) -> Self {
                let CreateMcpClient { client_id, name, $($member,)+ } = request;
                Self { client_id, name: Some(name), $($member,)+ ..Self::default() }
            }
        }
    };
}

requests! {
    /// Whether the compatible product would offer the tools in code mode. Kept for clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_code_mode_client: Option<bool>,
    /// How the server is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<McpConnectionType>)]
    connection_type: Option<String>,
    /// Where the server is: an http or https URL, or `env.NAME` for a variable of the server's environment that has it. It is
    /// stored encrypted. Required for `http` and `sse`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<SecretSource>)]
    connection_string: Patch<SecretSource>,
    /// The program that is the server. Required for `stdio`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<McpStdioConfig>)]
    stdio_config: Patch<McpStdioConfig>,
    /// How a connection shows who it is: unless given, `headers` when there are some, else `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<McpAuthType>)]
    auth_type: Option<String>,
    /// The headers of a connection, the full set, at most 32. `env.NAME` is a variable of the server's environment. Values are
    /// stored encrypted.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BTreeMap<String, SecretSource>>)]
    headers: Patch<BTreeMap<String, SecretSource>>,
    /// Headers that callers may hand on to the server: `[]`, unless given, is none, `["*"]` is any. Kept for clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_extra_headers: Option<Vec<String>>,
    /// The tools that may be used at all: `["*"]`, unless given, is every tool, `[]` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    tools_to_execute: Option<Vec<String>>,
    /// Those among them that run without being asked about: `[]`, unless given, is none, `["*"]` is all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    tools_to_auto_execute: Option<Vec<String>>,
    /// Whether the server answers pings; true unless given. Kept for clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_ping_available: Option<bool>,
    /// How many nanoseconds the list of the server's tools is used before it is asked for again; 0 is ten minutes, less than 0 is for
    /// good.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_sync_interval: Option<i64>,
    /// How many seconds a tool may take; 0 is thirty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    tool_execution_timeout: Option<i64>,
    /// What one use of a tool costs, in US dollars, by the tool's name; the full set. Other tools are free.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BTreeMap<String, NanoUsd>>)]
    tool_pricing: Patch<BTreeMap<String, NanoUsd>>,
    /// True: virtual keys without an MCP config for this client may use all its tools. False unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_on_all_virtual_keys: Option<bool>,
    /// True: nobody may use the client. False unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<bool>,
}

/// A virtual key that shall be able to use an MCP client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct McpVirtualKeyInput {
    /// The virtual key.
    pub virtual_key_id: VirtualKeyId,
    /// The tools that it may use: `["*"]` is every tool, `[]` is none.
    pub tools_to_execute: Vec<String>,
    /// Answers have it; not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_key_name: Option<String>,
}

impl UpdateMcpClient {
    /// The environment variables that the request refers to, and where.
    #[must_use]
    pub fn variables(&self) -> Vec<(Pointer, String)> {
        let address = self.connection_string.as_ref().value().map(|source| ("connection_string".into(), source));
        let at = Pointer::from("headers");
        let headers = self.headers.as_ref().value().into_iter().flatten();
        let headers = headers.map(|(name, source)| (at.member(name), source));
        let named = address.into_iter().chain(headers).filter_map(|(at, source)| match source {
            SecretSource::Environment(variable) => Some((at, variable.clone())),
            SecretSource::Literal(_) => None,
        });
        named.collect()
    }

    /// The virtual keys that shall be able to use the client, each with its tools; none: they stay as they are.
    ///
    /// # Errors
    /// A virtual key that is there twice, a list of tools that is none, and more virtual keys than one request may give.
    pub fn virtual_keys(&self) -> Result<Option<Vec<(VirtualKeyId, AllowList)>>, Invalid> {
        let at = Pointer::from("vk_configs");
        let Some(given) = &self.vk_configs else { return Ok(None) };
        if given.len() > MOST_VIRTUAL_KEYS {
            return Err(Invalid::at(at, format!("vk_configs has more than {MOST_VIRTUAL_KEYS} elements")));
        }
        let mut keys: Vec<(VirtualKeyId, AllowList)> = Vec::with_capacity(given.len());
        for (index, element) in given.iter().enumerate() {
            let at = at.element(index);
            if keys.iter().any(|(id, _)| *id == element.virtual_key_id) {
                let message = format!("virtual key '{}' is there twice", element.virtual_key_id);
                return Err(Invalid::at(at.member("virtual_key_id"), message));
            }
            let tools = AllowList::try_from(element.tools_to_execute.clone()).map_err(|error| {
                Invalid::at(at.member("tools_to_execute"), format!("Invalid tools_to_execute: {error}"))
            })?;
            keys.push((element.virtual_key_id.clone(), tools));
        }
        Ok(Some(keys))
    }
}
