//! A small world to try the engine in: one virtual key with a team and a customer, and a ledger that remembers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use keyward_core::crash_point::Probe;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName, RequestId};
use keyward_core::ledger::{LedgerEntry, Outcome};
use keyward_core::meter::{Count, EnforcementDefaults, MeterId, Metric};
use keyward_core::model_config::ModelConfig;
use keyward_core::money::NanoUsd;
use keyward_core::owner::{Customer, Team};
use keyward_core::price::{Possible, Price, PriceSheet, TokenUsage, VersionedPrice};
use keyward_core::pricing_override::RequestType;
use keyward_core::refusal::Refusal;
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::{VirtualKey, VirtualKeyHashes};
use keyward_engine::{
    Admission, Attempt, Demand, Engine, Journal, Ledger, MeterLevel, OutputDemand, Receipt, Settlement,
};
use serde_json::{Value, json};

pub const HASH: KeyHash = KeyHash([7; 32]);

#[derive(Default)]
pub struct Memory {
    pub entries: Mutex<Vec<LedgerEntry>>,
    pub broken: AtomicBool,
}

impl Ledger for Memory {
    fn append(&self, entry: LedgerEntry, receipt: Receipt) {
        self.entries.lock().unwrap().push(entry);
        receipt.confirm();
    }

    fn is_available(&self) -> bool {
        !self.broken.load(Ordering::SeqCst)
    }
}

pub struct World {
    pub engine: Engine,
    pub ledger: Arc<Memory>,
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A budget in nano-dollars over a number of seconds, anchored at second 0.
pub fn budget(id: &str, nanos: i64, seconds: u32) -> Value {
    let cap = keyward_core::money::NanoUsd::from_nanos(nanos);
    json!({
        "id": id, "max_limit": serde_json::to_value(cap).unwrap(), "reset_duration": format!("{seconds}s"),
        "calendar_aligned": false, "timezone": "UTC", "last_reset": at(0), "resets_at": at(0), "current_usage": 0,
        "config_hash": "", "created_at": at(0), "updated_at": at(0),
    })
}

pub fn rate_limit(id: &str, tokens: Option<i64>, requests: Option<i64>) -> Value {
    let mut limit = json!({
        "id": id, "token_current_usage": 0, "token_last_reset": at(0), "request_current_usage": 0,
        "request_last_reset": at(0), "config_hash": "", "created_at": at(0), "updated_at": at(0),
        "token_reset_duration": "60s", "request_reset_duration": "60s",
    });
    let members = limit.as_object_mut().unwrap();
    members.extend(tokens.map(|cap| ("token_max_limit".to_owned(), json!(cap))));
    members.extend(requests.map(|cap| ("request_max_limit".to_owned(), json!(cap))));
    limit
}

/// A limit, or another value, with these members.
pub fn with(mut base: Value, members: Value) -> Value {
    base.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    base
}

/// Overlays `members` on `base` and reads the entity from the text, as it comes over the wire.
fn entity<T: serde::de::DeserializeOwned>(base: Value, members: Value) -> T {
    serde_json::from_str(&with(base, members).to_string()).unwrap()
}

pub fn key(members: Value) -> VirtualKey {
    let base = json!({
        "id": "vk", "name": "key", "value": "redacted", "description": "", "is_active": true, "allow_all_providers": true,
        "provider_configs": [], "mcp_configs": [], "keys": [], "budgets": [], "calendar_aligned": false, "config_hash": "",
        "delete_after_expire": false, "disable_content_logging": null, "created_at": at(0), "updated_at": at(0),
    });
    entity(base, members)
}

pub fn config(provider: &str, members: Value) -> Value {
    let config = json!({
        "id": 1, "virtual_key_id": "vk", "provider": provider, "weight": 1.0, "allowed_models": ["*"],
        "blacklisted_models": [], "allow_all_keys": true, "budgets": [], "keys": [],
    });
    with(config, members)
}

fn owner(id: &str) -> Value {
    json!({
        "id": id, "name": id, "budgets": [], "calendar_aligned": false, "virtual_key_count": 0, "config_hash": "",
        "created_at": at(0), "updated_at": at(0),
    })
}

pub fn team(members: Value) -> Team {
    entity(owner("team"), members)
}

pub fn customer(members: Value) -> Customer {
    entity(owner("customer"), members)
}

pub fn model_config(id: &str, members: Value) -> ModelConfig {
    let base = json!({
        "id": id, "model_name": "*", "scope": "global", "budgets": [], "calendar_aligned": false, "config_hash": "",
        "created_at": at(0), "updated_at": at(0),
    });
    entity(base, members)
}

/// One nano-dollar for each token of input or output.
pub fn price() -> Price {
    let nano = Some("0.001".parse().unwrap());
    Price::flat(PriceSheet { input: nano, output: nano, ..PriceSheet::default() })
}

impl World {
    pub fn new() -> Self {
        let ledger = Arc::new(Memory::default());
        Self {
            engine: Engine::new(ledger.clone(), Journal::in_memory(), EnforcementDefaults::default(), Probe::default()),
            ledger,
        }
    }

    pub fn with_key(members: Value) -> Self {
        let world = Self::new();
        world.engine.put_virtual_key(hashes(HASH), &key(members), at(0));
        world
    }

    /// Asks for an attempt that may use up to `bound` tokens.
    pub fn ask(&self, bound: u64, now: Timestamp) -> Result<Admission, Refusal> {
        self.ask_priced(bound, Some(price()), now)
    }

    pub fn ask_priced(&self, bound: u64, price: Option<Price>, now: Timestamp) -> Result<Admission, Refusal> {
        self.ask_for(&HASH, ("p", "m"), bound, price, now)
    }

    pub fn ask_for(
        &self,
        hash: &KeyHash,
        (provider, model): (&str, &str),
        bound: u64,
        price: Option<Price>,
        now: Timestamp,
    ) -> Result<Admission, Refusal> {
        ask(&self.engine, hash, (provider, model), demand(bound), price, now)
    }

    /// What each meter reads that covers a request.
    pub fn explain(&self, hash: &KeyHash, (provider, model): (&str, &str), now: Timestamp) -> Vec<MeterLevel> {
        let permit = self.engine.identify(hash, now).unwrap().permit(provider.into(), model.into()).unwrap();
        let explanation = self.engine.explain(&permit, &attempt(model, demand(0), Some(price())), now);
        explanation.meters.into_iter().map(|(level, _)| level).collect()
    }

    pub fn used(&self, limit: &str, metric: Metric) -> i64 {
        self.engine.count(&meter(limit, metric)).map_or(0, |count| count.used)
    }

    /// The counter that the ledger adds up to.
    pub fn folded(&self, limit: &str, metric: Metric) -> Option<Count> {
        let id = meter(limit, metric);
        let entries = self.ledger.entries.lock().unwrap();
        let postings = entries.iter().flat_map(|entry| &entry.postings).filter(|posting| posting.meter == id);
        postings.fold(None, |count: Option<Count>, posting| {
            let count = count.unwrap_or(Count::empty(posting.window));
            Some(count.posted(posting.window, posting.amount))
        })
    }
}

/// An attempt whose names are there already, as a server has them: what is left is the engine's own work.
pub struct Prepared {
    request_id: RequestId,
    provider: ProviderName,
    model: ModelName,
    provider_key_id: ProviderKeyId,
    price: VersionedPrice,
}

impl Prepared {
    pub fn new() -> Self {
        Self {
            request_id: "request".into(),
            provider: "p".into(),
            model: "m".into(),
            provider_key_id: "provider-key".into(),
            price: VersionedPrice { price: price(), version: "test".into() },
        }
    }

    /// Admits it.
    pub fn admit(&self, engine: &Engine) -> Admission {
        let permit = engine.identify(&HASH, at(1)).unwrap().permit(self.provider.clone(), self.model.clone()).unwrap();
        let attempt = Attempt {
            request_id: self.request_id.clone(),
            attempt: 0,
            request_type: Some(RequestType::ChatCompletion),
            provider_key_id: self.provider_key_id.clone(),
            model_served: self.model.clone(),
            price: Some(self.price.clone()),
            demand: demand(100),
        };
        engine.admit(&permit, attempt, at(1)).unwrap()
    }

    /// Admits and settles it.
    pub fn run(&self, engine: &Engine) -> Option<NanoUsd> {
        self.admit(engine).settle(settled(Some(output(60)), at(2)))
    }
}

/// Asks an engine for an attempt.
pub fn ask(
    engine: &Engine,
    hash: &KeyHash,
    (provider, model): (&str, &str),
    demand: Demand<'_>,
    price: Option<Price>,
    now: Timestamp,
) -> Result<Admission, Refusal> {
    let permit = engine.identify(hash, now)?.permit(provider.into(), model.into())?;
    engine.admit(&permit, attempt(model, demand, price), now)
}

/// An attempt at a model.
pub fn attempt<'a>(model: &str, demand: Demand<'a>, price: Option<Price>) -> Attempt<'a> {
    Attempt {
        request_id: "request".into(),
        attempt: 0,
        request_type: Some(RequestType::ChatCompletion),
        provider_key_id: "provider-key".into(),
        model_served: model.into(),
        price: price.map(|price| VersionedPrice { price, version: "test".into() }),
        demand,
    }
}

/// A virtual key below a team and a customer, with room for everything: eight meters cover model `m` of provider `p`.
pub fn put_eight_meters(engine: &Engine) {
    let room = i64::MAX / 4;
    engine.put_customer(&customer(json!({ "budgets": [budget("c", room, 86_400)] })), at(0));
    engine.put_team(&team(json!({ "customer_id": "customer", "budgets": [budget("t", room, 86_400)] })), at(0));
    let mut provider = config("p", json!({ "budgets": [budget("pc", room, 86_400)] }));
    provider.as_object_mut().unwrap().insert("weight".to_owned(), json!(1.0));
    let own = json!({
        "team_id": "team", "provider_configs": [provider], "budgets": [budget("vk", room, 86_400)],
        "rate_limit": rate_limit("r", Some(room), Some(room)),
    });
    engine.put_virtual_key(hashes(HASH), &key(own), at(0));
    let of_model = json!({ "model_name": "m", "budgets": [budget("m", room, 86_400)] });
    engine.put_model_config(&model_config("mc", of_model), at(0));
    let of_provider = json!({ "provider": "p", "budgets": [budget("p", room, 86_400)] });
    engine.put_model_config(&model_config("pm", of_provider), at(0));
}

/// Up to so many tokens of output, and no fewer.
pub fn demand(output: u64) -> Demand<'static> {
    let output = OutputDemand { per_answer: output, answers: 1, capped_by_client: true, can_clamp: false, least: 1 };
    Demand { input: 0, counted_input: None, output, possible: Possible::default() }
}

/// The hashes of a key that was never rotated.
pub fn hashes(current: KeyHash) -> VirtualKeyHashes {
    VirtualKeyHashes { current, previous: None }
}

pub fn meter(limit: &str, metric: Metric) -> MeterId {
    MeterId { limit: limit.into(), metric }
}

pub fn output(tokens: u64) -> TokenUsage {
    TokenUsage { output: tokens, ..TokenUsage::default() }
}

pub fn settled(usage: Option<TokenUsage>, now: Timestamp) -> Settlement {
    let (usage, outcome) = (usage.map(Into::into), Outcome::Completed);
    Settlement { usage, is_counted: false, outcome, first_byte_at: Some(now), at: now }
}
