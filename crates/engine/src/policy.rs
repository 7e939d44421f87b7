//! Policies: what the engine answers to, compiled from the entities, replaced whole on every edit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::ids::{CustomerId, LimitId, ModelConfigId, ModelName, ProviderName, TeamId, VirtualKeyId};
use keyward_core::ledger::Adjustment;
use keyward_core::limits::Limits;
use keyward_core::meter::{Count, EnforcementDefaults, Meter, MeterId, Metric};
use keyward_core::model_config::ModelConfig;
use keyward_core::owner::{Customer, Team};
use keyward_core::provider_config::{KeyAccess, ProviderConfig};
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};
use papaya::HashMap;

use crate::counter::Counter;
use crate::model_policy::ModelPolicies;

/// A meter with its counter.
#[derive(Debug, Clone)]
pub(crate) struct LiveMeter {
    pub(crate) meter: Arc<Meter>,
    pub(crate) counter: Arc<Counter>,
}

impl std::borrow::Borrow<Meter> for LiveMeter {
    fn borrow(&self) -> &Meter {
        &self.meter
    }
}

/// The meters of one owner.
pub(crate) type Meters = Vec<LiveMeter>;

/// What one virtual key may do.
#[derive(Debug)]
pub(crate) struct KeyPolicy {
    pub(crate) id: VirtualKeyId,
    pub(crate) name: Arc<str>,
    pub(crate) is_active: bool,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) allow_all_providers: bool,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) configs: Vec<Arc<ConfigPolicy>>,
    pub(crate) meters: Meters,
}

/// A virtual key as one of its secrets finds it.
#[derive(Debug, Clone)]
struct KnownKey {
    policy: Arc<KeyPolicy>,
    /// The first instant at which this secret works no more; none: it stays.
    until: Option<Timestamp>,
}

/// What one virtual key may do at one provider.
#[derive(Debug)]
pub(crate) struct ConfigPolicy {
    pub(crate) provider: ProviderName,
    /// The share of requests that name no provider.
    pub(crate) weight: Option<f64>,
    allowed: AllowList,
    blocked: AllowList,
    pub(crate) keys: KeyAccess,
    pub(crate) meters: Meters,
    /// Meters of single models.
    models: std::collections::HashMap<ModelName, Meters>,
}

impl ConfigPolicy {
    pub(crate) fn allows(&self, model: &str) -> bool {
        self.allowed.allows(model) && !self.blocked.allows(model)
    }

    /// True when the allow-list has the model by its name.
    pub(crate) fn names(&self, model: &str) -> bool {
        !self.allowed.is_everything() && self.allows(model)
    }

    /// The meters that cover a model here.
    pub(crate) fn covering(&self, model: &ModelName) -> impl Iterator<Item = &LiveMeter> {
        self.meters.iter().chain(self.models.get(model).into_iter().flatten())
    }

    fn all_meters(&self) -> impl Iterator<Item = &LiveMeter> {
        self.meters.iter().chain(self.models.values().flatten())
    }
}

/// The owners above a key, and their meters.
pub(crate) struct Owners {
    pub(crate) meters: Meters,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) team_name: Arc<str>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) customer_name: Arc<str>,
}

#[derive(Debug)]
struct CustomerPolicy {
    name: Arc<str>,
    meters: Meters,
}

#[derive(Debug)]
struct TeamPolicy {
    name: Arc<str>,
    customer_id: Option<CustomerId>,
    meters: Meters,
}

/// Every policy, and every counter.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    keys: HashMap<KeyHash, KnownKey>,
    hashes: HashMap<VirtualKeyId, VirtualKeyHashes>,
    teams: HashMap<TeamId, Arc<TeamPolicy>>,
    customers: HashMap<CustomerId, Arc<CustomerPolicy>>,
    models: ModelPolicies,
    counters: HashMap<MeterId, Arc<Counter>>,
    next_rank: AtomicU64,
    /// Edits happen one at a time; reads never wait.
    editing: Mutex<()>,
}

impl Policies {
    /// The virtual key of a secret that works at `now`.
    pub(crate) fn key(&self, hash: &KeyHash, now: Timestamp) -> Option<Arc<KeyPolicy>> {
        let keys = self.keys.pin();
        let known = keys.get(hash)?;
        known.until.is_none_or(|until| now < until).then(|| known.policy.clone())
    }

    pub(crate) fn adjust(&self, adjustments: &[Adjustment]) {
        let counters = self.counters.pin();
        for Adjustment { meter, window, amount } in adjustments {
            if let Some(counter) = counters.get(meter) {
                counter.adjust(*window, *amount);
            }
        }
    }

    pub(crate) fn count(&self, id: &MeterId) -> Option<Count> {
        self.counters.pin().get(id).and_then(|counter| counter.count())
    }

    /// The owners above a key, as far as they still exist: a deleted one neither limits nor is charged.
    pub(crate) fn owners(&self, key: &KeyPolicy) -> Owners {
        let (teams, customers) = (self.teams.pin(), self.customers.pin());
        let team = key.team_id.as_ref().and_then(|id| teams.get_key_value(id));
        let customer_id = key.customer_id.as_ref().or_else(|| team?.1.customer_id.as_ref());
        let customer = customer_id.and_then(|id| customers.get_key_value(id));
        let meters = customer.iter().flat_map(|(_, customer)| customer.meters.iter());
        let meters = meters.chain(team.iter().flat_map(|(_, team)| team.meters.iter()));
        Owners {
            meters: meters.cloned().collect(),
            team_id: team.map(|(id, _)| id.clone()),
            team_name: team.map_or_else(|| "".into(), |(_, team)| team.name.clone()),
            customer_id: customer.map(|(id, _)| id.clone()),
            customer_name: customer.map_or_else(|| "".into(), |(_, customer)| customer.name.clone()),
        }
    }

    /// The meters of every model config that covers the request.
    pub(crate) fn of_models(&self, key: &VirtualKeyId, provider: &ProviderName, model: &ModelName) -> Meters {
        self.models.covering(key, provider, model)
    }

    pub(crate) fn restore(&self, counts: impl IntoIterator<Item = (MeterId, Count)>) {
        for (id, count) in counts {
            self.counters.pin().insert(id, Arc::new(Counter::new(self.rank(), Some(count))));
        }
    }

    pub(crate) fn put_customer(&self, customer: &Customer, now: Timestamp) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = customer.limits();
        let meters = self.bind(&limits, &scope(ScopeKind::Customer, customer.id.as_str()), now);
        let policy = CustomerPolicy { name: customer.name.as_str().into(), meters };
        let old = self.customers.pin().insert(customer.id.clone(), Arc::new(policy)).cloned();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &ids([&limits]));
    }

    pub(crate) fn remove_customer(&self, id: &CustomerId) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.customers.pin().remove(id).cloned();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &[]);
    }

    pub(crate) fn put_team(&self, team: &Team, now: Timestamp) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = team.limits();
        let meters = self.bind(&limits, &scope(ScopeKind::Team, team.id.as_str()), now);
        let policy = TeamPolicy { name: team.name.as_str().into(), customer_id: team.customer_id.clone(), meters };
        let old = self.teams.pin().insert(team.id.clone(), Arc::new(policy)).cloned();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &ids([&limits]));
    }

    pub(crate) fn remove_team(&self, id: &TeamId) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.teams.pin().remove(id).cloned();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &[]);
    }

    pub(crate) fn put_model_config(&self, config: &ModelConfig, now: Timestamp) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = config.limits();
        let meters = self.bind(&limits, &config.limit_scope(), now);
        let old = self.models.put(config, meters);
        self.forget(old.iter().flat_map(|old| old.iter()), &ids([&limits]));
    }

    pub(crate) fn remove_model_config(&self, id: &ModelConfigId) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.models.remove(id);
        self.forget(old.iter().flat_map(|old| old.iter()), &[]);
    }

    pub(crate) fn put_key(&self, hashes: VirtualKeyHashes, key: &VirtualKey, now: Timestamp) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let policy = Arc::new(self.compile(key, now));
        let old = self.hashes.pin().insert(key.id.clone(), hashes).copied();
        let replaced = old.and_then(|old| self.keys.pin().get(&old.current).map(|known| known.policy.clone()));
        let secrets =
            [(hashes.current, None)].into_iter().chain(hashes.previous.map(|(hash, until)| (hash, Some(until))));
        let secrets: Vec<(KeyHash, Option<Timestamp>)> = secrets.collect();
        let keys = self.keys.pin();
        for hash in old.into_iter().flat_map(secrets_of) {
            if secrets.iter().all(|(kept, _)| *kept != hash) {
                keys.remove(&hash);
            }
        }
        for (hash, until) in secrets {
            keys.insert(hash, KnownKey { policy: policy.clone(), until });
        }
        let of_configs = key.provider_configs.iter().flat_map(|config| config.all_limits().map(|(_, limits)| limits));
        let limits: Vec<Limits> = std::iter::once(key.limits()).chain(of_configs).collect();
        self.forget(replaced.iter().flat_map(|old| key_meters(old)), &ids(&limits));
    }

    pub(crate) fn remove_key(&self, id: &VirtualKeyId) {
        let _editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let hashes = self.hashes.pin().remove(id).copied();
        let keys = self.keys.pin();
        let removed = hashes.into_iter().flat_map(secrets_of).filter_map(|hash| keys.remove(&hash).cloned());
        let old = removed.last().map(|known| known.policy);
        self.forget(old.iter().flat_map(|old| key_meters(old)), &[]);
        for old in self.models.remove_of_key(id) {
            self.forget(old.iter(), &[]);
        }
    }

    fn compile(&self, key: &VirtualKey, now: Timestamp) -> KeyPolicy {
        KeyPolicy {
            id: key.id.clone(),
            name: key.name.as_str().into(),
            is_active: key.is_active,
            expires_at: key.expires_at,
            allow_all_providers: key.allow_all_providers,
            team_id: key.team_id.clone(),
            customer_id: key.customer_id.clone(),
            configs: key.provider_configs.iter().map(|config| Arc::new(self.compile_config(config, now))).collect(),
            meters: self.bind(&key.limits(), &scope(ScopeKind::VirtualKey, key.id.as_str()), now),
        }
    }

    fn compile_config(&self, config: &ProviderConfig, now: Timestamp) -> ConfigPolicy {
        let models = config
            .model_budgets
            .iter()
            .map(|budget| (budget.model.clone(), self.bind(&budget.limits(), &budget.limit_scope(), now)));
        ConfigPolicy {
            provider: config.provider.clone(),
            weight: config.weight,
            allowed: config.allowed_models.clone(),
            blocked: config.blacklisted_models.clone(),
            keys: config.key_access(),
            meters: self.bind(&config.limits(), &config.limit_scope(), now),
            models: models.collect(),
        }
    }

    /// Binds limits to their counters, and makes the windows of the edited policy the current ones.
    fn bind(&self, limits: &Limits, scope: &Scope, now: Timestamp) -> Meters {
        let bind = |meter: Meter| {
            let counters = self.counters.pin();
            let fresh = || Arc::new(Counter::new(self.rank(), None));
            let counter = counters.get_or_insert_with(meter.id.clone(), fresh).clone();
            counter.lock().roll(meter.window_at(now));
            LiveMeter { meter: Arc::new(meter), counter }
        };
        limits.meters(scope, &EnforcementDefaults::default()).map(bind).collect()
    }

    /// Drops the counters of limits that are gone. A cap that was only cleared keeps its counter, so that clearing it and
    /// setting it again refills nothing. Running attempts keep their counters until they end.
    fn forget<'a>(&self, old: impl IntoIterator<Item = &'a LiveMeter>, kept: &[LimitId]) {
        for gone in old {
            if !kept.contains(&gone.meter.id.limit) {
                for metric in Metric::ALL {
                    self.counters.pin().remove(&MeterId { limit: gone.meter.id.limit.clone(), metric });
                }
            }
        }
    }

    fn rank(&self) -> u64 {
        self.next_rank.fetch_add(1, Ordering::Relaxed)
    }
}

/// Every hash of a virtual key.
fn secrets_of(hashes: VirtualKeyHashes) -> impl Iterator<Item = KeyHash> {
    std::iter::once(hashes.current).chain(hashes.previous.map(|(hash, _)| hash))
}

fn ids<'a>(limits: impl IntoIterator<Item = &'a Limits>) -> Vec<LimitId> {
    limits.into_iter().flat_map(|limits| limits.ids().cloned().collect::<Vec<_>>()).collect()
}

fn key_meters(policy: &KeyPolicy) -> impl Iterator<Item = &LiveMeter> {
    policy.meters.iter().chain(policy.configs.iter().flat_map(|config| config.all_meters()))
}

fn scope(kind: ScopeKind, id: &str) -> Scope {
    Scope { kind, id: id.into() }
}
