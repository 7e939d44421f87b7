//! The providers of a file, and their keys.

use keyward_core::declaration::{DeclaredKey, DeclaredProvider};
use keyward_core::invalid::Pointer;
use keyward_core::patch::Patch;
use keyward_core::provider::{CreateProvider, CreateProviderKey, KnownProvider, UpdateProviderKey};

use super::node::Node;
use super::reader::Reader;
use crate::upstreams::is_private;

/// Reads the section. `block_private`: providers at private addresses are refused.
pub(super) fn read(file: &mut Node, block_private: bool, reader: &mut Reader) -> Option<Vec<DeclaredProvider>> {
    let at = Pointer::from("providers");
    let mut section = file.take("providers")?;
    if !matches!(section, Node::Object(_)) {
        reader.error(&at, "invalid type: expected an object");
        return None;
    }
    let mut providers = Vec::new();
    let mut known = Vec::new();
    for (name, node) in section.children_mut() {
        let at = at.member(&name);
        let keys = reader.list(node, "keys", &at).map(|keys| {
            let read = keys.into_iter().filter_map(|(at, node)| key(node, &at, reader));
            let read: Vec<_> = read.collect();
            read.into_iter().map(|(at, key)| distinct(at, key, &mut known, reader)).collect()
        });
        let Some(mut request) = reader.typed::<CreateProvider>(node.clone(), &at) else { continue };
        if !request.name.is_empty() && request.name != name {
            reader.error(&at.member("name"), format!("the provider is '{name}'"));
        }
        request.name.clone_from(&name);
        for (inner, variable) in request.variables() {
            reader.variable(&at.join(&inner), &variable);
        }
        address(&request, block_private, &at, reader);
        providers.push(DeclaredProvider { name: name.as_str().into(), at, request, keys });
    }
    Some(providers)
}

fn address(request: &CreateProvider, block_private: bool, at: &Pointer, reader: &mut Reader) {
    let base_url = request.network_config.base_url.as_ref().value();
    if block_private && base_url.is_some_and(is_private) {
        let message = "base_url must not be a private address: block_private_upstreams is on";
        reader.error(&at.member("network_config").member("base_url"), message);
    }
    let by_key = matches!(request.name.as_str(), "vllm" | "ollama" | "sgl");
    let built_in = KnownProvider::find(&request.name).and_then(|known| known.base_url);
    if base_url.is_none() && !by_key && built_in.is_none() && KnownProvider::needs_no_address(&request.name) {
        reader.warn(at, "without effect yet: Keyward cannot call this provider");
    }
}

fn key(mut node: Node, at: &Pointer, reader: &mut Reader) -> Option<(Pointer, DeclaredKey)> {
    let id = match node.member("id") {
        Some(_) => Some(reader.id(&mut node, at)?),
        None => None,
    };
    plain_aliases(&mut node, at, reader);
    let request: CreateProviderKey = reader.typed(node, at)?;
    if request == (CreateProviderKey { name: request.name.clone(), ..bare(&request) }) {
        reader.warn(at, "without effect: the key has neither a value nor settings that Keyward knows");
        return None;
    }
    let update = UpdateProviderKey::from(request.clone());
    for (at, variable) in update.variables(at) {
        reader.variable(&at, &variable);
    }
    Some((at.clone(), DeclaredKey { id: id.map(Into::into), request }))
}

/// The same without a credential and without settings.
fn bare(request: &CreateProviderKey) -> CreateProviderKey {
    CreateProviderKey {
        models: request.models.clone(),
        blacklisted_models: request.blacklisted_models.clone(),
        weight: request.weight,
        aliases: request.aliases.clone(),
        enabled: request.enabled,
        use_for_batch_api: request.use_for_batch_api,
        description: request.description.clone(),
        value: Patch::Absent,
        ..CreateProviderKey::default()
    }
}

/// Aliases may be objects of which Keyward uses the model id.
fn plain_aliases(node: &mut Node, at: &Pointer, reader: &mut Reader) {
    let Some(mut aliases) = node.take("aliases") else { return };
    let at = at.member("aliases");
    for (name, alias) in aliases.children_mut() {
        let Some(model) = alias.take("model_id") else { continue };
        for (member, _) in alias.children_mut() {
            reader.warn(&at.member(&name).member(&member), "without effect");
        }
        *alias = model;
    }
    node.set("aliases", aliases);
}

/// Names and ids of keys are unique among all providers.
fn distinct(at: Pointer, key: DeclaredKey, known: &mut Vec<(String, String)>, reader: &mut Reader) -> DeclaredKey {
    let id = key.id.as_ref().map(ToString::to_string).unwrap_or_default();
    if known.iter().any(|(_, name)| *name == key.request.name) {
        reader.error(&at.member("name"), format!("the name '{}' is there twice", key.request.name));
    }
    if !id.is_empty() && known.iter().any(|(other, _)| *other == id) {
        reader.error(&at.member("id"), format!("the id '{id}' is there twice"));
    }
    known.push((id, key.request.name.clone()));
    key
}
