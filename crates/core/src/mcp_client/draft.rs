//! What a request makes of an MCP client: the checked, full desired state.

use std::collections::BTreeMap;

use super::requests::UpdateMcpClient;
use super::{McpAuthType, McpClient, McpConnectionType, McpStdioConfig, checks};
use crate::allow_list::AllowList;
use crate::ids::McpClientId;
use crate::invalid::{Invalid, Pointer};
use crate::limits::Edit;
use crate::patch::Patch;
use crate::secret::{EnvVar, SecretDraft, SecretSource};

/// An MCP client as it shall be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct McpClientDraft {
    /// Everything but the address and the headers, which are empty here. A new client has no row number yet.
    pub client: McpClient,
    /// Where the server is.
    pub connection_string: Option<SecretDraft>,
    /// The headers of a connection.
    pub headers: BTreeMap<String, SecretDraft>,
}

impl UpdateMcpClient {
    /// The client that the request asks for.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn make(self, edit: &mut Edit<'_>) -> Result<McpClientDraft, Invalid> {
        checks::name(self.name.as_deref().unwrap_or_default())?;
        let client_id = match self.client_id.clone().filter(|id| !id.as_str().is_empty()) {
            Some(id) => checks::client_id(id.as_str()).map(|()| id)?,
            None => McpClientId::from((edit.mint)()),
        };
        let blank = self.blank(client_id, edit)?;
        self.edited(&blank, edit)
    }

    /// The client that the request makes in the place of `existing`: what is absent is as in a new one, but for secrets. Those
    /// that are given as they were shown stay, and so do those that are absent.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn replace(self, existing: &McpClient, edit: &Edit<'_>) -> Result<McpClientDraft, Invalid> {
        let blank = self.blank(existing.client_id.clone(), edit)?;
        let base = McpClient {
            id: existing.id,
            connection_string: existing.connection_string.clone(),
            headers: existing.headers.clone(),
            config_hash: existing.config_hash.clone(),
            created_at: existing.created_at,
            ..blank
        };
        self.apply(&base, edit)
    }

    /// A client of the request's kind with the default of everything else.
    fn blank(&self, client_id: McpClientId, edit: &Edit<'_>) -> Result<McpClient, Invalid> {
        let Some(kind) = self.connection_type.as_deref() else {
            return Err(Invalid::at("connection_type".into(), "connection_type is required"));
        };
        Ok(McpClient {
            id: 0,
            client_id,
            name: String::new(),
            is_code_mode_client: false,
            connection_type: checks::connection_type(kind)?,
            connection_string: None,
            stdio_config: None,
            auth_type: match self.headers.as_ref().value().is_some_and(|headers| !headers.is_empty()) {
                true => McpAuthType::Headers,
                false => McpAuthType::None,
            },
            headers: BTreeMap::new(),
            allowed_extra_headers: AllowList::nothing(),
            tools_to_execute: AllowList::everything(),
            tools_to_auto_execute: AllowList::nothing(),
            is_ping_available: true,
            tool_sync_interval: 0,
            tool_execution_timeout: 0,
            tool_pricing: BTreeMap::new(),
            allow_on_all_virtual_keys: false,
            disabled: false,
            config_hash: String::new(),
            created_at: edit.now,
            updated_at: edit.now,
        })
    }

    /// What the request makes of `existing`: absent members stay, null clears.
    ///
    /// # Errors
    /// The first member that cannot be carried out.
    pub fn apply(self, existing: &McpClient, edit: &Edit<'_>) -> Result<McpClientDraft, Invalid> {
        if self.client_id.as_ref().is_some_and(|id| *id != existing.client_id) {
            return Err(Invalid::at("client_id".into(), "the client_id of an MCP client cannot be changed"));
        }
        self.edited(existing, edit)
    }

    fn edited(self, before: &McpClient, edit: &Edit<'_>) -> Result<McpClientDraft, Invalid> {
        let name = self.name.unwrap_or_else(|| before.name.clone());
        checks::name(&name)?;
        let kind = self.connection_type.as_deref().map(checks::connection_type).transpose()?;
        let connection_type = kind.unwrap_or(before.connection_type);
        let connection_string = address(connection_type, self.connection_string, before.connection_string.as_ref())?;
        let stdio_config = program(connection_type, self.stdio_config, before.stdio_config.as_ref())?;
        let auth_type = self.auth_type.as_deref().map(checks::auth_type).transpose()?;
        let tools_to_execute = list("tools_to_execute", self.tools_to_execute, &before.tools_to_execute)?;
        let auto = list("tools_to_auto_execute", self.tools_to_auto_execute, &before.tools_to_auto_execute)?;
        // Where no tool may run, none runs by itself.
        let auto = if tools_to_execute.entries().is_empty() { AllowList::nothing() } else { auto };
        checks::auto_execute(&auto, &tools_to_execute)?;
        let tool_execution_timeout = self.tool_execution_timeout.unwrap_or(before.tool_execution_timeout);
        if tool_execution_timeout < 0 {
            return Err(Invalid::at("tool_execution_timeout".into(), "tool_execution_timeout cannot be negative"));
        }
        let tool_pricing = self.tool_pricing.or_keep(Some(before.tool_pricing.clone())).unwrap_or_default();
        checks::tool_pricing(&tool_pricing)?;
        let headers = headers(self.headers, &before.headers)?;
        let client = McpClient {
            id: before.id,
            client_id: before.client_id.clone(),
            name,
            is_code_mode_client: self.is_code_mode_client.unwrap_or(before.is_code_mode_client),
            connection_type,
            connection_string: None,
            stdio_config,
            auth_type: auth_type.unwrap_or(before.auth_type),
            headers: BTreeMap::new(),
            allowed_extra_headers: list(
                "allowed_extra_headers",
                self.allowed_extra_headers,
                &before.allowed_extra_headers,
            )?,
            tools_to_execute,
            tools_to_auto_execute: auto,
            is_ping_available: self.is_ping_available.unwrap_or(before.is_ping_available),
            tool_sync_interval: self.tool_sync_interval.unwrap_or(before.tool_sync_interval),
            tool_execution_timeout,
            tool_pricing,
            allow_on_all_virtual_keys: self.allow_on_all_virtual_keys.unwrap_or(before.allow_on_all_virtual_keys),
            disabled: self.disabled.unwrap_or(before.disabled),
            config_hash: before.config_hash.clone(),
            created_at: before.created_at,
            updated_at: edit.now,
        };
        Ok(McpClientDraft { client, connection_string, headers })
    }
}

fn list(member: &str, given: Option<Vec<String>>, before: &AllowList) -> Result<AllowList, Invalid> {
    given.map_or_else(|| Ok(before.clone()), |entries| checks::list(member, entries))
}

/// Where the server is, which a program has no need of.
fn address(
    kind: McpConnectionType,
    given: Patch<SecretSource>,
    before: Option<&EnvVar>,
) -> Result<Option<SecretDraft>, Invalid> {
    let at = Pointer::from("connection_string");
    let refuse = |what: String| Err(Invalid::at(at.clone(), what));
    let draft = match given {
        Patch::Absent => before.map(|_| SecretDraft::Keep),
        Patch::Null => None,
        Patch::Value(source) if kind == McpConnectionType::Stdio => {
            let is_empty = source == SecretSource::Literal(String::new());
            return if is_empty {
                Ok(None)
            } else {
                refuse("connection_type stdio has no connection_string".to_owned())
            };
        }
        Patch::Value(source) => Some(source.replacing(before.map(EnvVar::text), &at)?),
    };
    match (kind, draft) {
        (McpConnectionType::Stdio, _) => Ok(None),
        (McpConnectionType::Http | McpConnectionType::Sse, Some(draft)) => {
            checks::connection_string(&draft).map(|()| Some(draft))
        }
        (McpConnectionType::Http | McpConnectionType::Sse, None) => {
            refuse(format!("connection_string is required for connection_type {}", kind.as_str()))
        }
    }
}

/// The program that is the server, if one is.
fn program(
    kind: McpConnectionType,
    given: Patch<McpStdioConfig>,
    before: Option<&McpStdioConfig>,
) -> Result<Option<McpStdioConfig>, Invalid> {
    let refuse = |what: String| Err(Invalid::at("stdio_config".into(), what));
    match (kind, given) {
        (McpConnectionType::Http | McpConnectionType::Sse, Patch::Value(_)) => {
            refuse(format!("connection_type {} has no stdio_config", kind.as_str()))
        }
        (McpConnectionType::Http | McpConnectionType::Sse, Patch::Absent | Patch::Null) => Ok(None),
        (McpConnectionType::Stdio, given) => match given.or_keep(before.cloned()) {
            Some(config) => checks::stdio_config(&config).map(|()| Some(config)),
            None => refuse("stdio_config is required for connection_type stdio".to_owned()),
        },
    }
}

/// The headers, the full set. Names are kept in small letters.
fn headers(
    given: Patch<BTreeMap<String, SecretSource>>,
    before: &BTreeMap<String, EnvVar>,
) -> Result<BTreeMap<String, SecretDraft>, Invalid> {
    let given = match given {
        Patch::Absent => return Ok(before.keys().map(|name| (name.clone(), SecretDraft::Keep)).collect()),
        Patch::Null => return Ok(BTreeMap::new()),
        Patch::Value(given) => given,
    };
    let mut headers = BTreeMap::new();
    for (written, source) in given {
        let at = Pointer::from("headers").member(&written);
        let name = written.to_ascii_lowercase();
        let draft = source.replacing(before.get(&name).map(EnvVar::text), &at)?;
        if headers.insert(name, draft).is_some() {
            return Err(Invalid::at(at, format!("the header {written} is there twice")));
        }
    }
    checks::headers(&headers)?;
    Ok(headers)
}

/// What the address is called among the secrets of a client. No header has a slash in its name.
const ADDRESS: &str = "/connection_string";

impl McpClientDraft {
    /// The secrets of the connection, each by its name.
    #[must_use]
    pub fn secrets(&self) -> BTreeMap<String, SecretDraft> {
        let address = self.connection_string.iter().map(|draft| (ADDRESS.to_owned(), draft.clone()));
        address.chain(self.headers.clone()).collect()
    }
}

impl McpClient {
    /// The client with what is shown of the secrets of its connection.
    #[must_use]
    pub fn with_secrets(mut self, shown: BTreeMap<String, EnvVar>) -> Self {
        (self.connection_string, self.headers) = Self::parted(shown);
        self
    }

    /// The address and the headers of a connection, of what is stored of it by name.
    #[must_use]
    pub fn parted<T>(mut named: BTreeMap<String, T>) -> (Option<T>, BTreeMap<String, T>) {
        (named.remove(ADDRESS), named)
    }
}
