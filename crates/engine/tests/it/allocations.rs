//! Memory: admission on the allow path asks for none, and settlement once: for the postings of the entry, which outlives the attempt.
//! What many virtual keys have in common is kept once.

use std::sync::Arc;

use keyward_core::crash_point::Probe;
use keyward_core::ledger::LedgerEntry;
use keyward_core::meter::EnforcementDefaults;
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::VirtualKeyHashes;
use keyward_engine::{Engine, Journal, Ledger, Receipt};
use serde_json::{Value, json};

use crate::world::{Prepared, at, budget, config, key, put_eight_meters, with};

/// Forgets what it is given.
struct Sink;

impl Ledger for Sink {
    fn append(&self, _: LedgerEntry, receipt: Receipt) {
        receipt.confirm();
    }

    fn is_available(&self) -> bool {
        true
    }
}

#[test]
fn an_attempt_over_eight_meters_allocates_the_postings_of_its_entry() {
    let engine = Engine::new(Arc::new(Sink), Journal::in_memory(), EnforcementDefaults::default(), Probe::default());
    put_eight_meters(&engine);
    let attempt = Prepared::new();
    // The first ones make the plan, and the place where running attempts are kept.
    (0..64).for_each(|_| assert!(attempt.run(&engine).is_some()));
    let measured = allocation_counter::measure(|| (0..1_000).for_each(|_| assert!(attempt.run(&engine).is_some())));
    assert_eq!(measured.count_total, 1_000);
}

#[test]
fn provider_configs_that_say_the_same_are_kept_once_unless_they_have_limits() {
    let engine = Engine::new(Arc::new(Sink), Journal::in_memory(), EnforcementDefaults::default(), Probe::default());
    let models: Vec<String> = (0..500).map(|number| format!("a-model-of-many-with-a-number-{number}")).collect();
    let like_the_others = config("p", json!({ "allowed_models": models }));
    let otherwise = with(like_the_others.clone(), json!({ "weight": 2 }));
    let limited = with(like_the_others.clone(), json!({ "budgets": [budget("b", 1, 60)] }));
    let put = |number: u8, config: &Value| {
        let key = key(json!({ "id": format!("vk-{number}"), "provider_configs": [config] }));
        let hashes = VirtualKeyHashes { current: KeyHash([number; 32]), previous: None };
        allocation_counter::measure(|| engine.put_virtual_key(hashes, &key, at(0))).bytes_current
    };
    let first = put(1, &like_the_others);
    assert!(first > 10_000, "{first} bytes");
    assert!(put(2, &like_the_others) < first / 10);
    assert!(put(3, &otherwise) > first / 2);
    assert!(put(4, &limited) > first / 2);
}
