//! Every policy and every counter, and the edits that replace policies and leave counters alone.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use keyward_core::ids::{CustomerId, LimitId, ModelConfigId, ModelName, ProviderName, TeamId, VirtualKeyId};
use keyward_core::ledger::Adjustment;
use keyward_core::limits::Limits;
use keyward_core::meter::{Count, EnforcementDefaults, Meter, MeterId, Metric};
use keyward_core::model_config::ModelConfig;
use keyward_core::owner::{Customer, Team};
use keyward_core::provider_config::ProviderConfig;
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};
use papaya::HashMap;

use crate::alike::Alike;
use crate::counters::Counters;
use crate::identity::Permit;
use crate::model_policy::ModelPolicies;
use crate::plan::{LiveMeter, Plan};
use crate::policy::{ConfigPolicy, CustomerPolicy, KeyPolicy, Meters, TeamPolicy};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// The owners above a key, as far as they still exist: a deleted one neither limits nor is charged.
#[derive(Default)]
pub(crate) struct Owners {
    pub(crate) team: Option<(TeamId, Arc<TeamPolicy>)>,
    pub(crate) customer: Option<(CustomerId, Arc<CustomerPolicy>)>,
}

impl Owners {
    pub(crate) fn meters(&self) -> impl Iterator<Item = &LiveMeter> {
        let customer = self.customer.iter().flat_map(|(_, customer)| customer.meters.iter());
        customer.chain(self.team.iter().flat_map(|(_, team)| team.meters.iter()))
    }
}

/// Every policy, and every counter.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    keys: HashMap<KeyHash, Arc<KeyPolicy>>,
    teams: HashMap<TeamId, Arc<TeamPolicy>>,
    customers: HashMap<CustomerId, Arc<CustomerPolicy>>,
    models: ModelPolicies,
    alike: Alike,
    counters: Counters,
    /// Grows with every edit; what was bound later has the greater one.
    revisions: AtomicU64,
    /// Grows with every edit of what several keys share; plans of an earlier generation are made anew.
    generation: AtomicU64,
    /// How strictly limits are held that do not say.
    defaults: EnforcementDefaults,
    /// Edits happen one at a time; requests never wait for them. Whoever edits finds keys by their ids.
    editing: Mutex<HashSet<ById>>,
}

/// A virtual key that is found by its id: a million of them take no second copy of it.
#[derive(Debug)]
struct ById(Arc<KeyPolicy>);

impl Borrow<VirtualKeyId> for ById {
    fn borrow(&self) -> &VirtualKeyId {
        &self.0.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

/// Binds meters to their counters, as one edit does it.
pub(crate) struct Binder<'a> {
    policies: &'a Policies,
    revision: u64,
    now: Timestamp,
}

impl Binder<'_> {
    /// Binds a meter to its counter, and makes its window the current one.
    pub(crate) fn meter(&self, meter: Meter) -> LiveMeter {
        let counter = self.policies.counters.bind(&meter.id);
        let live = LiveMeter::new(meter, counter, self.revision);
        live.level(self.now);
        live
    }

    /// What a virtual key may do at a provider.
    pub(crate) fn config(&self, config: &ProviderConfig) -> Arc<ConfigPolicy> {
        self.policies.alike.share(ConfigPolicy::new(config, self))
    }

    /// The meters of one owner's limits.
    pub(crate) fn limits(&self, limits: &Limits, scope: &Scope) -> Meters {
        limits.meters(scope, &self.policies.defaults).map(|meter| self.meter(meter)).collect()
    }
}

impl Policies {
    pub(crate) fn new(defaults: EnforcementDefaults) -> Self {
        Self { defaults, ..Self::default() }
    }

    /// The virtual key of a secret that works at `now`.
    pub(crate) fn key(&self, hash: &KeyHash, now: Timestamp) -> Option<Arc<KeyPolicy>> {
        self.keys.pin().get(hash).filter(|policy| policy.accepts(hash, now)).cloned()
    }

    /// The virtual key with this id.
    pub(crate) fn key_of(&self, id: &VirtualKeyId) -> Option<Arc<KeyPolicy>> {
        self.editing().get(id).map(|known| known.0.clone())
    }

    /// The meters that cover what is permitted, looked up if they were asked for before.
    pub(crate) fn plan(&self, permit: &Permit) -> Arc<Plan> {
        let key = &permit.principal.policy;
        let generation = self.generation.load(Ordering::Acquire);
        key.plans.get(generation, &permit.provider, &permit.model, || {
            let of_models = self.models.covering(&key.id, &permit.provider, &permit.model);
            let owners = self.owners(key);
            let of_config = permit.config.iter().flat_map(|config| config.covering(&permit.model));
            let own = owners.meters().chain(&key.meters).chain(of_config).cloned();
            let meters: Vec<LiveMeter> = of_models.into_iter().chain(own).collect();
            Plan::new(meters, owners.team.map(|(id, _)| id), owners.customer.map(|(id, _)| id))
        })
    }

    pub(crate) fn adjust(&self, adjustments: &[Adjustment]) {
        for Adjustment { meter, window, amount } in adjustments {
            if let Some(counter) = self.counters.get(meter) {
                counter.adjust(*window, *amount);
            }
        }
    }

    pub(crate) fn count(&self, id: &MeterId) -> Option<Count> {
        self.counters.get(id)?.count()
    }

    /// What is held on a meter.
    pub(crate) fn held(&self, id: &MeterId, now: Timestamp) -> i64 {
        self.counters.get(id).map_or(0, |counter| counter.held(now))
    }

    /// The owners above a key.
    pub(crate) fn owners(&self, key: &KeyPolicy) -> Owners {
        let (teams, customers) = (self.teams.pin(), self.customers.pin());
        let team = key.team_id.as_ref().and_then(|id| teams.get_key_value(id));
        let customer_id = key.customer_id.as_ref().or_else(|| team?.1.customer_id.as_ref());
        let customer = customer_id.and_then(|id| customers.get_key_value(id));
        Owners {
            team: team.map(|(id, policy)| (id.clone(), policy.clone())),
            customer: customer.map(|(id, policy)| (id.clone(), policy.clone())),
        }
    }

    pub(crate) fn restore(&self, counts: impl IntoIterator<Item = (MeterId, Count)>) {
        counts.into_iter().for_each(|(meter, count)| self.counters.restore(meter, count));
    }

    /// Makes room for so many virtual keys and limits: maps that grow while they are filled move what they have again and again.
    pub(crate) fn reserve(&self, virtual_keys: usize, limits: usize) {
        self.keys.pin().reserve(virtual_keys);
        self.editing().reserve(virtual_keys);
        self.counters.reserve(limits);
    }

    pub(crate) fn put_customer(&self, customer: &Customer, now: Timestamp) {
        let _editing = self.editing();
        let limits = customer.limits();
        let meters = self.binder(now).limits(&limits, &scope(ScopeKind::Customer, customer.id.shared()));
        let policy = CustomerPolicy { name: customer.name.as_str().into(), meters };
        let old = self.customers.pin().insert(customer.id.clone(), Arc::new(policy)).cloned();
        self.begin_generation();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &ids([&limits]));
    }

    pub(crate) fn remove_customer(&self, id: &CustomerId) {
        let _editing = self.editing();
        let old = self.customers.pin().remove(id).cloned();
        self.begin_generation();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &[]);
    }

    pub(crate) fn put_team(&self, team: &Team, now: Timestamp) {
        let _editing = self.editing();
        let limits = team.limits();
        let meters = self.binder(now).limits(&limits, &scope(ScopeKind::Team, team.id.shared()));
        let policy = TeamPolicy { name: team.name.as_str().into(), customer_id: team.customer_id.clone(), meters };
        let old = self.teams.pin().insert(team.id.clone(), Arc::new(policy)).cloned();
        self.begin_generation();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &ids([&limits]));
    }

    pub(crate) fn remove_team(&self, id: &TeamId) {
        let _editing = self.editing();
        let old = self.teams.pin().remove(id).cloned();
        self.begin_generation();
        self.forget(old.iter().flat_map(|old| old.meters.iter()), &[]);
    }

    pub(crate) fn put_model_config(&self, config: &ModelConfig, now: Timestamp) {
        let _editing = self.editing();
        let limits = config.limits();
        let meters = self.binder(now).limits(&limits, &config.limit_scope());
        let old = self.models.put(config, meters);
        self.begin_generation();
        self.forget(old.iter().flat_map(|old| old.iter()), &ids([&limits]));
    }

    pub(crate) fn remove_model_config(&self, id: &ModelConfigId) {
        let _editing = self.editing();
        let old = self.models.remove(id);
        self.begin_generation();
        self.forget(old.iter().flat_map(|old| old.iter()), &[]);
    }

    pub(crate) fn put_key(&self, hashes: VirtualKeyHashes, key: &VirtualKey, now: Timestamp) {
        let mut by_id = self.editing();
        let owners = (self.known_team(key), self.known_customer(key));
        let policy = Arc::new(KeyPolicy::new(hashes, key, owners, &self.binder(now)));
        let old = by_id.replace(ById(policy.clone())).map(|old| old.0);
        let keys = self.keys.pin();
        for hash in old.iter().flat_map(|old| old.secrets()) {
            if policy.secrets().all(|kept| kept != hash) {
                keys.remove(&hash);
            }
        }
        for hash in policy.secrets() {
            keys.insert(hash, policy.clone());
        }
        if let Some(old) = old {
            let of_configs =
                key.provider_configs.iter().flat_map(|config| config.all_limits().map(|(_, limits)| limits));
            let limits: Vec<Limits> = std::iter::once(key.limits()).chain(of_configs).collect();
            // The slots of the key have its own id, and stay: some may be taken.
            let kept: Vec<LimitId> = ids(&limits).into_iter().chain([key.id.as_str().into()]).collect();
            self.forget(old.all_meters(), &kept);
        }
    }

    pub(crate) fn remove_key(&self, id: &VirtualKeyId) {
        let mut by_id = self.editing();
        let old = by_id.take(id).map(|old| old.0);
        for hash in old.iter().flat_map(|old| old.secrets()) {
            self.keys.pin().remove(&hash);
        }
        self.forget(old.iter().flat_map(|old| old.all_meters()), &[]);
        for old in self.models.remove_of_key(id) {
            self.forget(old.iter(), &[]);
        }
    }

    /// The meters of every model config that covers the request.
    pub(crate) fn of_models(&self, key: &VirtualKeyId, provider: &ProviderName, model: &ModelName) -> Vec<LiveMeter> {
        self.models.covering(key, provider, model)
    }

    fn binder(&self, now: Timestamp) -> Binder<'_> {
        Binder { policies: self, revision: self.revisions.fetch_add(1, Ordering::Relaxed) + 1, now }
    }

    /// Drops the counters of limits that are gone. A cap that was only cleared keeps its counter, so that clearing it and
    /// setting it again refills nothing. Running attempts keep their counters until they end.
    fn forget<'a>(&self, old: impl IntoIterator<Item = &'a LiveMeter>, kept: &[LimitId]) {
        for gone in old {
            if !kept.contains(&gone.meter.id.limit) {
                for metric in Metric::ALL {
                    self.counters.remove(&MeterId { limit: gone.meter.id.limit.clone(), metric });
                }
            }
        }
    }

    /// The id of the key's team, shared with the team where that is known.
    fn known_team(&self, key: &VirtualKey) -> Option<TeamId> {
        let id = key.team_id.as_ref()?;
        Some(self.teams.pin().get_key_value(id).map_or(id, |(known, _)| known).clone())
    }

    /// The same of its customer.
    fn known_customer(&self, key: &VirtualKey) -> Option<CustomerId> {
        let id = key.customer_id.as_ref()?;
        Some(self.customers.pin().get_key_value(id).map_or(id, |(known, _)| known).clone())
    }

    fn editing(&self) -> MutexGuard<'_, HashSet<ById>> {
        self.editing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }
}

fn ids<'a>(limits: impl IntoIterator<Item = &'a Limits>) -> Vec<LimitId> {
    limits.into_iter().flat_map(|limits| limits.ids().cloned().collect::<Vec<_>>()).collect()
}

/// The scope of an owner.
pub(crate) fn scope(kind: ScopeKind, id: Arc<str>) -> Scope {
    Scope { kind, id }
}
