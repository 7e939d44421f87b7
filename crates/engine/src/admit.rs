//! The engine: it checks every meter of an attempt's scope set, and holds on all of them or on none.

use std::sync::Arc;

use jiff::Timestamp;
use keyward_core::crash_point::{CrashPoint, Probe};
use keyward_core::ids::{CustomerId, ModelConfigId, ModelName, ProviderKeyId, RequestId, TeamId, VirtualKeyId};
use keyward_core::ledger::{Adjustment, Attribution};
use keyward_core::meter::{Count, EnforcementDefaults, MeterId, Metric};
use keyward_core::model_config::ModelConfig;
use keyward_core::money::NanoUsd;
use keyward_core::owner::{Customer, Team};
use keyward_core::price::{Possible, Price, VersionedPrice};
use keyward_core::pricing_override::RequestType;
use keyward_core::refusal::Refusal;
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};

use crate::admission::{Admission, Ledger, Settlement};
use crate::explain::Coverage;
use crate::identity::{Permit, Principal};
use crate::journal::{Journal, JournalError, Receipt};
use crate::open::{Open, OpenAttempts};
use crate::plan::{Levels, Locked, Plan};
use crate::policies::Policies;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::terms::{Asked, OutputDemand, Terms, decide};

/// The most that an attempt can use.
pub struct Demand<'a> {
    /// Input tokens, all classes together: a bound that was cheap to find.
    pub input: u64,
    /// Finds a tighter bound of the input, at some expense; asked when the cheap one does not fit. None when nobody can.
    pub counted_input: Option<&'a dyn Fn() -> Option<u64>>,
    /// Output tokens.
    pub output: OutputDemand,
    /// What else the request may cause, or cause them to be.
    pub possible: Possible,
}

/// One call to one provider that asks to be admitted.
pub struct Attempt<'a> {
    /// The request, named by the server.
    pub request_id: RequestId,
    /// Which attempt of the request, from 0.
    pub attempt: i32,
    /// What kind of request it is; none: one that is free by declaration.
    pub request_type: Option<RequestType>,
    /// The real credential that shall serve it.
    pub provider_key_id: ProviderKeyId,
    /// What the provider calls the model.
    pub model_served: ModelName,
    /// What the model costs, if that is known.
    pub price: Option<VersionedPrice>,
    /// The most that it can use.
    pub demand: Demand<'a>,
}

/// Decides what may be spent. Clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) core: Arc<Core>,
}

/// What admissions share with the engine that made them.
pub(crate) struct Core {
    pub(crate) policies: Policies,
    pub(crate) open: OpenAttempts,
    pub(crate) journal: Arc<Journal>,
    ledger: Arc<dyn Ledger>,
    /// Counts how often the engine has looked for attempts without a sign of life.
    rounds: AtomicU64,
    probe: Probe,
}

impl Engine {
    /// An engine without policies that writes into `journal` and `ledger`. Limits that do not say how strictly they are held follow
    /// `defaults`.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>, journal: Journal, defaults: EnforcementDefaults, probe: Probe) -> Self {
        let (policies, open) = (Policies::new(defaults), OpenAttempts::default());
        let core = Core { policies, open, journal: Arc::new(journal), ledger, rounds: AtomicU64::new(0), probe };
        Self { core: Arc::new(core) }
    }

    /// Loads counters as they were last written down. Call it before any policy is put.
    pub fn restore(&self, counts: impl IntoIterator<Item = (MeterId, Count)>) {
        self.core.policies.restore(counts);
    }

    /// Makes room for so many virtual keys and limits, before they are put.
    pub fn reserve(&self, virtual_keys: usize, limits: usize) {
        self.core.policies.reserve(virtual_keys, limits);
    }

    /// Makes a virtual key known, or replaces what is known of it. Its usage stays.
    pub fn put_virtual_key(&self, hashes: VirtualKeyHashes, key: &VirtualKey, now: Timestamp) {
        self.core.policies.put_key(hashes, key, now);
    }

    /// Forgets a virtual key, and the model configs that are for it.
    pub fn remove_virtual_key(&self, id: &VirtualKeyId) {
        self.core.policies.remove_key(id);
    }

    /// Makes a team's limits known, or replaces them. Its usage stays.
    pub fn put_team(&self, team: &Team, now: Timestamp) {
        self.core.policies.put_team(team, now);
    }

    /// Forgets a team's limits.
    pub fn remove_team(&self, id: &TeamId) {
        self.core.policies.remove_team(id);
    }

    /// Makes a customer's limits known, or replaces them. Its usage stays.
    pub fn put_customer(&self, customer: &Customer, now: Timestamp) {
        self.core.policies.put_customer(customer, now);
    }

    /// Forgets a customer's limits.
    pub fn remove_customer(&self, id: &CustomerId) {
        self.core.policies.remove_customer(id);
    }

    /// Makes a model config's limits known, or replaces them. Its usage stays.
    pub fn put_model_config(&self, config: &ModelConfig, now: Timestamp) {
        self.core.policies.put_model_config(config, now);
    }

    /// Forgets a model config's limits.
    pub fn remove_model_config(&self, id: &ModelConfigId) {
        self.core.policies.remove_model_config(id);
    }

    /// Takes off what was adjusted in the books: usage that shall not count in its window any more.
    pub fn adjust(&self, adjustments: &[Adjustment]) {
        self.core.policies.adjust(adjustments);
    }

    /// What a meter reads, if it was ever touched.
    #[must_use]
    pub fn count(&self, id: &MeterId) -> Option<Count> {
        self.core.policies.count(id)
    }

    /// What running attempts have reserved on a meter in the window that `now` lies in.
    #[must_use]
    pub fn held(&self, id: &MeterId, now: Timestamp) -> i64 {
        self.core.policies.held(id, now)
    }

    /// The virtual key of this secret, whatever state it is in.
    #[must_use]
    pub fn virtual_key_id(&self, hash: &KeyHash, now: Timestamp) -> Option<VirtualKeyId> {
        self.core.policies.key(hash, now).map(|policy| policy.id.clone())
    }

    /// Finds out who asks: the key must be known, active and not expired, in this order.
    ///
    /// # Errors
    /// The first of these that fails.
    pub fn identify(&self, hash: &KeyHash, now: Timestamp) -> Result<Principal, Refusal> {
        Principal::of(self.core.policies.key(hash, now), now)
    }

    /// The same for a virtual key whose secret is not at hand: it explains, and admits as the key would.
    ///
    /// # Errors
    /// As [`Engine::identify`].
    pub fn principal_of(&self, id: &VirtualKeyId, now: Timestamp) -> Result<Principal, Refusal> {
        Principal::of(self.core.policies.key_of(id), now)
    }

    /// Admits an attempt: holds what it may use on every meter that covers it, and writes that down in the journal. When the whole
    /// does not fit, less output may: then [`Admission::output_cap`] is what the request has to carry.
    ///
    /// # Errors
    /// The first meter in checking order that has no room, a budget without a price to hold by, or books that cannot be
    /// kept. Nothing is held then.
    pub fn admit(&self, permit: &Permit, attempt: Attempt<'_>, now: Timestamp) -> Result<Admission, Refusal> {
        let core = &self.core;
        core.probe.reached(CrashPoint::Asked);
        if !core.can_keep_books() {
            return Err(Refusal::BooksUnavailable);
        }
        let plan = core.policies.plan(permit);
        let (terms, holds) = weigh(&plan, permit, &attempt, now, |locked, levels, terms| locked.hold(levels, terms))?;
        core.probe.reached(CrashPoint::Held);
        let hold = core.journal.next_hold();
        let attribution = Attribution {
            request_id: attempt.request_id.clone(),
            attempt: attempt.attempt,
            virtual_key_id: permit.principal.policy.id.clone(),
            team_id: plan.team_id.clone(),
            customer_id: plan.customer_id.clone(),
            request_type: attempt.request_type,
            provider: permit.provider.clone(),
            provider_key_id: attempt.provider_key_id,
            model: permit.model.clone(),
            model_served: attempt.model_served,
        };
        let (price, segment, alive_in) = (attempt.price, 0, core.round());
        let coverage = Coverage(plan.clone());
        let open = Open { attribution, plan, holds, price, terms, admitted_at: now, hold, segment, alive_in };
        match core.journal.hold(hold, &open) {
            Ok(segment) => {
                let key = core.open.insert(Open { segment, ..open });
                let record = core.journal.written();
                Ok(Admission::new(core.clone(), key, attempt.request_id, coverage, terms.output_cap, record))
            }
            Err(_) => {
                open.release();
                Err(Refusal::BooksUnavailable)
            }
        }
    }

    /// How many attempts are running.
    #[must_use]
    pub fn open_attempts(&self) -> usize {
        self.core.open.len()
    }

    /// Begins a round, and ends every attempt that has shown no sign of life in `rounds` of them: it is charged what it held, as
    /// `abandoned`. Returns how many. A round is as long as the caller lets pass between two calls; no clock that somebody may set
    /// is asked.
    pub fn expire(&self, rounds: u64, now: Timestamp) -> usize {
        let round = self.core.rounds.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let lapsed = self.core.open.take_where(|open| open.alive_in.saturating_add(rounds) < round);
        let count = lapsed.len();
        for open in lapsed {
            self.core.settle(open, Open::abandonment(now));
        }
        count
    }

    /// The journal that holds are written into.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.core.journal
    }

    /// Brings the journal to the disk, if it shall be `synced`, and drops what the database has. After a failure: begins a new segment
    /// with everything that is running, and admits again once that is written.
    ///
    /// # Errors
    /// When the disk refuses; nothing is admitted until a later call succeeds.
    pub fn tend_journal(&self, synced: bool) -> Result<(), JournalError> {
        let journal = &self.core.journal;
        if journal.has_failed() {
            journal.begin_anew()?;
            self.carry(|_| true)?;
            if synced {
                journal.sync()?;
            }
            journal.has_recovered();
        } else {
            if synced {
                journal.sync()?;
            }
            if let Some(oldest) = journal.overdue() {
                self.carry(|segment| segment == oldest)?;
            }
        }
        journal.drop_confirmed()
    }

    fn carry(&self, is_from: impl Fn(u64) -> bool) -> Result<(), JournalError> {
        let mut carried = Ok(());
        self.core.open.for_each(|open| {
            if carried.is_ok() && is_from(open.segment) {
                match self.core.journal.carry(open.hold, open) {
                    Ok(segment) => open.segment = segment,
                    Err(error) => carried = Err(error),
                }
            }
        });
        carried
    }
}

impl Attempt<'_> {
    /// The terms on which everything that is asked for would be held.
    pub(crate) fn as_asked(&self) -> Terms {
        let Demand { input, counted_input: _, output, possible } = self.demand;
        Terms::full(&Asked { price: self.price(), input, output, possible: self.with_fee(possible) })
    }

    fn price(&self) -> Option<&Price> {
        self.price.as_ref().map(|known| &known.price)
    }

    /// What is possible, with the fee of the request itself where its price has one.
    fn with_fee(&self, possible: Possible) -> Possible {
        let units = self.price().map_or(possible.units, |price| price.with_fee(possible.units));
        Possible { units, ..possible }
    }
}

impl Core {
    pub(crate) fn can_keep_books(&self) -> bool {
        self.ledger.is_available() && self.journal.is_available()
    }

    pub(crate) fn round(&self) -> u64 {
        self.rounds.load(Ordering::Acquire)
    }

    /// Ends an attempt that was taken out. Returns its cost.
    pub(crate) fn settle(&self, open: Open, settlement: Settlement) -> NanoUsd {
        let (hold, segment, is_priced) = (open.hold, open.segment, open.price.is_some());
        let entry = open.settle(settlement);
        let cost = entry.cost;
        self.probe.reached(CrashPoint::MetersSettled);
        self.journal.settled(hold, is_priced, &entry);
        self.ledger.append(entry, Receipt::new(self.journal.clone(), segment));
        self.probe.reached(CrashPoint::EntryQueued);
        cost
    }

    /// Drops what an attempt held that was taken out.
    pub(crate) fn release(&self, open: &Open) {
        open.release();
        self.journal.released(open.hold, open.segment);
    }
}

/// Finds the terms on which an attempt fits, and does with the locked meters what `then` says. The expensive bound of the input is
/// asked for when the cheap one does not fit, with nothing locked; output is capped only after that.
pub(crate) fn weigh<T>(
    plan: &Plan,
    permit: &Permit,
    attempt: &Attempt<'_>,
    now: Timestamp,
    then: impl Fn(Locked<'_>, &Levels, &Terms) -> T,
) -> Result<(Terms, T), Refusal> {
    let Demand { input, counted_input, output, possible } = attempt.demand;
    let most_output = output.per_answer.saturating_mul(output.answers);
    let is_covered = attempt.price().is_some_and(|price| price.covers(input, most_output, &possible));
    if let (false, Some(budget)) = (is_covered, plan.scope_set.budget()) {
        let (provider, model) = (permit.provider.clone(), permit.model.clone());
        return Err(Refusal::PriceUnknown { scope: budget.scope.clone(), provider, model });
    }
    let (price, possible) = (attempt.price(), attempt.with_fee(possible));
    let asked = |input, can_clamp| Asked { price, input, output: OutputDemand { can_clamp, ..output }, possible };
    let try_with = |input, can_clamp| {
        let asked = asked(input, can_clamp);
        let mut locked = plan.lock();
        let levels = locked.levels(now);
        let terms = decide(plan.meters(), &levels, &asked)?;
        Ok((terms, then(locked, &levels, &terms)))
    };
    let fits = |input| decide(plan.meters(), &plan.lock().levels(now), &asked(input, output.can_clamp)).is_ok();
    let Some(count) = counted_input else { return try_with(input, output.can_clamp) };
    match try_with(input, false) {
        // Counting is dear, and for nothing where not even a request without input would fit.
        Err(Refusal::Limit(limit)) if matches!(limit.metric, Metric::Tokens | Metric::Cost) && fits(0) => {
            let counted = count().map_or(input, |counted| counted.min(input));
            try_with(counted, output.can_clamp)
        }
        decided => decided,
    }
}
