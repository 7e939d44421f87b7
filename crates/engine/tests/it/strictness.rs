//! Strictness: what limits do that are not hard.

use keyward_core::error_code::ErrorCode;
use keyward_core::meter::Metric;
use keyward_core::price::Possible;
use keyward_engine::{Demand, OutputDemand};
use serde_json::json;

use crate::world::{HASH, World, ask, at, budget, output, price, rate_limit, settled, with};

/// For each entry: what would have been refused on each of its meters.
fn would_refuse(world: &World) -> Vec<Vec<bool>> {
    let entries = world.ledger.entries.lock().unwrap();
    entries.iter().map(|entry| entry.postings.iter().map(|posting| posting.would_refuse).collect()).collect()
}

#[test]
fn a_shadow_limit_refuses_nothing_and_counts_what_it_would_have() {
    let shadow = with(budget("b", 100, 60), json!({ "enforcement": "shadow" }));
    let world = World::with_key(json!({ "budgets": [shadow, budget("hard", 250, 120)] }));
    let fits = world.ask(60, at(1)).unwrap();
    let too_much = world.ask(60, at(1)).unwrap();
    fits.settle(settled(Some(output(10)), at(2)));
    too_much.settle(settled(Some(output(60)), at(2)));
    world.ask(30, at(3)).unwrap().settle(settled(Some(output(60)), at(3)));
    world.ask(1, at(3)).unwrap().settle(settled(Some(output(1)), at(3)));
    assert_eq!(would_refuse(&world), [[false, false], [true, false], [false, false], [true, false]]);
    assert_eq!(world.used("b", Metric::Cost), 131);
    assert_eq!(world.ask(120, at(3)).unwrap_err().code(), ErrorCode::BudgetExceeded, "the hard one holds");
}

#[test]
fn a_shadow_limit_neither_caps_output_nor_has_input_counted() {
    let shadow = with(budget("b", 100, 60), json!({ "enforcement": "shadow", "output_clamp": "always" }));
    let world = World::with_key(json!({ "budgets": [shadow] }));
    let count = || panic!("counted for a limit that only watches");
    let output = OutputDemand { per_answer: 900, answers: 1, capped_by_client: false, can_clamp: true, least: 1 };
    let demand = Demand { input: 900, counted_input: Some(&count), output, possible: Possible::default() };
    let admission = ask(&world.engine, &HASH, ("p", "m"), demand, Some(price()), at(1)).unwrap();
    assert_eq!(admission.output_cap(), None);
}

#[test]
fn nothing_is_counted_where_nothing_would_help() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    world.ask(100, at(1)).unwrap().settle(settled(Some(output(100)), at(1)));
    let count = || panic!("counted for a budget that is used up");
    let output = OutputDemand { per_answer: 10, answers: 1, capped_by_client: true, can_clamp: false, least: 1 };
    let demand = Demand { input: 900, counted_input: Some(&count), output, possible: Possible::default() };
    let refused = ask(&world.engine, &HASH, ("p", "m"), demand, Some(price()), at(1)).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::BudgetExceeded);
}

#[test]
fn a_soft_limit_admits_while_something_is_left_whatever_is_held() {
    let soft = with(budget("b", 100, 60), json!({ "enforcement": "soft" }));
    let world = World::with_key(json!({ "budgets": [soft] }));
    let running: Vec<_> = (0..5).map(|_| world.ask(1_000, at(1)).unwrap()).collect();
    for (admission, tokens) in running.into_iter().zip([99, 0, 0, 0, 1]) {
        assert!(world.ask(1, at(1)).is_ok_and(|admission| {
            admission.release();
            true
        }));
        admission.settle(settled(Some(output(tokens)), at(1)));
    }
    assert_eq!(world.ask(0, at(1)).unwrap_err().code(), ErrorCode::BudgetExceeded);
    assert_eq!(world.used("b", Metric::Cost), 100);
    assert!(would_refuse(&world).concat().iter().all(|refused| !refused));
}

#[test]
fn a_soft_request_limit_lets_through_what_runs_at_once() {
    let soft = with(rate_limit("r", None, Some(1)), json!({ "enforcement": "soft" }));
    let world = World::with_key(json!({ "rate_limit": soft }));
    let (first, second) = (world.ask(1, at(1)).unwrap(), world.ask(1, at(1)).unwrap());
    first.settle(settled(Some(output(1)), at(1)));
    assert_eq!(world.ask(1, at(1)).unwrap_err().code(), ErrorCode::RequestLimited);
    second.settle(settled(Some(output(1)), at(1)));
    assert_eq!(world.used("r", Metric::Requests), 2);
}

/// I8: what was used while a limit was lax counts when it is strict.
#[test]
fn i8_a_limit_that_becomes_hard_continues_where_it_was() {
    let world = World::new();
    let put = |enforcement: &str| {
        let limit = with(budget("b", 100, 60), json!({ "enforcement": enforcement }));
        world.engine.put_virtual_key(
            crate::world::hashes(HASH),
            &crate::world::key(json!({ "budgets": [limit] })),
            at(0),
        );
    };
    put("shadow");
    let running = world.ask(50, at(1)).unwrap();
    world.ask(40, at(1)).unwrap().settle(settled(Some(output(40)), at(1)));
    put("hard");
    assert!(world.ask(11, at(1)).is_err());
    assert!(world.ask(10, at(1)).is_ok_and(|admission| {
        admission.release();
        true
    }));
    running.release();
    put("soft");
    assert!(world.ask(1_000, at(1)).is_ok());
}
