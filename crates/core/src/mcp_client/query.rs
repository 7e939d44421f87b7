//! Which MCP clients a list is asked for.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{McpAuthType, McpConnectionType, checks};
use crate::ids::{McpClientId, VirtualKeyId};
use crate::invalid::Invalid;
use crate::list::{ListQuery, Page, flag};

/// Which MCP clients are asked for. Without any parameter it is the whole list, up to 10,000 entries. Where several values may be
/// given they are separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct McpClientQuery {
    /// How many entries at most: 25 unless given, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub limit: Option<String>,
    /// How many entries to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 2147483647)]
    pub offset: Option<String>,
    /// Only clients whose name has this in it, ignoring the case of ASCII letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only the client with this `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Only clients of these connection types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<String>,
    /// Only clients of these auth types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// `healthy`: only connected clients, of which Keyward has none. `unstable`: the others. Both or neither: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `true`: clients that every virtual key may use; together with `virtual_keys`, either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_virtual_keys: Option<String>,
    /// Clients for which one of these virtual keys has an MCP config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_keys: Option<String>,
    /// Only clients that are, or are not, in code mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<bool>)]
    pub code_mode: Option<String>,
    /// Only clients that are, or are not, disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<bool>)]
    pub disabled: Option<String>,
}

/// Which virtual keys the clients shall be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpClientVirtualKeys {
    /// Clients that every virtual key may use count.
    pub or_all: bool,
    /// Clients for which one of these has an MCP config count.
    pub ids: Vec<VirtualKeyId>,
}

/// A checked query for MCP clients.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct McpClientFilter {
    /// Which page.
    pub page: Page,
    /// Only this client.
    pub client_id: Option<McpClientId>,
    /// Only clients of these connection types.
    pub connection_types: Option<Vec<McpConnectionType>>,
    /// Only clients of these auth types.
    pub auth_types: Option<Vec<McpAuthType>>,
    /// True: only connected clients.
    pub only_connected: bool,
    /// Only clients for these virtual keys.
    pub virtual_keys: Option<McpClientVirtualKeys>,
    /// Only clients that are, or are not, in code mode.
    pub code_mode: Option<bool>,
    /// Only clients that are, or are not, disabled.
    pub disabled: Option<bool>,
}

/// The most values of one parameter.
const MOST_VALUES: usize = 100;

impl McpClientQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// A number, switch, type or state that is none.
    pub fn check(self) -> Result<McpClientFilter, Invalid> {
        let is_paged = self != Self::default();
        let query = ListQuery { limit: self.limit, offset: self.offset, search: self.search, from_memory: None };
        let states = values("state", self.state)?.unwrap_or_default();
        if states.iter().any(|state| state != "healthy" && state != "unstable") {
            return Err(Invalid::at("state".into(), "state must be healthy or unstable"));
        }
        let or_all = flag(self.all_virtual_keys.as_deref());
        let ids = values("virtual_keys", self.virtual_keys)?;
        let of = |types: Option<Vec<String>>| types.unwrap_or_default().into_iter();
        let connection_types = of(values("connection_type", self.connection_type)?);
        let auth_types = of(values("auth_type", self.auth_type)?);
        Ok(McpClientFilter {
            page: if is_paged { query.paged()? } else { query.check()? },
            client_id: self.server.filter(|id| !id.is_empty()).map(McpClientId::from),
            connection_types: given(
                connection_types.map(|name| checks::connection_type(&name)).collect::<Result<_, _>>()?,
            ),
            auth_types: given(auth_types.map(|name| checks::auth_type(&name)).collect::<Result<_, _>>()?),
            only_connected: states.iter().any(|state| state == "healthy")
                && !states.iter().any(|state| state == "unstable"),
            virtual_keys: (or_all || ids.is_some()).then(|| McpClientVirtualKeys {
                or_all,
                ids: ids.into_iter().flatten().map(VirtualKeyId::from).collect(),
            }),
            code_mode: switch("code_mode", self.code_mode.as_deref())?,
            disabled: switch("disabled", self.disabled.as_deref())?,
        })
    }
}

fn given<T>(values: Vec<T>) -> Option<Vec<T>> {
    Some(values).filter(|values| !values.is_empty())
}

fn values(name: &str, text: Option<String>) -> Result<Option<Vec<String>>, Invalid> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let values: Vec<String> = text.split(',').map(|value| value.trim().to_owned()).collect();
    match values.len() <= MOST_VALUES {
        true => Ok(Some(values)),
        false => Err(Invalid::at(name.into(), format!("{name} has more than {MOST_VALUES} values"))),
    }
}

fn switch(name: &str, text: Option<&str>) -> Result<Option<bool>, Invalid> {
    match text {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Invalid::at(name.into(), format!("{name} must be true or false"))),
    }
}
