//! Plans: the scope set of a virtual key for one model of one provider, compiled once and looked up by every request.
//!
//! A plan is immutable. It is made from the policies of one generation; an edit of what several keys share begins another
//! generation, and plans of the one before are made anew when they are asked for. An edit of the key itself makes a new policy,
//! which has no plans yet.

use std::borrow::Borrow;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use keyward_core::ids::{CustomerId, ModelName, ProviderName, TeamId};
use keyward_core::meter::{Meter, Metric};
use keyward_core::scope_set::ScopeSet;
use smallvec::SmallVec;

use crate::counter::{Counter, Held, Level, State};
use crate::sync::MutexGuard;
use crate::terms::{Terms, overlooks, requested};

/// As many meters as usually cover an attempt: so many need no memory of their own.
const USUAL: usize = 8;
/// The most plans that one virtual key keeps. Clients choose the names of models, so that there must be an end.
const MOST_PLANS: usize = 32;

/// What is held on each meter of a plan, in checking order.
pub(crate) type Holds = SmallVec<[Held; USUAL]>;
/// What each meter of a plan reads, in checking order.
pub(crate) type Levels = SmallVec<[Level; USUAL]>;

/// A meter with its counter.
#[derive(Debug, Clone)]
pub(crate) struct LiveMeter(Arc<Bound>);

/// A policy's meter, bound to the counter that outlives the policy.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) meter: Meter,
    pub(crate) counter: Arc<Counter>,
    /// Grows with every edit.
    pub(crate) revision: u64,
}

impl LiveMeter {
    pub(crate) fn new(meter: Meter, counter: Arc<Counter>, revision: u64) -> Self {
        Self(Arc::new(Bound { meter, counter, revision }))
    }

    /// What it reads at `now`.
    pub(crate) fn level(&self, now: Timestamp) -> Level {
        self.counter.lock().level(&self.meter, self.revision, now)
    }
}

impl Deref for LiveMeter {
    type Target = Bound;

    fn deref(&self) -> &Bound {
        &self.0
    }
}

impl Borrow<Meter> for LiveMeter {
    fn borrow(&self) -> &Meter {
        &self.0.meter
    }
}

/// The meters that cover an attempt, and whose they are.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) scope_set: ScopeSet<LiveMeter>,
    /// For each meter, in the order in which counters are locked, its place in checking order.
    lock_order: Box<[usize]>,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) customer_id: Option<CustomerId>,
}

impl Plan {
    pub(crate) fn new(
        meters: impl IntoIterator<Item = LiveMeter>,
        team_id: Option<TeamId>,
        customer_id: Option<CustomerId>,
    ) -> Self {
        let scope_set = ScopeSet::new(meters);
        let mut lock_order: Vec<usize> = (0..scope_set.meters().len()).collect();
        lock_order.sort_by_key(|place| scope_set.meters().get(*place).map(|live| live.counter.rank));
        Self { scope_set, lock_order: lock_order.into(), team_id, customer_id }
    }

    pub(crate) fn meters(&self) -> &[LiveMeter] {
        self.scope_set.meters()
    }

    /// Locks every counter, in their one order: two attempts never wait for each other in a circle.
    pub(crate) fn lock(&self) -> Locked<'_> {
        let mut states: SmallVec<[Option<MutexGuard<'_, State>>; USUAL]> = self.meters().iter().map(|_| None).collect();
        for place in &self.lock_order {
            if let (Some(state), Some(live)) = (states.get_mut(*place), self.meters().get(*place)) {
                *state = Some(live.counter.lock());
            }
        }
        Locked { plan: self, states }
    }
}

/// A plan whose counters nobody else can touch: what is read here is still true when it is held.
pub(crate) struct Locked<'plan> {
    plan: &'plan Plan,
    states: SmallVec<[Option<MutexGuard<'plan, State>>; USUAL]>,
}

impl Locked<'_> {
    /// What each meter reads at `now`.
    pub(crate) fn levels(&mut self, now: Timestamp) -> Levels {
        let states = self.states.iter_mut().flatten();
        self.plan
            .meters()
            .iter()
            .zip(states)
            .map(|(live, state)| state.level(&live.meter, live.revision, now))
            .collect()
    }

    /// Holds on every meter what the terms ask for. `levels` are what the meters read.
    pub(crate) fn hold(self, levels: &Levels, terms: &Terms) -> Holds {
        self.reserve(levels, |metric| requested(metric, terms))
    }

    /// The same for what was used before it was asked for: tokens and money, and neither a request nor a slot.
    pub(crate) fn note(self, levels: &Levels, terms: &Terms) -> Holds {
        self.reserve(levels, |metric| match metric {
            Metric::ParallelRequests | Metric::Requests => 0,
            Metric::Tokens | Metric::Cost => requested(metric, terms),
        })
    }

    fn reserve(mut self, levels: &Levels, amount: impl Fn(Metric) -> i64) -> Holds {
        let states = self.states.iter_mut().flatten();
        let meters = self.plan.meters().iter().zip(states).zip(levels);
        let hold = meters.map(|((live, state), level)| {
            let amount = amount(live.meter.id.metric);
            state.hold(level, amount, overlooks(live.meter.enforcement, level, amount))
        });
        hold.collect()
    }
}

/// The plans of one virtual key, by provider and model.
#[derive(Debug, Default)]
pub(crate) struct Plans(ArcSwapOption<Kept>);

#[derive(Debug)]
struct Kept {
    generation: u64,
    plans: Vec<(ProviderName, ModelName, Arc<Plan>)>,
}

impl Plans {
    /// The plan of this generation, which is made if there is none yet.
    pub(crate) fn get(
        &self,
        generation: u64,
        provider: &ProviderName,
        model: &ModelName,
        make: impl FnOnce() -> Plan,
    ) -> Arc<Plan> {
        let kept = self.0.load();
        let kept = kept.as_ref().filter(|kept| kept.generation == generation);
        let plans = kept.map_or(&[][..], |kept| &kept.plans);
        if let Some((_, _, plan)) = plans.iter().find(|(of, named, _)| of == provider && named == model) {
            return plan.clone();
        }
        let plan = Arc::new(make());
        let others = if plans.len() < MOST_PLANS { plans } else { &[] };
        let plans = others.iter().cloned().chain([(provider.clone(), model.clone(), plan.clone())]).collect();
        self.0.store(Some(Arc::new(Kept { generation, plans })));
        plan
    }
}
