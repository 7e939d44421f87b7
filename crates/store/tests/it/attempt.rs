//! Attempts as the engine settles them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keyward_core::ids::VirtualKeyId;
use keyward_core::ledger::{Attribution, LedgerEntry, Outcome, Posting, UsageSource};
use keyward_core::meter::{Count, MeterId};
use keyward_core::money::NanoUsd;
use keyward_core::price::TokenUsage;
use keyward_core::pricing_override::RequestType;
use keyward_core::window::Window;
use keyward_store::Store;

use crate::request::now;

pub(crate) fn entry(request: &str, key: &VirtualKeyId, postings: Vec<Posting>) -> LedgerEntry {
    LedgerEntry {
        attribution: Attribution {
            request_id: request.into(),
            attempt: 0,
            virtual_key_id: key.clone(),
            team_id: None,
            customer_id: Some("gone".into()),
            request_type: Some(RequestType::ChatCompletion),
            provider: "openai".into(),
            provider_key_id: "k".into(),
            model: "m".into(),
            model_served: "m".into(),
        },
        usage: TokenUsage { input: 1, cached_input: 2, cache_write: 3, output: 4, ..TokenUsage::default() }.into(),
        usage_source: UsageSource::Provider,
        cost: NanoUsd::from_nanos(7),
        pricing: None,
        held: NanoUsd::from_nanos(9),
        outcome: Outcome::Completed,
        admitted_at: now(),
        first_byte_at: None,
        settled_at: now(),
        postings,
    }
}

pub(crate) fn posting(meter: &MeterId, window: Window, amount: i64) -> Posting {
    Posting { meter: meter.clone(), window, cap: 100, held: amount, amount, would_refuse: false }
}

pub(crate) fn window(start: i64, end: i64) -> Window {
    Window { start: Timestamp::from_second(start).unwrap(), end: Timestamp::from_second(end).unwrap() }
}

pub(crate) async fn counts(store: &Store) -> BTreeMap<MeterId, Count> {
    store.policies_load().await.unwrap().counts.into_iter().collect()
}
