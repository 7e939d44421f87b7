//! Books: every admitted attempt ends in one entry, whatever becomes of it.

use std::sync::atomic::Ordering;

use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::{Outcome, UsageSource};
use keyward_core::meter::Metric;
use serde_json::json;

use crate::world::{HASH, World, at, budget, customer, hashes, key, output, rate_limit, settled, team};

/// I2 and I3: one entry, whose postings are the meters that were checked and held.
#[test]
fn i2_i3_an_admitted_attempt_has_one_entry_over_its_scope_set() {
    let world = World::new();
    world.engine.put_customer(&customer(json!({ "budgets": [budget("bc", 100, 60)] })), at(0));
    world.engine.put_team(
        &team(json!({ "customer_id": "customer", "rate_limit": rate_limit("rt", Some(900), Some(9)) })),
        at(0),
    );
    let members = json!({ "team_id": "team", "budgets": [budget("b1", 100, 60), budget("b2", 200, 120)] });
    world.engine.put_virtual_key(hashes(HASH), &key(members), at(0));
    world.ask(50, at(1)).unwrap().settle(settled(Some(output(30)), at(3)));
    world.ask(50, at(1)).unwrap().release();

    let entries = world.ledger.entries.lock().unwrap();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    let postings: Vec<_> = entry.postings.iter().map(|p| (p.meter.limit.as_str(), p.held, p.amount)).collect();
    assert_eq!(postings, [("rt", 1, 1), ("rt", 50, 30), ("bc", 50, 30), ("b1", 50, 30), ("b2", 50, 30)]);
    assert_eq!(
        (entry.cost.nanos(), entry.outcome, entry.usage_source),
        (30, Outcome::Completed, UsageSource::Provider)
    );
    assert_eq!(entry.attribution.customer_id.as_ref().map(|id| id.as_str()), Some("customer"));
    assert_eq!((entry.admitted_at, entry.settled_at), (at(1), at(3)));
}

#[test]
fn without_usage_the_hold_is_charged() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    world.ask(50, at(1)).unwrap().settle(settled(None, at(2)));
    assert_eq!(world.used("b", Metric::Cost), 50);
    assert_eq!(world.ledger.entries.lock().unwrap()[0].usage_source, UsageSource::Estimated);
}

#[test]
fn an_attempt_whose_task_died_is_abandoned_at_its_hold() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    drop(world.ask(50, at(1)).unwrap());
    assert_eq!(world.used("b", Metric::Cost), 50);
    assert_eq!(world.ledger.entries.lock().unwrap()[0].outcome, Outcome::Abandoned);
}

#[test]
fn an_overrun_is_carried_as_debt() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    world.ask(50, at(1)).unwrap().settle(settled(Some(output(130)), at(2)));
    assert_eq!(world.used("b", Metric::Cost), 130);
    assert!(world.ask(0, at(3)).is_err());
}

#[test]
fn nothing_is_admitted_while_the_books_cannot_be_kept() {
    let world = World::with_key(json!({}));
    world.ledger.broken.store(true, Ordering::SeqCst);
    assert_eq!(world.ask(1, at(1)).unwrap_err().code(), ErrorCode::GovernanceUnavailable);
    world.ledger.broken.store(false, Ordering::SeqCst);
    assert!(world.ask(1, at(1)).is_ok());
}
