//! The engine: it checks every meter of an attempt's scope set, and holds on all of them or on none.

use std::sync::{Arc, MutexGuard};

use jiff::Timestamp;
use keyward_core::ids::{CustomerId, ModelConfigId, ModelName, ProviderKeyId, RequestId, TeamId, VirtualKeyId};
use keyward_core::ledger::{Adjustment, Attribution};
use keyward_core::meter::{Count, Enforcement, Meter, MeterId};
use keyward_core::model_config::ModelConfig;
use keyward_core::money::NanoUsd;
use keyward_core::owner::{Customer, Team};
use keyward_core::price::{TokenUsage, VersionedPrice};
use keyward_core::refusal::{LimitRefusal, Quantity, Refusal};
use keyward_core::scope_set::ScopeSet;
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};

use crate::admission::{Admission, Ledger, Open, amount_of};
use crate::counter::State;
use crate::identity::{Permit, Principal};
use crate::policy::{LiveMeter, Policies};

/// The most tokens that an attempt can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBound {
    /// Input tokens, all classes together.
    pub input: u64,
    /// Output tokens, over all answers of the request.
    pub output: u64,
}

/// One call to one provider that asks to be admitted.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The request, named by the server.
    pub request_id: RequestId,
    /// Which attempt of the request, from 0.
    pub attempt: i32,
    /// The real credential that shall serve it.
    pub provider_key_id: ProviderKeyId,
    /// What the provider calls the model.
    pub model_served: ModelName,
    /// What the model costs, if that is known.
    pub price: Option<VersionedPrice>,
    /// The most tokens that it can use.
    pub bound: TokenBound,
}

/// Decides what may be spent.
pub struct Engine {
    pub(crate) policies: Policies,
    ledger: Arc<dyn Ledger>,
}

impl Engine {
    /// An engine without policies that writes into `ledger`.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { policies: Policies::default(), ledger }
    }

    /// Loads counters as they were last written down. Call it before any policy is put.
    pub fn restore(&self, counts: impl IntoIterator<Item = (MeterId, Count)>) {
        self.policies.restore(counts);
    }

    /// Makes a virtual key known, or replaces what is known of it. Its usage stays.
    pub fn put_virtual_key(&self, hashes: VirtualKeyHashes, key: &VirtualKey, now: Timestamp) {
        self.policies.put_key(hashes, key, now);
    }

    /// Forgets a virtual key, and the model configs that are for it.
    pub fn remove_virtual_key(&self, id: &VirtualKeyId) {
        self.policies.remove_key(id);
    }

    /// Makes a team's limits known, or replaces them. Its usage stays.
    pub fn put_team(&self, team: &Team, now: Timestamp) {
        self.policies.put_team(team, now);
    }

    /// Forgets a team's limits.
    pub fn remove_team(&self, id: &TeamId) {
        self.policies.remove_team(id);
    }

    /// Makes a customer's limits known, or replaces them. Its usage stays.
    pub fn put_customer(&self, customer: &Customer, now: Timestamp) {
        self.policies.put_customer(customer, now);
    }

    /// Forgets a customer's limits.
    pub fn remove_customer(&self, id: &CustomerId) {
        self.policies.remove_customer(id);
    }

    /// Makes a model config's limits known, or replaces them. Its usage stays.
    pub fn put_model_config(&self, config: &ModelConfig, now: Timestamp) {
        self.policies.put_model_config(config, now);
    }

    /// Forgets a model config's limits.
    pub fn remove_model_config(&self, id: &ModelConfigId) {
        self.policies.remove_model_config(id);
    }

    /// Takes off what was adjusted in the books: usage that shall not count in its window any more.
    pub fn adjust(&self, adjustments: &[Adjustment]) {
        self.policies.adjust(adjustments);
    }

    /// What a meter reads, if it was ever touched.
    #[must_use]
    pub fn count(&self, id: &MeterId) -> Option<Count> {
        self.policies.count(id)
    }

    /// The virtual key of this secret, whatever state it is in.
    #[must_use]
    pub fn virtual_key_id(&self, hash: &KeyHash, now: Timestamp) -> Option<VirtualKeyId> {
        self.policies.key(hash, now).map(|policy| policy.id.clone())
    }

    /// Finds out who asks: the key must be known, active and not expired, in this order.
    ///
    /// # Errors
    /// The first of these that fails.
    pub fn identify(&self, hash: &KeyHash, now: Timestamp) -> Result<Principal, Refusal> {
        let policy = self.policies.key(hash, now).ok_or(Refusal::UnknownKey)?;
        if !policy.is_active {
            return Err(Refusal::KeyInactive);
        }
        if policy.expires_at.is_some_and(|expiry| expiry <= now) {
            return Err(Refusal::KeyExpired);
        }
        Ok(Principal { policy })
    }

    /// Admits an attempt: holds what it may use on every meter that covers it.
    ///
    /// # Errors
    /// The first meter in checking order that has no room, a budget without a price to hold by, or books that cannot be
    /// kept. Nothing is held then.
    pub fn admit(&self, permit: Permit, attempt: Attempt, now: Timestamp) -> Result<Admission, Refusal> {
        if !self.ledger.is_available() {
            return Err(Refusal::BooksUnavailable);
        }
        let Permit { principal, config, provider, model } = permit;
        let key = principal.policy;
        let of_models = self.policies.of_models(&key.id, &provider, &model);
        let owners = self.policies.owners(&key);
        let own = key.meters.iter().chain(config.iter().flat_map(|config| config.covering(&model)));
        let scope_set = ScopeSet::new(of_models.into_iter().chain(owners.meters).chain(own.cloned()));
        if let (None, Some(budget)) = (&attempt.price, scope_set.budget()) {
            return Err(Refusal::PriceUnknown { scope: budget.scope.clone(), provider, model });
        }
        let bound = TokenUsage { input: attempt.bound.input, output: attempt.bound.output, ..TokenUsage::default() };
        let ceiling =
            attempt.price.as_ref().map_or(NanoUsd::ZERO, |known| known.price.ceiling(bound.input, bound.output));
        let requested = |meter: &Meter| amount_of(meter.id.metric, &bound, ceiling);
        let holds = hold_all(scope_set.meters(), requested, now)?;
        let attribution = Attribution {
            request_id: attempt.request_id,
            attempt: attempt.attempt,
            virtual_key_id: key.id.clone(),
            team_id: owners.team_id,
            customer_id: owners.customer_id,
            provider,
            provider_key_id: attempt.provider_key_id,
            model,
            model_served: attempt.model_served,
        };
        let open = Open { attribution, scope_set, holds, price: attempt.price, bound, ceiling, admitted_at: now };
        Ok(Admission::new(open, self.ledger.clone()))
    }
}

/// Holds on all meters or on none. All counters are locked, in their one order, while they are checked in scope order: so
/// a refusal is never caused by a hold that itself was refused, and two attempts never wait for each other.
fn hold_all(
    meters: &[LiveMeter],
    requested: impl Fn(&Meter) -> i64,
    now: Timestamp,
) -> Result<Vec<crate::counter::Held>, Refusal> {
    let mut by_rank: Vec<usize> = (0..meters.len()).collect();
    by_rank.sort_by_key(|index| meters.get(*index).map(|live| live.counter.rank));
    let mut locked: Vec<Option<MutexGuard<'_, State>>> = meters.iter().map(|_| None).collect();
    for index in by_rank {
        if let (Some(slot), Some(live)) = (locked.get_mut(index), meters.get(index)) {
            *slot = Some(live.counter.lock());
        }
    }
    let mut ready = Vec::with_capacity(meters.len());
    for (live, state) in meters.iter().zip(locked.iter_mut().flatten()) {
        let requested = requested(&live.meter);
        let count = state.roll(live.meter.window_at(now));
        check(&live.meter, live.meter.cap_at(now), count, state.held(), requested)?;
        ready.push((state, count, requested));
    }
    Ok(ready.into_iter().map(|(state, count, requested)| state.hold(count.window, requested)).collect())
}

fn check(meter: &Meter, cap: i64, count: Count, held: i64, requested: i64) -> Result<(), Refusal> {
    let fits = match meter.enforcement {
        Enforcement::Hard => count.used.saturating_add(held).saturating_add(requested) <= cap,
        Enforcement::Soft => count.used < cap,
        Enforcement::Shadow => true,
    };
    if fits {
        return Ok(());
    }
    let quantity = |amount| Quantity::of(meter.id.metric, amount);
    Err(Refusal::Limit(Box::new(LimitRefusal {
        scope: meter.scope.clone(),
        limit: meter.id.limit.clone(),
        metric: meter.id.metric,
        limit_value: quantity(cap),
        used: quantity(count.used),
        held: quantity(held),
        requested: quantity(requested),
        resets_at: meter.windows.end(count.window),
    })))
}
