//! The virtual keys of a file.

use keyward_core::declaration::{DeclaredLimits, DeclaredVirtualKey};
use keyward_core::invalid::Pointer;
use keyward_core::provider_config::ProviderConfigInput;
use keyward_core::secret::{SecretSource, VIRTUAL_KEY_PREFIX, VirtualKeyValue, looks_redacted};
use keyward_core::virtual_key::CreateVirtualKey;
use secrecy::ExposeSecret as _;

use super::limits::LimitSections;
use super::mcp::McpSection;
use super::node::Node;
use super::reader::Reader;

/// The longest value, in bytes.
const LONGEST_VALUE: usize = 1024;

pub(super) fn read(
    at: Pointer,
    id: String,
    mut node: Node,
    mcp: &McpSection,
    limits: &mut LimitSections,
    reader: &mut Reader,
) -> Option<DeclaredVirtualKey> {
    let own = limits.take(&mut node, &at, Some(("virtual_key_id", &id)), reader);
    let value = value(&mut node, &at, reader);
    let expires_at = reader.text(&mut node, "expires_at", &at).and_then(|text| {
        let instant = text.parse().ok();
        if instant.is_none() {
            reader.error(&at.member("expires_at"), "expires_at must be an RFC3339 timestamp");
        }
        instant
    });
    let configs = provider_configs(&mut node, &at, limits, reader);
    let mcp_configs = mcp.configs(&mut node, &at, reader);
    if let Some(keys) = node.take("keys") {
        node.set("key_ids", keys);
    }
    let mut request: CreateVirtualKey = reader.typed(node, &at)?;
    let is_open = request.allowed_providers.is_none() && request.key_ids.is_none();
    if configs.is_none() && is_open && request.allow_all_providers.is_none() {
        reader.warn(&at.member("provider_configs"), "absent: every provider may be used");
    }
    let (elements, config_limits) = unzipped(configs);
    request.provider_configs = elements;
    let (elements, mcp_places) = unzipped(mcp_configs);
    request.mcp_configs = elements;
    Some(DeclaredVirtualKey { id: id.into(), at, request, value, expires_at, limits: own, config_limits, mcp_places })
}

/// The elements, if there is a list of them, and what goes with each.
fn unzipped<T, U>(list: Option<Vec<(T, U)>>) -> (Option<Vec<T>>, Vec<U>) {
    match list {
        Some(list) => {
            let (elements, others) = list.into_iter().unzip();
            (Some(elements), others)
        }
        None => (None, Vec::new()),
    }
}

fn value(node: &mut Node, at: &Pointer, reader: &mut Reader) -> Option<VirtualKeyValue> {
    let at = at.member("value");
    let source: SecretSource = reader.typed(node.take("value")?, &at)?;
    if let SecretSource::Environment(name) = &source {
        reader.variable(&at, name);
    }
    let text = match source {
        SecretSource::Literal(text) => text,
        SecretSource::Environment(name) => super::super::environment(&name)?.expose_secret().to_owned(),
    };
    let fits = text.len() <= LONGEST_VALUE && text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() {
        return None;
    }
    if looks_redacted(&text) {
        reader.error(&at, "this is the redacted form of a value: leave it out to keep the one that is stored");
        return None;
    }
    if !fits {
        reader.error(&at, format!("a value has at most {LONGEST_VALUE} bytes, all visible ASCII characters"));
        return None;
    }
    if !text.to_ascii_lowercase().starts_with(VIRTUAL_KEY_PREFIX) {
        reader
            .warn(&at, format!("only the header x-bf-vk takes a value that does not begin with {VIRTUAL_KEY_PREFIX}"));
    }
    Some(VirtualKeyValue::from_text(text))
}

/// The provider configs, each with its limits; none when the file does not speak of them.
fn provider_configs(
    node: &mut Node,
    at: &Pointer,
    limits: &mut LimitSections,
    reader: &mut Reader,
) -> Option<Vec<(ProviderConfigInput, DeclaredLimits)>> {
    let section = reader.list(node, "provider_configs", at)?;
    let mut configs = Vec::new();
    for (at, mut element) in section {
        // The id connects a budget with its provider config inside the file, and means nothing outside.
        let id = element.take("id").and_then(|id| id.text().or_else(|| id.literal().map(ToOwned::to_owned)));
        let own = limits.take(&mut element, &at, id.as_deref().map(|id| ("provider_config_id", id)), reader);
        if let Some(mut keys) = element.take("keys") {
            // Of a key that is written out only its name is of use: its value is in `providers`.
            for (_, key) in keys.children_mut() {
                if let Some(name) = key.take("name").or_else(|| key.take("key_id")) {
                    *key = name;
                }
            }
            element.set("key_ids", keys);
        }
        if element.take("allow_all_keys").is_some_and(|all| all.literal() == Some("true")) {
            element.take("key_ids");
        }
        let Some(element) = reader.typed::<ProviderConfigInput>(element, &at) else { continue };
        if element.allowed_models.is_none() {
            reader.warn(&at.member("allowed_models"), "absent: every model may be used");
        }
        if element.key_ids.is_none() {
            reader.warn(&at.member("key_ids"), "absent: every key of the provider may serve");
        }
        configs.push((element, own));
    }
    Some(configs)
}
