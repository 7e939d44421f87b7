//! Tools that a request offers to a model, looked at before it is admitted: those of MCP clients must be the virtual key's to use.
//!
//! A tool is one of an MCP client when the provider is to reach an MCP server for it, or when it is a function with the name that the
//! gateway gives such a tool. Everything else is none of our business here. What is looked for is found however it is spelt: a
//! provider that ignores case would find it too.

use keyward_core::error_code::ErrorCode;
use keyward_core::mcp_tools::{Narrowing, QualifiedTool};
use keyward_core::refusal::Refusal;
use keyward_engine::Principal;
use serde_json::Value;
use url::Url;

use super::servers::Mcp;
use crate::error::ApiError;
use crate::json::members;

/// Members of a body under which tools are offered.
const OFFERS: [&str; 3] = ["tools", "functions", SERVERS];
/// The list of which each element is an MCP server.
const SERVERS: &str = "mcp_servers";
/// How long a list of tools may be, in bytes: read into memory it is several times as large.
const LONGEST: usize = 4 * 1024 * 1024;
/// How a grant of every tool of a server is named.
const EVERY: &str = "*";

/// What a request offers.
enum Offer {
    /// A function, by its name.
    Function(String),
    /// Tools of an MCP server that the provider reaches; no names are all of them.
    Server { label: String, url: Option<String>, tools: Option<Vec<String>> },
}

/// Who offers tools to a model.
pub(crate) struct Offering<'a> {
    pub(crate) mcp: &'a Mcp,
    pub(crate) principal: &'a Principal,
    pub(crate) narrowing: &'a Narrowing,
}

impl Offering<'_> {
    /// Makes sure that the virtual key may use what its request offers, if that offers anything. A body that could not be scanned is
    /// refused for a tool that may not be used before it is for anything else.
    ///
    /// # Errors
    /// The first tool that may not be used, or why the body could not be scanned.
    pub(crate) fn guard<T>(
        &self,
        scanned: Result<T, ApiError>,
        offers_tools: impl FnOnce(&T) -> bool,
        body: &[u8],
    ) -> Result<T, ApiError> {
        let check = || check(self.mcp, self.principal, self.narrowing, body);
        match scanned {
            Ok(scan) if offers_tools(&scan) => check().map(|()| scan),
            Ok(scan) => Ok(scan),
            Err(error) => match check() {
                Err(blocked) if blocked.code() == ErrorCode::McpToolBlocked => Err(blocked),
                Err(_) | Ok(()) => Err(error),
            },
        }
    }
}

fn check(mcp: &Mcp, principal: &Principal, narrowing: &Narrowing, body: &[u8]) -> Result<(), ApiError> {
    let unreadable = |error| ApiError::new(ErrorCode::InvalidJson, "Invalid JSON").because(error);
    let is_offer = |name: &str| OFFERS.iter().any(|offer| name.eq_ignore_ascii_case(offer));
    for (member, written) in members(body, is_offer).map_err(unreadable)? {
        if written.get().len() > LONGEST {
            let message = format!("{member} must have at most {LONGEST} bytes");
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).at(format!("/{member}")));
        }
        let list: Value = serde_json::from_str(written.get()).map_err(unreadable)?;
        for (index, element) in list.as_array().into_iter().flatten().enumerate() {
            for offer in offers(element, member.eq_ignore_ascii_case(SERVERS)) {
                let at = format!("/{member}/{index}");
                may(mcp, principal, narrowing, offer).map_err(|refusal| ApiError::from(refusal).at(at))?;
            }
        }
    }
    Ok(())
}

fn may(mcp: &Mcp, principal: &Principal, narrowing: &Narrowing, offer: Offer) -> Result<(), Refusal> {
    match offer {
        Offer::Function(name) => {
            let Some(asked) = QualifiedTool::parse(&name) else { return Ok(()) };
            let Some(server) = mcp.find(asked.client) else { return Ok(()) };
            let is_allowed = principal.tools(&server.client, narrowing).allows(asked.tool);
            is_allowed.then_some(()).ok_or(Refusal::ToolBlocked(name))
        }
        Offer::Server { label, url, tools } => {
            let blocked = |tool: &str| Refusal::ToolBlocked(QualifiedTool { client: &label, tool }.to_string());
            // A server that is not registered, or another one under its name, has no tools that anybody may use.
            let server = mcp.find(&label).filter(|server| server.is_at(url.as_deref()));
            let effective = server.as_ref().map(|server| principal.tools(&server.client, narrowing));
            let Some(tools) = tools else {
                let is_allowed = effective.is_some_and(|effective| effective.allows_everything());
                return is_allowed.then_some(()).ok_or_else(|| blocked(EVERY));
            };
            let refused = tools.iter().find(|tool| !effective.is_some_and(|effective| effective.allows(tool)));
            match refused {
                Some(tool) => Err(blocked(tool)),
                None if effective.is_none() => Err(blocked(EVERY)),
                None => Ok(()),
            }
        }
    }
}

/// What one element of a list offers, in any of the dialects.
fn offers(element: &Value, is_server: bool) -> Vec<Offer> {
    let text = |object: &Value, name: &str| member(object, name).and_then(Value::as_str).map(str::to_owned);
    if is_server || text(element, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("mcp")) {
        let label = text(element, if is_server { "name" } else { "server_label" }).unwrap_or_default();
        let url = text(element, if is_server { "url" } else { "server_url" });
        let settings = member(element, "tool_configuration").unwrap_or(element);
        return vec![Offer::Server { label, url, tools: named(settings) }];
    }
    let function = member(element, "function").unwrap_or(element);
    let declared = ["functionDeclarations", "function_declarations"].into_iter();
    let declared = declared.filter_map(|name| member(element, name)?.as_array()).flatten();
    let names = declared.chain([function, element]).filter_map(|function| text(function, "name"));
    names.map(Offer::Function).collect()
}

/// The tools that an MCP server is narrowed to; none: it is not.
fn named(settings: &Value) -> Option<Vec<String>> {
    let allowed = member(settings, "allowed_tools").filter(|allowed| !allowed.is_null())?;
    let names = member(allowed, "tool_names").unwrap_or(allowed).as_array()?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// A member of an object, however it is spelt.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.as_object()?.iter().find(|(written, _)| written.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

impl super::servers::Server {
    /// True when the server is at this address.
    fn is_at(&self, url: Option<&str>) -> bool {
        let url = url.and_then(|url| Url::parse(url).ok());
        self.connection.as_ref().is_some_and(|connection| url.as_ref() == Some(&connection.url))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What an element offers, in words.
    fn found(list: &str, element: &Value) -> Vec<String> {
        let told = |offer| match offer {
            Offer::Function(name) => name,
            Offer::Server { label, url, tools } => format!("{label} at {url:?}: {tools:?}"),
        };
        offers(element, list == SERVERS).into_iter().map(told).collect()
    }

    #[test]
    fn tools_are_found_in_every_dialect() {
        for (list, element, expected) in [
            ("tools", json!({ "type": "function", "function": { "name": "a-b" } }), &["a-b"][..]),
            ("tools", json!({ "type": "function", "name": "a-b" }), &["a-b", "a-b"]),
            ("tools", json!({ "name": "a-b", "input_schema": {} }), &["a-b", "a-b"]),
            ("tools", json!({ "functionDeclarations": [{ "name": "a-b" }, { "name": "c" }] }), &["a-b", "c"]),
            ("tools", json!({ "function_declarations": [{ "name": "a-b" }] }), &["a-b"]),
            ("functions", json!({ "NAME": "a-b" }), &["a-b", "a-b"]),
            ("tools", json!({ "type": "web_search" }), &[]),
            ("tools", json!({ "type": "mcp", "server_label": "a", "server_url": "u" }), &["a at Some(\"u\"): None"]),
            (
                "tools",
                json!({ "Type": "MCP", "server_label": "a", "allowed_tools": ["b"] }),
                &["a at None: Some([\"b\"])"],
            ),
            ("tools", json!({ "type": "mcp", "allowed_tools": { "tool_names": ["b"] } }), &[" at None: Some([\"b\"])"]),
            ("tools", json!({ "type": "mcp", "allowed_tools": [7] }), &[" at None: None"]),
            (SERVERS, json!({ "name": "a", "url": "u" }), &["a at Some(\"u\"): None"]),
            (
                SERVERS,
                json!({ "type": "url", "name": "a", "tool_configuration": { "allowed_tools": ["b"] } }),
                &["a at None: Some([\"b\"])"],
            ),
            ("tools", json!("a-b"), &[]),
        ] {
            assert_eq!(found(list, &element), expected, "{element}");
        }
    }
}
