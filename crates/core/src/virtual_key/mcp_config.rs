//! MCP configs: which tools of single MCP clients a virtual key may use, and what requests make of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::allow_list::AllowList;
use crate::ids::VirtualKeyId;
use crate::invalid::{Invalid, Pointer};
use crate::mcp_client::McpClient;
use crate::patch::Patch;

/// Which tools of one MCP client a virtual key may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct McpConfig {
    /// Identifies the MCP config.
    pub id: i64,
    /// The virtual key that it belongs to.
    pub virtual_key_id: VirtualKeyId,
    /// The row number of the MCP client.
    pub mcp_client_id: i64,
    /// The MCP client. Its secrets are redacted.
    pub mcp_client: McpClient,
    /// The name of the MCP client.
    pub mcp_client_name: String,
    /// The tools that may be used: `["*"]` is every tool, `[]` is none.
    pub tools_to_execute: AllowList,
}

/// Which tools of one MCP client a virtual key may use, as requests give it. One with the `id` or the client of an existing
/// one edits that: what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct McpConfigInput {
    /// The existing MCP config that is meant, on update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// The MCP client's name; there must be one. Required in a new MCP config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp_client_name: Option<String>,
    /// The tools that may be used: absent in a new MCP config or `["*"]` is every tool, `[]` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools_to_execute: Option<Vec<String>>,
}

/// An MCP config as it shall be stored. Whether there is such a client is not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpConfigDraft {
    /// The existing MCP config that it continues.
    pub id: Option<i64>,
    /// The name of the MCP client.
    pub mcp_client_name: String,
    /// The tools that may be used.
    pub tools_to_execute: AllowList,
}

/// The most MCP configs of one virtual key.
const MOST: usize = 1_000;

/// The MCP configs that the request asks for, given those that exist: absent keeps them, null and `[]` remove all.
pub(super) fn drafts(
    existing: &[McpConfig],
    given: Patch<Vec<McpConfigInput>>,
) -> Result<Vec<McpConfigDraft>, Invalid> {
    let at = Pointer::from("mcp_configs");
    let elements = match given {
        Patch::Absent => return Ok(existing.iter().map(McpConfigDraft::kept).collect()),
        Patch::Null => Vec::new(),
        Patch::Value(elements) if elements.len() > MOST => {
            return Err(Invalid::at(at, format!("mcp_configs has more than {MOST} elements")));
        }
        Patch::Value(elements) => elements,
    };
    let named: Vec<i64> = elements.iter().filter_map(|element| element.id).collect();
    let mut drafts: Vec<McpConfigDraft> = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        let at = at.element(index);
        if let Some(id) = element.id.filter(|id| named.iter().filter(|other| *other == id).count() > 1) {
            return Err(Invalid::at(at.member("id"), format!("MCP config {id} stands in the list twice")));
        }
        let draft = McpConfigDraft::new(existing, &named, element, &at)?;
        if drafts.iter().any(|other| other.mcp_client_name == draft.mcp_client_name) {
            let message = format!("duplicate mcp_client_name: {}", draft.mcp_client_name);
            return Err(Invalid::at(at.member("mcp_client_name"), message));
        }
        drafts.push(draft);
    }
    Ok(drafts)
}

impl McpConfigDraft {
    /// The config as it is.
    fn kept(config: &McpConfig) -> Self {
        Self {
            id: Some(config.id),
            mcp_client_name: config.mcp_client_name.clone(),
            tools_to_execute: config.tools_to_execute.clone(),
        }
    }

    fn new(existing: &[McpConfig], named: &[i64], element: McpConfigInput, at: &Pointer) -> Result<Self, Invalid> {
        let continued = continued(existing, named, &element, at)?;
        let name = element.mcp_client_name.or_else(|| continued.map(|config| config.mcp_client_name.clone()));
        let Some(mcp_client_name) = name.filter(|name| !name.is_empty()) else {
            return Err(Invalid::at(at.member("mcp_client_name"), "mcp_client_name is required"));
        };
        let tools_to_execute = match (element.tools_to_execute, continued) {
            (Some(entries), _) => tools(entries, &mcp_client_name, at)?,
            (None, Some(config)) => config.tools_to_execute.clone(),
            (None, None) => AllowList::everything(),
        };
        // A config is one of its client for good: for another client it is another config.
        let same = continued.filter(|config| config.mcp_client_name == mcp_client_name);
        Ok(Self { id: same.map(|config| config.id), mcp_client_name, tools_to_execute })
    }
}

/// The tools of an MCP config, whose fault is told with the client's name.
fn tools(entries: Vec<String>, client: &str, at: &Pointer) -> Result<AllowList, Invalid> {
    AllowList::try_from(entries).map_err(|error| {
        let message = format!("invalid tools_to_execute for mcp client {client}: {error}");
        Invalid::at(at.member("tools_to_execute"), message)
    })
}

/// The existing config that an element is about: by its id, else by its client, unless another element names that one by its id.
fn continued<'a>(
    existing: &'a [McpConfig],
    named: &[i64],
    element: &McpConfigInput,
    at: &Pointer,
) -> Result<Option<&'a McpConfig>, Invalid> {
    let Some(id) = element.id else {
        let mut free = existing.iter().filter(|config| !named.contains(&config.id));
        return Ok(free.find(|config| Some(&config.mcp_client_name) == element.mcp_client_name.as_ref()));
    };
    let found = existing.iter().find(|config| config.id == id);
    found
        .map(Some)
        .ok_or_else(|| Invalid::at(at.member("id"), format!("MCP config {id} does not belong to this virtual key")))
}
