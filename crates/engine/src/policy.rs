//! Policies: what the entities say, as admission asks for it. Each is immutable, and replaced whole on every edit.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::allow_list::AllowList;
use keyward_core::ids::{CustomerId, ModelName, ProviderName, TeamId, VirtualKeyId};
use keyward_core::provider_config::{KeyAccess, ProviderConfig};
use keyward_core::scope::ScopeKind;
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};

use crate::plan::{LiveMeter, Plans};
use crate::policies::{Binder, scope};
use crate::tools::ToolPolicy;

/// The meters of one owner.
pub(crate) type Meters = Box<[LiveMeter]>;

/// What one virtual key may do.
#[derive(Debug)]
pub(crate) struct KeyPolicy {
    pub(crate) id: VirtualKeyId,
    pub(crate) name: Arc<str>,
    current: KeyHash,
    pub(crate) is_active: bool,
    pub(crate) allow_all_providers: bool,
    /// True for a key of which contents may be logged.
    pub(crate) logs_content: bool,
    /// What ends at some time; most keys have nothing that does.
    ends: Option<Box<Ends>>,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) configs: Box<[Arc<ConfigPolicy>]>,
    /// What it may use of MCP clients; most keys have nothing.
    pub(crate) tools: Option<Box<ToolPolicy>>,
    pub(crate) meters: Meters,
    pub(crate) plans: Plans,
}

/// What of a virtual key ends, and when: the first instant without it.
#[derive(Debug)]
struct Ends {
    /// A value that was rotated out.
    previous: Option<(KeyHash, Timestamp)>,
    /// The key itself.
    expires_at: Option<Timestamp>,
}

/// The ids of the team and of the customer that a key belongs to.
pub(crate) type Owned = (Option<TeamId>, Option<CustomerId>);

impl KeyPolicy {
    pub(crate) fn new(hashes: VirtualKeyHashes, key: &VirtualKey, owners: Owned, binder: &Binder<'_>) -> Self {
        let own = binder.limits(&key.limits(), &scope(ScopeKind::VirtualKey, key.id.shared()));
        let slots = key.parallel_meter().map(|meter| binder.meter(meter));
        Self {
            id: key.id.clone(),
            name: key.name.as_str().into(),
            current: hashes.current,
            is_active: key.is_active,
            allow_all_providers: key.allow_all_providers,
            logs_content: key.disable_content_logging == Some(false),
            ends: (hashes.previous.is_some() || key.expires_at.is_some())
                .then(|| Box::new(Ends { previous: hashes.previous, expires_at: key.expires_at })),
            team_id: owners.0,
            customer_id: owners.1,
            configs: key.provider_configs.iter().map(|config| binder.config(config)).collect(),
            tools: ToolPolicy::of(key).map(Box::new),
            meters: slots.into_iter().chain(own).collect(),
            plans: Plans::default(),
        }
    }

    /// Every hash that finds the key.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = KeyHash> {
        std::iter::once(self.current).chain(self.previous().map(|(hash, _)| hash))
    }

    /// True when the secret with this hash, which is one of the key's, works at `now`.
    pub(crate) fn accepts(&self, hash: &KeyHash, now: Timestamp) -> bool {
        self.current == *hash || self.previous().is_some_and(|(previous, until)| previous == *hash && now < until)
    }

    /// True when the key's time is over.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.ends.as_ref().and_then(|ends| ends.expires_at).is_some_and(|expiry| expiry <= now)
    }

    fn previous(&self) -> Option<(KeyHash, Timestamp)> {
        self.ends.as_ref()?.previous
    }

    /// Its meters and those of its provider configs.
    pub(crate) fn all_meters(&self) -> impl Iterator<Item = &LiveMeter> {
        self.meters.iter().chain(self.configs.iter().flat_map(|config| config.all_meters()))
    }
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
    meters: Meters,
    /// Meters of single models.
    models: HashMap<ModelName, Meters>,
}

impl ConfigPolicy {
    pub(crate) fn new(config: &ProviderConfig, binder: &Binder<'_>) -> Self {
        let models = config
            .model_budgets
            .iter()
            .map(|budget| (budget.model.clone(), binder.limits(&budget.limits(), &budget.limit_scope())));
        Self {
            provider: config.provider.clone(),
            weight: config.weight,
            allowed: config.allowed_models.clone(),
            blocked: config.blacklisted_models.clone(),
            keys: config.key_access(),
            meters: binder.limits(&config.limits(), &config.limit_scope()),
            models: models.collect(),
        }
    }

    /// True when something is counted for the one key at the provider.
    pub(crate) fn has_limits(&self) -> bool {
        self.all_meters().next().is_some()
    }

    /// True when two without limits permit the same.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let Self { provider, weight, allowed, blocked, keys, meters: _, models: _ } = self;
        (provider, weight, allowed, blocked, keys)
            == (&other.provider, &other.weight, &other.allowed, &other.blocked, &other.keys)
    }

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

/// A customer's limits.
#[derive(Debug)]
pub(crate) struct CustomerPolicy {
    pub(crate) name: Arc<str>,
    pub(crate) meters: Meters,
}

/// A team's limits, and whose team it is.
#[derive(Debug)]
pub(crate) struct TeamPolicy {
    pub(crate) name: Arc<str>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) meters: Meters,
}
