//! Caps: what hard and soft limits admit, and which limit a refusal names.

use std::sync::Barrier;

use keyward_core::error_code::ErrorCode;
use keyward_core::meter::Metric;
use keyward_core::refusal::Refusal;
use keyward_core::scope::ScopeKind;
use serde_json::json;

use crate::world::HASH;
use crate::world::{World, at, budget, config, customer, hashes, key, output, rate_limit, settled, team};

/// I1: many ask at once, and exactly as many are admitted as the budget can pay for.
#[test]
fn i1_a_storm_on_a_budget_that_pays_for_ten_admits_ten() {
    for round in 0..50 {
        let world = World::with_key(json!({ "budgets": [budget("b", 1_050, 60)] }));
        let start = Barrier::new(16);
        let admitted: usize = std::thread::scope(|scope| {
            let ask = || {
                start.wait();
                (0..4).filter_map(|_| world.ask(100, at(1)).ok()).collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
            let admissions: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            let count = admissions.len();
            for admission in admissions {
                admission.settle(settled(Some(output(100)), at(2)));
            }
            count
        });
        assert_eq!((admitted, world.used("b", Metric::Cost)), (10, 1_000), "round {round}");
    }
}

#[test]
fn what_was_held_and_not_used_is_free_again() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    let admission = world.ask(100, at(1)).unwrap();
    assert!(world.ask(1, at(1)).is_err());
    admission.settle(settled(Some(output(40)), at(2)));
    assert!(world.ask(61, at(2)).is_err());
    world.ask(60, at(2)).unwrap().release();
    assert_eq!(world.used("b", Metric::Cost), 40);
}

#[test]
fn a_request_limit_counts_attempts_and_is_hard() {
    let world = World::with_key(json!({ "rate_limit": rate_limit("r", None, Some(2)) }));
    let first = world.ask(1, at(1)).unwrap();
    let second = world.ask(1, at(1)).unwrap();
    let Err(refusal) = world.ask(1, at(1)) else { panic!("a third request was admitted") };
    assert_eq!(refusal.code(), ErrorCode::RequestLimited);
    first.release();
    second.settle(settled(Some(output(0)), at(1)));
    assert_eq!(world.used("r", Metric::Requests), 1);
    assert!(world.ask(1, at(1)).is_ok());
}

#[test]
fn a_token_limit_is_soft() {
    let world = World::with_key(json!({ "rate_limit": rate_limit("r", Some(10), None) }));
    world.ask(1_000, at(1)).unwrap().settle(settled(Some(output(9)), at(1)));
    world.ask(1_000, at(1)).unwrap().settle(settled(Some(output(500)), at(1)));
    assert_eq!(world.ask(1, at(1)).unwrap_err().code(), ErrorCode::TokenLimited);
    assert_eq!(world.used("r", Metric::Tokens), 509);
}

/// Rates before money, wider scopes before narrower ones; and I6: a refusal leaves every other meter as it was.
#[test]
fn i6_the_first_meter_in_order_is_named_and_nothing_changes() {
    let world = World::new();
    let full = |id: &str| json!({ "budgets": [budget(&format!("b-{id}"), 5, 60)] });
    world.engine.put_customer(&customer(full("customer")), at(0));
    let members = json!({ "customer_id": "customer", "budgets": [budget("b-team", 5, 60)] });
    world.engine.put_team(&team(members), at(0));
    let configured =
        config("p", json!({ "rate_limit": rate_limit("r", None, Some(1)), "budgets": [budget("b-config", 100, 60)] }));
    let members = json!({ "team_id": "team", "budgets": [budget("b-key", 5, 60)], "provider_configs": [configured] });
    world.engine.put_virtual_key(hashes(HASH), &key(members), at(0));

    let Err(Refusal::Limit(refusal)) = world.ask(50, at(1)) else { panic!("not refused by a limit") };
    assert_eq!((refusal.scope.kind, refusal.metric), (ScopeKind::Customer, Metric::Cost));
    assert_eq!(
        (refusal.limit_value.to_string(), refusal.requested.to_string()),
        ("0.000000005".into(), "0.00000005".into())
    );
    assert_eq!(refusal.resets_at, Some(at(60)));

    let held = world.ask(1, at(1)).unwrap();
    let Err(Refusal::Limit(refusal)) = world.ask(50, at(1)) else { panic!("not refused by a limit") };
    assert_eq!((refusal.scope.kind, refusal.metric), (ScopeKind::ProviderConfig, Metric::Requests));
    held.release();
    for limit in ["b-customer", "b-team", "b-key", "b-config"] {
        assert_eq!(world.used(limit, Metric::Cost), 0);
    }
    assert!(world.ask(5, at(1)).is_ok(), "a refused attempt had left something held");
}

#[test]
fn without_a_price_a_budget_refuses_and_no_budget_admits() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    assert_eq!(world.ask_priced(1, None, at(1)).unwrap_err().code(), ErrorCode::ModelPriceUnknown);
    let world = World::with_key(json!({ "rate_limit": rate_limit("r", None, Some(5)) }));
    assert!(world.ask_priced(1, None, at(1)).is_ok());
}
