//! What was spent before it was asked for: it is in the books like anything else, and no limit stands in its way.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::{Outcome, UsageSource};
use keyward_core::meter::Metric;
use keyward_core::money::NanoUsd;
use keyward_core::price::VersionedPrice;
use keyward_core::refusal::Refusal;
use keyward_engine::Spent;
use serde_json::json;

use crate::world::{HASH, World, at, budget, customer, hashes, key, output, price, rate_limit, team};

/// Records that a batch of the world's virtual key used so many tokens.
fn record(world: &World, attempt: i32, tokens: u64, now: Timestamp) -> Result<NanoUsd, Refusal> {
    let debtor = world.engine.debtor(&"vk".into()).unwrap();
    let spent = Spent {
        request_id: "batch".into(),
        attempt,
        provider: "p".into(),
        provider_key_id: "provider-key".into(),
        model: "m".into(),
        model_served: "m".into(),
        price: Some(VersionedPrice { price: price(), version: "test".into() }),
        usage: output(tokens).into(),
    };
    world.engine.record(&debtor, spent, now)
}

/// I2 and I3: one entry, over every meter that covers the model. It is no request of its own.
#[test]
fn i2_i3_what_is_recorded_afterwards_has_one_entry_over_its_scope_set() {
    let world = World::new();
    world.engine.put_customer(&customer(json!({ "budgets": [budget("bc", 100, 60)] })), at(0));
    let limits = json!({ "customer_id": "customer", "rate_limit": rate_limit("rt", Some(900), Some(9)) });
    world.engine.put_team(&team(limits), at(0));
    let members = json!({ "team_id": "team", "budgets": [budget("b1", 100, 60), budget("b2", 200, 120)] });
    world.engine.put_virtual_key(hashes(HASH), &key(members), at(0));
    assert_eq!(record(&world, 1, 30, at(1)).unwrap().nanos(), 30);

    let entries = world.ledger.entries.lock().unwrap();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    let postings: Vec<_> = entry.postings.iter().map(|p| (p.meter.limit.as_str(), p.held, p.amount)).collect();
    assert_eq!(postings, [("rt", 0, 0), ("rt", 30, 30), ("bc", 30, 30), ("b1", 30, 30), ("b2", 30, 30)]);
    assert_eq!((entry.cost.nanos(), entry.held.nanos()), (30, 30));
    assert_eq!((entry.outcome, entry.usage_source), (Outcome::Completed, UsageSource::Provider));
    assert_eq!((entry.attribution.request_id.as_str(), entry.attribution.attempt), ("batch", 1));
}

/// I4: also where it exceeds a cap, and in whichever window it becomes known.
#[test]
fn i4_debt_that_becomes_known_afterwards_is_in_counter_and_ledger_alike() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    let running = world.ask(50, at(1)).unwrap();
    assert_eq!(record(&world, 1, 130, at(2)).unwrap().nanos(), 130);
    assert_eq!(world.used("b", Metric::Cost), 130);
    assert!(world.ask(0, at(3)).is_err(), "there is debt");
    running.release();
    record(&world, 2, 20, at(61)).unwrap();
    assert_eq!(world.used("b", Metric::Cost), 20);
    assert_eq!(world.engine.count(&crate::world::meter("b", Metric::Cost)), world.folded("b", Metric::Cost));
    assert!(world.ask(80, at(62)).is_ok(), "nothing is held any more");
    assert_eq!(world.engine.open_attempts(), 0);
}

#[test]
fn a_key_owes_what_it_spent_also_when_it_may_ask_for_nothing_any_more() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    let members = json!({ "is_active": false, "allow_all_providers": false, "budgets": [budget("b", 100, 60)] });
    world.engine.put_virtual_key(hashes(HASH), &key(members), at(1));
    assert!(world.ask(1, at(2)).is_err());
    record(&world, 1, 30, at(2)).unwrap();
    assert_eq!(world.used("b", Metric::Cost), 30);
    world.engine.remove_virtual_key(&"vk".into());
    assert!(world.engine.debtor(&"vk".into()).is_none());
}

#[test]
fn nothing_is_recorded_while_the_books_cannot_be_kept() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    world.ledger.broken.store(true, Ordering::SeqCst);
    assert_eq!(record(&world, 1, 30, at(1)).unwrap_err().code(), ErrorCode::GovernanceUnavailable);
    assert_eq!(world.used("b", Metric::Cost), 0);
}

#[test]
fn what_is_about_no_model_is_permitted_by_its_provider_and_covered_by_limits_on_all_models() {
    let config = crate::world::config("p", json!({ "allowed_models": ["m"], "budgets": [budget("pc", 10, 60)] }));
    let limits =
        json!({ "allow_all_providers": false, "provider_configs": [config], "budgets": [budget("b", 10, 60)] });
    let world = World::with_key(limits);
    let principal = || world.engine.identify(&HASH, at(1)).unwrap();
    let permit = principal().permit_provider("p".into()).unwrap();
    let covering =
        world.engine.coverage(&permit).levels(at(1)).map(|level| level.limit.to_string()).collect::<Vec<_>>();
    assert_eq!(covering, ["b", "pc"]);
    assert_eq!(principal().permit_provider("q".into()).unwrap_err().code(), ErrorCode::ProviderBlocked);
}
