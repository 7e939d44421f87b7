//! The sections of `governance`, each entity as the request that the API would get for it.

use keyward_core::declaration::{
    Declaration, DeclaredCustomer, DeclaredLimits, DeclaredModelConfig, DeclaredPricingOverride, DeclaredRoutingRule,
    DeclaredTeam,
};
use keyward_core::invalid::Pointer;
use keyward_core::model_config::{CreateModelConfig, EVERY_MODEL};
use keyward_core::owner::{CreateCustomer, CreateTeam};
use keyward_core::pricing_override::CreatePricingOverride;
use keyward_core::provider_governance::UpdateProviderGovernance;
use keyward_core::routing_rule::CreateRoutingRule;

use super::limits::LimitSections;
use super::mcp::McpSection;
use super::node::Node;
use super::reader::Reader;
use super::virtual_keys;
use crate::gateway::routing::Expression;

/// Reads the sections into the declaration; `governance` keeps what is not one.
pub(super) fn read(
    governance: &mut Node,
    at: &Pointer,
    mcp: &McpSection,
    declaration: &mut Declaration,
    reader: &mut Reader,
) {
    let mut limits = LimitSections::read(governance, at, reader);
    declaration.customers = reader.list(governance, "customers", at).map(|section| {
        entities(section, reader, |at, id, mut node, reader| {
            let limits = limits.take(&mut node, &at, Some(("customer_id", &id)), reader);
            let request: CreateCustomer = reader.typed(node, &at)?;
            Some(DeclaredCustomer { id: id.into(), at, request, limits })
        })
    });
    declaration.teams = reader.list(governance, "teams", at).map(|section| {
        entities(section, reader, |at, id, mut node, reader| {
            let limits = limits.take(&mut node, &at, Some(("team_id", &id)), reader);
            let request: CreateTeam = reader.typed(node, &at)?;
            Some(DeclaredTeam { id: id.into(), at, request, limits })
        })
    });
    declaration.virtual_keys = reader.list(governance, "virtual_keys", at).map(|section| {
        entities(section, reader, |at, id, node, reader| virtual_keys::read(at, id, node, mcp, &mut limits, reader))
    });
    model_configs(governance, at, declaration, &mut limits, reader);
    declaration.routing_rules = reader.list(governance, "routing_rules", at).map(|section| {
        entities(section, reader, |at, id, node, reader| {
            let request: CreateRoutingRule = reader.typed(node, &at)?;
            if let Err(what) = Expression::compile(&request.cel_expression) {
                reader.error(&at.member("cel_expression"), format!("invalid CEL expression: {what}"));
            }
            Some(DeclaredRoutingRule { id: id.into(), at, request })
        })
    });
    declaration.pricing_overrides =
        reader.list(governance, "pricing_overrides", at).map(|section| entities(section, reader, pricing_override));
    limits.finish(reader);
}

/// Reads the entities of a section, whose ids are distinct.
fn entities<T>(
    section: Vec<(Pointer, Node)>,
    reader: &mut Reader,
    mut read: impl FnMut(Pointer, String, Node, &mut Reader) -> Option<T>,
) -> Vec<T> {
    let mut ids: Vec<String> = Vec::new();
    let mut entities = Vec::new();
    for (at, mut node) in section {
        let Some(id) = reader.id(&mut node, &at) else { continue };
        if ids.contains(&id) {
            reader.error(&at.member("id"), format!("the id '{id}' is there twice"));
            continue;
        }
        ids.push(id.clone());
        entities.extend(read(at, id, node, reader));
    }
    entities
}

/// Limits of models, and those of providers: these are model configs of every model.
fn model_configs(
    governance: &mut Node,
    at: &Pointer,
    declaration: &mut Declaration,
    limits: &mut LimitSections,
    reader: &mut Reader,
) {
    let of_models = reader.list(governance, "model_configs", at).map(|section| {
        entities(section, reader, |at, id, mut node, reader| {
            let limits = limits.take(&mut node, &at, Some(("model_config_id", &id)), reader);
            let request: CreateModelConfig = reader.typed(node, &at)?;
            Some(DeclaredModelConfig { id: Some(id.into()), at, request, limits })
        })
    });
    let of_providers = reader.list(governance, "providers", at).map(|section| {
        let read = section.into_iter().filter_map(|(at, mut node)| {
            let provider = reader.required(&mut node, "name", &at)?;
            let limits = limits.take(&mut node, &at, None, reader);
            let update: UpdateProviderGovernance = reader.typed(node, &at)?;
            let request = CreateModelConfig {
                model_name: EVERY_MODEL.to_owned(),
                provider: Some(provider.into()),
                calendar_aligned: update.calendar_aligned,
                ..CreateModelConfig::default()
            };
            // A provider that is only named here has no limits.
            (limits != DeclaredLimits::default()).then_some(DeclaredModelConfig { id: None, at, request, limits })
        });
        read.collect::<Vec<_>>()
    });
    declaration.speaks_of_models = of_models.is_some();
    declaration.model_configs = match (of_models, of_providers) {
        (None, None) => None,
        (models, providers) => Some(models.into_iter().chain(providers).flatten().collect()),
    };
}

fn pricing_override(at: Pointer, id: String, mut node: Node, reader: &mut Reader) -> Option<DeclaredPricingOverride> {
    if let Some(text) = reader.text(&mut node, "pricing_patch", &at) {
        match Node::parse(&text) {
            Ok(patch) if node.member("patch").is_none() => node.set("patch", patch),
            Ok(_) => reader.error(&at.member("pricing_patch"), "give either patch or pricing_patch, not both"),
            Err(error) => reader.error(&at.member("pricing_patch"), error.message),
        }
    }
    let key = reader.text(&mut node, "provider_key_name", &at);
    let mut request: CreatePricingOverride = reader.typed(node, &at)?;
    if let Some(key) = key {
        request.provider_key_id = Some(key.into());
    }
    Some(DeclaredPricingOverride { id: id.into(), at, request })
}
