//! The meters that cover a request of a virtual key.

use keyward_core::ledger::Attribution;
use keyward_core::limits::Limits;
use keyward_core::meter::{EnforcementDefaults, Meter};
use keyward_core::owner::{Customer, Team};
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::scope_set::ScopeSet;
use keyward_core::virtual_key::VirtualKey;

use super::World;

/// The team that a virtual key belongs to.
fn team<'a>(world: &'a World, key: &VirtualKey) -> Option<&'a Team> {
    world.organisation.teams.iter().find(|team| Some(&team.id) == key.team_id.as_ref())
}

/// The customer that a virtual key belongs to, by its team or itself.
pub(super) fn customer<'a>(world: &'a World, key: &VirtualKey) -> Option<&'a Customer> {
    let of_team = team(world, key).and_then(|team| team.customer_id.as_ref());
    let id = key.customer_id.as_ref().or(of_team)?;
    world.organisation.customers.iter().find(|customer| customer.id == *id)
}

/// Those of the deployment, and of everybody above the key.
pub(super) fn covering(world: &World, key: &VirtualKey, attribution: &Attribution) -> ScopeSet<Meter> {
    let fits = world.limits.iter().filter(|config| {
        let is_provider = config.provider.as_ref().is_none_or(|provider| *provider == attribution.provider);
        is_provider && (config.is_every_model() || config.model_name == attribution.model)
    });
    let mut meters: Vec<Meter> = fits.flat_map(|config| of(&config.limits(), config.limit_scope())).collect();
    if let Some(customer) = customer(world, key) {
        meters.extend(of(&customer.limits(), scope(ScopeKind::Customer, customer.id.as_str())));
    }
    if let Some(team) = team(world, key) {
        meters.extend(of(&team.limits(), scope(ScopeKind::Team, team.id.as_str())));
    }
    meters.extend(of(&key.limits(), scope(ScopeKind::VirtualKey, key.id.as_str())));
    let configs = key.provider_configs.iter().filter(|config| config.provider == attribution.provider);
    meters.extend(configs.flat_map(|config| of(&config.limits(), config.limit_scope())));
    ScopeSet::new(meters)
}

fn of(limits: &Limits, scope: Scope) -> Vec<Meter> {
    limits.meters(&scope, &EnforcementDefaults::default()).collect()
}

fn scope(kind: ScopeKind, id: &str) -> Scope {
    Scope { kind, id: id.into() }
}
