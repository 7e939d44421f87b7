//! What an authoritative file does not name goes, section by section. What depends on others goes first.

use std::collections::HashSet;

use keyward_core::declaration::Declaration;
use keyward_core::ids::VirtualKeyId;
use keyward_core::invalid::Pointer;
use keyward_core::list::Page;
use keyward_core::mcp_client::{McpClient, McpClientFilter};
use keyward_core::model_config::ModelConfig;
use keyward_core::pricing_override::PricingOverrideFilter;
use keyward_core::routing_rule::RoutingRuleFilter;
use keyward_core::scope::ScopeKind;

use super::super::{
    Conn, customer, mcp_client, model_config, pricing_override, provider, routing_rule, team, virtual_key,
};
use super::{Application, Failed};
use crate::error::StoreError;

impl Application<'_> {
    pub(super) fn remove(&mut self, c: &mut Conn, file: &Declaration) -> Result<(), StoreError> {
        let everything = Pointer::ROOT;
        self.entity(c, &everything, |this, c| this.remove_policies(c, file))?;
        self.entity(c, &everything, |this, c| this.remove_holders(c, file))
    }

    fn remove_policies(&self, c: &mut Conn, file: &Declaration) -> Result<(), Failed> {
        if let Some(declared) = &file.pricing_overrides {
            let stored = pricing_override::list(c, &PricingOverrideFilter::default())?.entries;
            for gone in stored.iter().filter(|entry| declared.iter().all(|one| one.id != entry.id)) {
                pricing_override::delete(c, &self.recorder("pricing_override_delete"), &gone.id)?;
            }
        }
        if let Some(declared) = &file.routing_rules {
            let stored = routing_rule::list(c, &RoutingRuleFilter::default())?.entries;
            for gone in stored.iter().filter(|rule| declared.iter().all(|one| one.id != rule.id)) {
                routing_rule::delete(c, &self.recorder("routing_rule_delete"), &gone.id)?;
            }
        }
        if let Some(declared) = &file.model_configs {
            let stored = model_config::load_all(c)?;
            let spoken_of =
                |config: &&ModelConfig| file.speaks_of_models || config.limit_scope().kind == ScopeKind::Provider;
            for gone in stored.iter().filter(spoken_of).filter(|config| !declared.iter().any(|one| one.is(config))) {
                model_config::delete(c, &self.recorder("model_config_delete"), &gone.id)?;
            }
        }
        Ok(())
    }

    fn remove_holders(&self, c: &mut Conn, file: &Declaration) -> Result<(), Failed> {
        if let Some(declared) = &file.virtual_keys {
            let declared: HashSet<&VirtualKeyId> = declared.iter().map(|one| &one.id).collect();
            for gone in virtual_key::ids(c)?.iter().filter(|id| !declared.contains(id)) {
                virtual_key::delete(c, &self.recorder("virtual_key_delete"), gone, self.tools.sealer)?;
            }
        }
        if let Some(declared) = &file.mcp_clients {
            let all = McpClientFilter { page: Page::unbounded(), ..McpClientFilter::default() };
            let is_named = |client: &McpClient| declared.iter().any(|one| one.is(client));
            for gone in mcp_client::list(c, &all)?.entries.iter().filter(|entry| !is_named(&entry.config)) {
                mcp_client::delete(c, &self.recorder("mcp_client_delete"), &gone.config.client_id)?;
            }
        }
        if let Some(declared) = &file.teams {
            for gone in team::load_all(c)?.iter().filter(|team| declared.iter().all(|one| one.id != team.id)) {
                team::delete(c, &self.recorder("team_delete"), &gone.id)?;
            }
        }
        if let Some(declared) = &file.customers {
            for gone in customer::load_all(c)?.iter().filter(|entry| declared.iter().all(|one| one.id != entry.id)) {
                customer::delete(c, &self.recorder("customer_delete"), &gone.id)?;
            }
        }
        if let Some(declared) = &file.providers {
            for gone in provider::list(c)?.iter().filter(|entry| declared.iter().all(|one| one.name != entry.name)) {
                provider::delete(c, &self.recorder("provider_delete"), &gone.name)?;
            }
        }
        Ok(())
    }
}
