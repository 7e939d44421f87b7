//! What the members of an MCP client have to be like.

use std::collections::BTreeMap;

use url::Url;

use super::{McpAuthType, McpConnectionType, McpStdioConfig};
use crate::address::AddressClass;
use crate::allow_list::AllowList;
use crate::invalid::{Invalid, Pointer};
use crate::money::NanoUsd;
use crate::name::check_name;
use crate::secret::{SecretDraft, SecretSource};

/// Headers that belong to one connection, or that a message of MCP sets itself.
const OWN: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];
const MOST_HEADERS: usize = 32;
const LONGEST_HEADER_NAME: usize = 128;
const LONGEST_ID: usize = 255;
/// The longest address, header, command or argument, in bytes.
const LONGEST_TEXT: usize = 4_096;
/// The most arguments, variables, or tools with a price.
const MOST: usize = 1_000;

/// The name is a part of the names of tools, so little is allowed in it.
pub(super) fn name(name: &str) -> Result<(), Invalid> {
    let refuse = |what: &str| Err(Invalid::at("name".into(), format!("Invalid client name: {what}")));
    if name.trim().is_empty() {
        refuse("client name is required")
    } else if !name.is_ascii() {
        refuse("name must contain only ASCII characters")
    } else if name.contains('-') {
        refuse("client name cannot contain hyphens")
    } else if name.contains(' ') {
        refuse("client name cannot contain spaces")
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        refuse("client name cannot start with a number")
    } else {
        check_name(name, "Invalid client name: client name is required")
    }
}

/// The id is a segment of paths.
pub(super) fn client_id(id: &str) -> Result<(), Invalid> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins_well = id.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if begins_well && id.len() <= LONGEST_ID && id.chars().all(is_legal) {
        return Ok(());
    }
    let message =
        "client_id must be at most 255 letters, digits, '-', '_' or '.', and begin with a letter, a digit or '_'";
    Err(Invalid::at("client_id".into(), message))
}

pub(super) fn connection_type(name: &str) -> Result<McpConnectionType, Invalid> {
    McpConnectionType::find(name).ok_or_else(|| {
        Invalid::at("connection_type".into(), format!("connection_type must be http, sse or stdio, not '{name}'"))
    })
}

pub(super) fn auth_type(name: &str) -> Result<McpAuthType, Invalid> {
    McpAuthType::find(name).ok_or_else(|| {
        let why = "Keyward signs in nowhere, so there is no other way to ask for";
        Invalid::at("auth_type".into(), format!("auth_type must be none or headers, not '{name}': {why}"))
    })
}

/// The literal that a draft sets.
const fn literal(draft: &SecretDraft) -> Option<&String> {
    match draft {
        SecretDraft::Set(SecretSource::Literal(text)) => Some(text),
        SecretDraft::Set(SecretSource::Environment(_)) | SecretDraft::Keep => None,
    }
}

/// A reference has a name.
fn check_reference(draft: &SecretDraft, at: &Pointer) -> Result<(), Invalid> {
    match draft {
        SecretDraft::Set(SecretSource::Environment(variable)) if variable.is_empty() => {
            Err(Invalid::at(at.clone(), "this names no environment variable"))
        }
        SecretDraft::Set(_) | SecretDraft::Keep => Ok(()),
    }
}

pub(super) fn connection_string(draft: &SecretDraft) -> Result<(), Invalid> {
    let at = Pointer::from("connection_string");
    check_reference(draft, &at)?;
    let Some(text) = literal(draft) else { return Ok(()) };
    let is_url =
        |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    if text.len() > LONGEST_TEXT || text.contains(char::is_control) || !is_url(text) {
        return Err(Invalid::at(at, "connection_string must be an http or https URL"));
    }
    match Url::parse(text).is_ok_and(|url| AddressClass::of_host(&url) == Some(AddressClass::Forbidden)) {
        true => Err(Invalid::at(at, "connection_string has an address that is never an upstream")),
        false => Ok(()),
    }
}

pub(super) fn stdio_config(config: &McpStdioConfig) -> Result<(), Invalid> {
    let at = Pointer::from("stdio_config");
    let is_text = |text: &String| text.len() <= LONGEST_TEXT && !text.contains('\0');
    if config.command.trim().is_empty() || !is_text(&config.command) {
        return Err(Invalid::at(at.member("command"), "command must be the name of a program"));
    }
    if config.args.len() > MOST || !config.args.iter().all(is_text) {
        return Err(Invalid::at(at.member("args"), "args has too many arguments, or one that is too long"));
    }
    let is_variable = |text: &String| is_text(text) && !text.is_empty() && !text.contains(['=', ' ']);
    match config.envs.len() <= MOST && config.envs.iter().all(is_variable) {
        true => Ok(()),
        false => Err(Invalid::at(at.member("envs"), "envs names environment variables, without their values")),
    }
}

/// Names are in small letters here.
pub(super) fn headers(headers: &BTreeMap<String, SecretDraft>) -> Result<(), Invalid> {
    let at = Pointer::from("headers");
    if headers.len() > MOST_HEADERS {
        return Err(Invalid::at(at, format!("headers has more than {MOST_HEADERS} headers")));
    }
    headers.iter().try_for_each(|(name, draft)| header(name, draft, &at.member(name)))
}

fn header(name: &str, draft: &SecretDraft, at: &Pointer) -> Result<(), Invalid> {
    let refuse = |message: String| Err(Invalid::at(at.clone(), message));
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > LONGEST_HEADER_NAME || !name.chars().all(is_token) {
        return refuse("this is no name of a header".to_owned());
    }
    if OWN.contains(&name) {
        return refuse(format!("the header {name} cannot be set: it belongs to the connection"));
    }
    check_reference(draft, at)?;
    let is_sendable = |text: &String| {
        !text.is_empty() && text.len() <= LONGEST_TEXT && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    };
    match literal(draft) {
        Some(text) if !is_sendable(text) => {
            refuse(format!("a header has 1 to {LONGEST_TEXT} visible ASCII characters"))
        }
        Some(_) | None => Ok(()),
    }
}

/// A list of names, whose fault is told with the member's name.
pub(super) fn list(member: &str, entries: Vec<String>) -> Result<AllowList, Invalid> {
    AllowList::try_from(entries).map_err(|error| Invalid::at(member.into(), format!("Invalid {member}: {error}")))
}

/// What runs without being asked about must be allowed to run.
pub(super) fn auto_execute(auto: &AllowList, execute: &AllowList) -> Result<(), Invalid> {
    if auto.is_everything() || execute.is_everything() {
        return Ok(());
    }
    match auto.entries().iter().find(|tool| !execute.entries().contains(tool)) {
        None => Ok(()),
        Some(tool) => {
            let what = format!("tool '{tool}' in tools_to_auto_execute is not in tools_to_execute");
            Err(Invalid::at("tools_to_auto_execute".into(), format!("Invalid tools_to_auto_execute: {what}")))
        }
    }
}

pub(super) fn tool_pricing(prices: &BTreeMap<String, NanoUsd>) -> Result<(), Invalid> {
    let at = Pointer::from("tool_pricing");
    if prices.len() > MOST {
        return Err(Invalid::at(at, format!("tool_pricing has more than {MOST} tools")));
    }
    match prices.iter().find(|(_, price)| **price < NanoUsd::ZERO) {
        None => Ok(()),
        Some((tool, _)) => Err(Invalid::at(at.member(tool), "the price of a tool cannot be negative")),
    }
}
