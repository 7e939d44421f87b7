//! What requests refer to: owners, providers and provider keys must be there when the request is carried out.

use std::collections::{HashMap, HashSet};

use diesel::dsl::exists;
use diesel::prelude::*;
use keyward_core::ids::{CustomerId, ProviderKeyId, ProviderName, TeamId};
use keyward_core::invalid::{Invalid, Pointer};
use keyward_core::provider::KnownProvider;
use keyward_core::provider_config::{KeyAccess, ProviderConfigDraft};
use keyward_core::routing_rule::{RoutingRule, RoutingScope, RoutingTarget};
use keyward_core::virtual_key::{VirtualKey, VirtualKeyDraft};

use super::Conn;
use super::search::CHUNK;
use crate::error::StoreError;
use crate::schema::{customers, provider_keys, providers, teams, virtual_keys};

/// The customer must exist.
pub(super) fn check_customer(c: &mut Conn, id: Option<&CustomerId>) -> Result<(), StoreError> {
    let Some(id) = id else { return Ok(()) };
    match diesel::select(exists(customers::table.find(id.as_str()))).get_result(c)? {
        true => Ok(()),
        false => Err(Invalid::at("customer_id".into(), format!("customer '{id}' not found")).into()),
    }
}

/// The provider must be configured.
pub(super) fn check_provider(c: &mut Conn, name: Option<&ProviderName>) -> Result<(), StoreError> {
    let Some(name) = name else { return Ok(()) };
    match diesel::select(exists(providers::table.filter(providers::name.eq(name.as_str())))).get_result(c)? {
        true => Ok(()),
        false => Err(Invalid::at("provider".into(), format!("invalid provider name: {name}")).into()),
    }
}

/// The team must exist.
pub(super) fn check_team(c: &mut Conn, id: Option<&TeamId>) -> Result<(), StoreError> {
    let Some(id) = id else { return Ok(()) };
    match diesel::select(exists(teams::table.find(id.as_str()))).get_result(c)? {
        true => Ok(()),
        false => Err(Invalid::at("team_id".into(), format!("team '{id}' not found")).into()),
    }
}

/// Checks everything that a routing rule refers to. What stays as it was is not checked again: it may have been deleted since.
pub(super) fn check_routing(c: &mut Conn, rule: &RoutingRule, before: Option<&RoutingRule>) -> Result<(), StoreError> {
    let moved = before.is_none_or(|before| (before.scope, &before.scope_id) != (rule.scope, &rule.scope_id));
    if moved {
        check_scope(c, rule.scope, rule.scope_id.as_deref().unwrap_or_default())?;
    }
    let known: HashSet<ProviderName> =
        before.iter().flat_map(|before| before.providers()).map(|(_, name)| name).collect();
    let configured = existing_providers(c)?;
    for (at, provider) in rule.providers() {
        let name = provider.as_str();
        let exists = configured.contains(name) || KnownProvider::find(name).is_some() || known.contains(&provider);
        if !exists {
            return Err(at.unknown(&provider).into());
        }
    }
    check_pins(c, rule, before)
}

/// Whose requests a rule is about must be there.
fn check_scope(c: &mut Conn, scope: RoutingScope, id: &str) -> Result<(), StoreError> {
    let (exists, what) = match scope {
        RoutingScope::Global => return Ok(()),
        RoutingScope::VirtualKey => {
            (diesel::select(exists(virtual_keys::table.find(id))).get_result(c)?, "virtual key")
        }
        RoutingScope::Team => (diesel::select(exists(teams::table.find(id))).get_result(c)?, "team"),
        RoutingScope::Customer => (diesel::select(exists(customers::table.find(id))).get_result(c)?, "customer"),
    };
    match exists {
        true => Ok(()),
        false => Err(Invalid::at("scope_id".into(), format!("{what} '{id}' not found: record not found")).into()),
    }
}

/// A key that a target pins must be one of the target's provider.
fn check_pins(c: &mut Conn, rule: &RoutingRule, before: Option<&RoutingRule>) -> Result<(), StoreError> {
    for (index, target) in rule.targets.iter().enumerate() {
        let (Some(provider), Some(key)) = (&target.provider, &target.key_id) else { continue };
        let same = |old: &RoutingTarget| (&old.provider, &old.key_id) == (&target.provider, &target.key_id);
        if before.is_some_and(|before| before.targets.iter().any(same)) {
            continue;
        }
        let belonging = provider_keys::table
            .inner_join(providers::table)
            .filter(provider_keys::id.eq(key.as_str()))
            .filter(providers::name.eq(provider.as_str()));
        if !diesel::select(exists(belonging)).get_result::<bool>(c)? {
            let at = Pointer::from("targets").element(index).member("key_id");
            return Err(Invalid::at(at, format!("key '{key}' of provider '{provider}' not found")).into());
        }
    }
    Ok(())
}

/// Checks everything that a virtual key refers to, and gives the provider configs that its draft comes to.
///
/// What stays as it was is not checked again: a provider may have been deleted since.
pub(super) fn resolve(
    c: &mut Conn,
    draft: &VirtualKeyDraft,
    before: Option<&VirtualKey>,
) -> Result<Vec<ProviderConfigDraft>, StoreError> {
    check_team(c, draft.team_id.as_ref())?;
    check_customer(c, draft.customer_id.as_ref())?;
    let at = Pointer::from("provider_configs");
    let providers = existing_providers(c)?;
    let keys = KeyProviders::load(c, draft)?;
    for (index, config) in draft.provider_configs.iter().enumerate() {
        let at = at.element(index);
        let is_kept = before.is_some_and(|key| {
            key.provider_configs.iter().any(|old| Some(old.id) == config.id && old.provider == config.provider)
        });
        if !is_kept && !providers.contains(config.provider.as_str()) {
            let message = format!("invalid provider name: {}", config.provider);
            return Err(Invalid::at(at.member("provider"), message).into());
        }
        keys.check(config, &at)?;
    }
    match &draft.key_ids {
        None => Ok(draft.provider_configs.clone()),
        Some(ids) => Ok(attached(draft.provider_configs.clone(), keys.by_provider(ids)?, before.is_some())),
    }
}

fn existing_providers(c: &mut Conn) -> Result<HashSet<String>, StoreError> {
    Ok(providers::table.select(providers::name).load(c)?.into_iter().collect())
}

/// Which provider each mentioned key belongs to.
struct KeyProviders(HashMap<String, String>);

impl KeyProviders {
    fn load(c: &mut Conn, draft: &VirtualKeyDraft) -> Result<Self, StoreError> {
        let in_configs = draft.provider_configs.iter().filter_map(|config| match &config.keys {
            KeyAccess::All => None,
            KeyAccess::Only(ids) => Some(ids),
        });
        let mentioned: Vec<&str> = in_configs.chain(&draft.key_ids).flatten().map(ProviderKeyId::as_str).collect();
        let mut known = HashMap::new();
        for chunk in mentioned.chunks(CHUNK) {
            let found: Vec<(String, String)> = provider_keys::table
                .inner_join(providers::table)
                .filter(provider_keys::id.eq_any(chunk.iter().copied()))
                .select((provider_keys::id, providers::name))
                .load(c)?;
            known.extend(found);
        }
        Ok(Self(known))
    }

    /// The keys of a provider config must be keys of its provider.
    fn check(&self, config: &ProviderConfigDraft, at: &Pointer) -> Result<(), Invalid> {
        let KeyAccess::Only(ids) = &config.keys else { return Ok(()) };
        let belongs =
            |id: &&ProviderKeyId| self.0.get(id.as_str()).is_some_and(|name| name == config.provider.as_str());
        let (expected, found) = (ids.len(), ids.iter().filter(belongs).count());
        if expected == found {
            return Ok(());
        }
        let provider = &config.provider;
        let message = format!("some keys not found for provider {provider}: expected {expected}, found {found}");
        Err(Invalid::at(at.member("key_ids"), message))
    }

    /// The keys attached to the virtual key itself, each under its provider; both in the order of the request.
    fn by_provider(&self, ids: &[ProviderKeyId]) -> Result<Vec<(ProviderName, Vec<ProviderKeyId>)>, Invalid> {
        let mut seen = HashSet::new();
        let distinct: Vec<&ProviderKeyId> = ids.iter().filter(|id| seen.insert(*id)).collect();
        let mut providers: Vec<(ProviderName, Vec<ProviderKeyId>)> = Vec::new();
        let mut found = 0;
        for id in &distinct {
            let Some(provider) = self.0.get(id.as_str()) else { continue };
            found += 1;
            match providers.iter_mut().find(|(name, _)| name.as_str() == provider) {
                Some((_, keys)) => keys.push((*id).clone()),
                None => providers.push((provider.as_str().into(), vec![(*id).clone()])),
            }
        }
        if distinct.len() == found {
            return Ok(providers);
        }
        let message = format!("some keys not found: expected {}, found {found}", distinct.len());
        Err(Invalid::at("key_ids".into(), message))
    }
}

/// The provider configs with the attached keys: a new virtual key's own choices are extended, an existing one's replaced.
fn attached(
    mut configs: Vec<ProviderConfigDraft>,
    mut keys: Vec<(ProviderName, Vec<ProviderKeyId>)>,
    is_update: bool,
) -> Vec<ProviderConfigDraft> {
    for config in &mut configs {
        let listed =
            keys.iter().position(|(provider, _)| *provider == config.provider).map(|index| keys.remove(index).1);
        config.keys = match (&config.keys, listed) {
            (KeyAccess::All, None) => KeyAccess::All,
            (KeyAccess::All, Some(listed)) => KeyAccess::Only(listed),
            (KeyAccess::Only(_), listed) if is_update => KeyAccess::Only(listed.unwrap_or_default()),
            (KeyAccess::Only(own), listed) => KeyAccess::Only(union(own, listed.unwrap_or_default())),
        };
    }
    configs.extend(keys.into_iter().map(|(provider, keys)| ProviderConfigDraft::for_keys(provider, keys)));
    configs
}

fn union(own: &[ProviderKeyId], more: Vec<ProviderKeyId>) -> Vec<ProviderKeyId> {
    let new = more.into_iter().filter(|id| !own.contains(id));
    own.iter().cloned().chain(new.collect::<Vec<_>>()).collect()
}
