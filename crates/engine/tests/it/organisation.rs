//! An organisation with limits on everything, and random edits of it: what the engine is told, and what a model of it can read.

use keyward_core::meter::{Enforcement, Metric, OutputClamp};
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::VirtualKeyHashes;
use keyward_engine::Engine;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::{Value, json};

use crate::world::{at, budget, config, customer, key, model_config, rate_limit, team, with};

/// How long a window is, whether it follows the calendar, and whose. At second 30 each has begun, and none has ended.
pub type Span = (&'static str, bool, &'static str);

const SPANS: [Span; 10] = [
    ("60s", false, "UTC"),
    ("1h", false, "UTC"),
    ("7h", false, "UTC"),
    ("1d", false, "UTC"),
    ("1d", true, "UTC"),
    ("1d", true, "America/New_York"),
    ("1w", true, "UTC"),
    ("1M", true, "Asia/Tokyo"),
    ("1Q", true, "Europe/Berlin"),
    ("never", false, "UTC"),
];
/// Those that a rate limit may have.
const RATE_SPANS: [Span; 4] = [("60s", false, "UTC"), ("1h", false, "UTC"), ("1d", false, "UTC"), ("7h", false, "UTC")];
pub const PROVIDERS: [&str; 2] = ["p", "q"];
pub const MODELS: [&str; 2] = ["m", "n"];
pub const KEYS: usize = 3;

/// A cap of one owner.
#[derive(Debug, Clone)]
pub struct Cap {
    pub limit: String,
    pub metric: Metric,
    pub cap: i64,
    pub span: Span,
    pub enforcement: Option<Enforcement>,
    pub clamp: Option<OutputClamp>,
}

/// The caps of one owner. Those of its rate limit have the same id, enforcement and clamp.
pub type Caps = Vec<Cap>;

#[derive(Debug)]
pub struct Team {
    pub customer: Option<usize>,
    pub caps: Caps,
}

#[derive(Debug)]
pub struct Key {
    pub id: String,
    pub team: Option<usize>,
    pub customer: Option<usize>,
    pub slots: Option<u32>,
    pub caps: Caps,
    /// At provider `p`.
    pub of_config: Caps,
    /// Of model `m` at provider `p`.
    pub of_model: Caps,
    /// Which of its two secrets is the current one; the other works, too.
    rotated: bool,
}

/// What a model config covers: the model, the provider, the virtual key; none is any.
pub type Covered = (Option<&'static str>, Option<&'static str>, Option<usize>);

#[derive(Debug)]
pub struct ModelConfig {
    pub covered: Covered,
    pub caps: Caps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Customer(usize),
    Team(usize),
    Key(usize),
    Model(usize),
}

/// Everything that has limits. What was deleted is not there, and can come back with other limits.
#[derive(Debug, Default)]
pub struct Organisation {
    pub customers: [Option<Caps>; 2],
    pub teams: [Option<Team>; 2],
    pub keys: [Option<Key>; KEYS],
    pub models: [Option<ModelConfig>; 4],
    minted: u32,
}

impl Organisation {
    /// The owners that there can be.
    pub fn owners() -> Vec<Owner> {
        let of = |count, owner: fn(usize) -> Owner| (0..count).map(owner);
        let above = of(2, Owner::Customer).chain(of(2, Owner::Team));
        above.chain(of(KEYS, Owner::Key)).chain(of(4, Owner::Model)).collect()
    }

    /// The two secrets that a virtual key has.
    pub fn secrets(key: usize) -> [KeyHash; 2] {
        [0, 1].map(|second| KeyHash([key as u8 * 2 + second; 32]))
    }

    /// Edits one owner in a random way. Caps are about as large as `most`.
    pub fn edit(&mut self, random: &mut StdRng, most: i64) -> Owner {
        let owner = *Self::owners().choose(random).unwrap();
        let (is_deleted, moves) = (random.random_bool(0.06), random.random_bool(0.3));
        let above = |random: &mut StdRng| random.random_bool(0.7).then(|| random.random_range(0..2));
        let fresh = |organisation: &mut Self, random: &mut StdRng| organisation.caps(random, most);
        match owner {
            Owner::Customer(place) => match self.customers[place].take() {
                None => self.customers[place] = Some(fresh(self, random)),
                Some(_) if is_deleted => {}
                Some(caps) => self.customers[place] = Some(self.edited(caps, random, most)),
            },
            Owner::Team(place) => match self.teams[place].take() {
                None => self.teams[place] = Some(Team { customer: above(random), caps: fresh(self, random) }),
                Some(_) if is_deleted => {}
                Some(team) if moves => self.teams[place] = Some(Team { customer: above(random), ..team }),
                Some(team) => {
                    self.teams[place] = Some(Team { caps: self.edited(team.caps, random, most), ..team });
                }
            },
            Owner::Key(place) => self.edit_key(place, random, most),
            Owner::Model(place) => match self.models[place].take() {
                Some(_) if is_deleted => {}
                Some(config) if !moves => {
                    let caps = self.edited(config.caps, random, most);
                    self.models[place] = Some(ModelConfig { caps, ..config });
                }
                before => {
                    let covered = (
                        random.random_bool(0.5).then(|| *MODELS.choose(random).unwrap()),
                        random.random_bool(0.5).then(|| *PROVIDERS.choose(random).unwrap()),
                        random.random_bool(0.4).then(|| random.random_range(0..KEYS)),
                    );
                    let is_free = self.models.iter().flatten().all(|other| other.covered != covered);
                    let exists = covered.2.is_none_or(|key| self.keys[key].is_some());
                    self.models[place] = match before {
                        before if !(is_free && exists) => before,
                        Some(config) => Some(ModelConfig { covered, ..config }),
                        None => Some(ModelConfig { covered, caps: fresh(self, random) }),
                    };
                }
            },
        }
        owner
    }

    fn edit_key(&mut self, place: usize, random: &mut StdRng, most: i64) {
        let Some(mut key) = self.keys[place].take() else {
            self.minted += 1;
            self.keys[place] = Some(Key {
                id: format!("v{}", self.minted),
                team: random.random_bool(0.7).then(|| random.random_range(0..2)),
                customer: None,
                slots: Some(4),
                caps: self.caps(random, most),
                of_config: self.caps(random, most),
                of_model: self.caps(random, most),
                rotated: false,
            });
            return;
        };
        match random.random_range(0..20) {
            0 => {
                for config in &mut self.models {
                    config.take_if(|config| config.covered.2 == Some(place));
                }
                return;
            }
            1..4 => key.team = random.random_bool(0.7).then(|| random.random_range(0..2)),
            4..6 => key.customer = random.random_bool(0.5).then(|| random.random_range(0..2)),
            6..8 => key.rotated = !key.rotated,
            8..11 => key.slots = random.random_bool(0.7).then(|| random.random_range(1..9)),
            11..14 => key.caps = self.edited(key.caps, random, most),
            14..17 => key.of_config = self.edited(key.of_config, random, most),
            _ => key.of_model = self.edited(key.of_model, random, most),
        }
        self.keys[place] = Some(key);
    }

    fn mint(&mut self, kind: &str) -> String {
        self.minted += 1;
        format!("{kind}{}", self.minted)
    }

    fn caps(&mut self, random: &mut StdRng, most: i64) -> Caps {
        let mut caps = Vec::new();
        if random.random_bool(0.3) {
            let rate = self.mint("r");
            caps.push(any_cap(&rate, Metric::Requests, random, most));
            caps.push(any_cap(&rate, Metric::Tokens, random, most));
        }
        for _ in 0..random.random_range(0..3) {
            let budget = self.mint("b");
            caps.push(any_cap(&budget, Metric::Cost, random, most));
        }
        agreeing(caps)
    }

    /// Adds, removes or changes one limit, or one cap of it.
    fn edited(&mut self, mut caps: Caps, random: &mut StdRng, most: i64) -> Caps {
        let place = random.random_range(0..=caps.len());
        let Some(cap) = caps.get_mut(place) else {
            let rate = caps.iter().find(|cap| cap.metric != Metric::Cost).map(|cap| cap.limit.clone());
            let metric = *[Metric::Requests, Metric::Tokens, Metric::Cost, Metric::Cost].choose(random).unwrap();
            if caps.iter().all(|cap| cap.metric != metric) || (metric == Metric::Cost && caps.len() < 6) {
                let limit = rate.filter(|_| metric != Metric::Cost).unwrap_or_else(|| self.mint("l"));
                caps.push(any_cap(&limit, metric, random, most));
            }
            return agreeing(caps);
        };
        let fresh = any_cap(&cap.limit, cap.metric, random, most);
        match random.random_range(0..9) {
            0 => drop(caps.remove(place)),
            1..4 => cap.cap = fresh.cap,
            4..6 => cap.span = fresh.span,
            6 => cap.enforcement = fresh.enforcement,
            7 => cap.clamp = fresh.clamp,
            _ => *cap = fresh,
        }
        agreeing(caps)
    }

    /// Tells an engine what an owner is like now.
    pub fn put(&self, engine: &Engine, owner: Owner, now: jiff::Timestamp) {
        match owner {
            Owner::Customer(place) => match &self.customers[place] {
                None => engine.remove_customer(&name("c", place).as_str().into()),
                Some(caps) => {
                    engine.put_customer(&customer(with(limits(caps), json!({ "id": name("c", place) }))), now)
                }
            },
            Owner::Team(place) => match &self.teams[place] {
                None => engine.remove_team(&name("t", place).as_str().into()),
                Some(of) => {
                    let customer_id = of.customer.map(|place| name("c", place));
                    let members = json!({ "id": name("t", place), "customer_id": customer_id });
                    engine.put_team(&team(with(limits(&of.caps), members)), now);
                }
            },
            Owner::Key(place) => match &self.keys[place] {
                None => {
                    let hash = Self::secrets(place)[0];
                    engine.virtual_key_id(&hash, now).iter().for_each(|id| engine.remove_virtual_key(id));
                }
                Some(of) => {
                    let [mut current, mut previous] = Self::secrets(place);
                    if of.rotated {
                        std::mem::swap(&mut current, &mut previous);
                    }
                    let hashes = VirtualKeyHashes { current, previous: Some((previous, at(1 << 36))) };
                    engine.put_virtual_key(hashes, &key(of.members(place)), now);
                }
            },
            Owner::Model(place) => match &self.models[place] {
                None => engine.remove_model_config(&name("mc", place).as_str().into()),
                Some(of) => {
                    let (model, provider, key) = of.covered;
                    let id = key.and_then(|key| self.keys[key].as_ref()).map(|key| key.id.clone());
                    let members = json!({
                        "model_name": model.unwrap_or("*"), "provider": provider, "scope_id": id,
                        "scope": if id.is_some() { "virtual_key" } else { "global" },
                    });
                    engine.put_model_config(&model_config(&name("mc", place), with(limits(&of.caps), members)), now);
                }
            },
        }
    }
}

impl Key {
    fn members(&self, place: usize) -> Value {
        let of_model = with(limits(&self.of_model), json!({ "id": format!("mb-{}", self.id), "model": "m" }));
        let of_config = with(limits(&self.of_config), json!({ "id": place, "model_budgets": [of_model] }));
        let own = json!({
            "id": self.id, "provider_configs": [config("p", of_config)], "max_parallel_requests": self.slots,
            "team_id": self.team.map(|place| name("t", place)),
            "customer_id": self.customer.map(|place| name("c", place)),
        });
        with(limits(&self.caps), own)
    }
}

fn any_cap(limit: &str, metric: Metric, random: &mut StdRng, most: i64) -> Cap {
    let spans: &[Span] = if metric == Metric::Cost { &SPANS } else { &RATE_SPANS };
    let largest = if metric == Metric::Requests { most / 30 + 2 } else { most };
    let lax = [Enforcement::Soft, Enforcement::Shadow];
    let strictness = random.random_range(0..10);
    Cap {
        limit: limit.to_owned(),
        metric,
        cap: random.random_range(largest / 4 + 1..=largest),
        span: *spans.choose(random).unwrap(),
        enforcement: match strictness {
            0..4 => None,
            4..8 => Some(Enforcement::Hard),
            _ => lax.choose(random).copied(),
        },
        clamp: random.random_bool(0.6).then(|| *OutputClamp::ALL.choose(random).unwrap()),
    }
}

/// What a rate limit says of itself, it says of both its caps.
fn agreeing(mut caps: Caps) -> Caps {
    for place in 1..caps.len() {
        let (before, rest) = caps.split_at_mut(place);
        if let (Some(first), [second, ..]) = (before.iter().find(|first| first.limit == rest[0].limit), rest) {
            (second.enforcement, second.clamp) = (first.enforcement, first.clamp);
        }
    }
    caps
}

fn name(kind: &str, place: usize) -> String {
    format!("{kind}{place}")
}

/// The members of an owner that has these caps.
fn limits(caps: &Caps) -> Value {
    let told = |cap: &Cap| json!({ "enforcement": cap.enforcement, "output_clamp": cap.clamp });
    let budgets = caps.iter().filter(|cap| cap.metric == Metric::Cost).map(|cap| {
        let (duration, aligned, zone) = cap.span;
        let span = json!({ "reset_duration": duration, "calendar_aligned": aligned, "timezone": zone });
        with(with(budget(&cap.limit, cap.cap, 60), span), told(cap))
    });
    let rate = |metric| caps.iter().find(|cap| cap.metric == metric);
    let rate_limits = [rate(Metric::Tokens), rate(Metric::Requests)];
    let rate_limit = rate_limits.into_iter().flatten().next().map(|first| {
        let [tokens, requests] = rate_limits.map(|cap| cap.map(|cap| cap.cap));
        let [token_span, request_span] = rate_limits.map(|cap| cap.map(|cap| cap.span.0));
        let spans = json!({ "token_reset_duration": token_span, "request_reset_duration": request_span });
        with(with(rate_limit(&first.limit, tokens, requests), spans), told(first))
    });
    json!({ "budgets": budgets.collect::<Vec<_>>(), "rate_limit": rate_limit })
}

/// One of the places where a request can go, and a virtual key for it.
pub fn any_place(random: &mut impl Rng) -> (usize, &'static str, &'static str) {
    let (provider, model) = (PROVIDERS.choose(random).unwrap(), MODELS.choose(random).unwrap());
    (random.random_range(0..KEYS), provider, model)
}
