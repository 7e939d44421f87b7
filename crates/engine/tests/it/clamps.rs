//! Fitting: how much output a request gets whose whole does not fit, and when its input is counted.

use std::cell::Cell;

use keyward_core::error_code::ErrorCode;
use keyward_core::meter::Metric;
use keyward_core::price::Possible;
use keyward_core::refusal::Refusal;
use keyward_engine::{Admission, Demand, OutputDemand};
use serde_json::{Value, json};

use crate::world::{HASH, World, ask, at, budget, output, price, rate_limit, settled, with};

/// No output cap of the client's, and a place for one.
const OPEN: OutputDemand =
    OutputDemand { per_answer: 1_000, answers: 1, capped_by_client: false, can_clamp: true, least: 16 };

fn try_ask(world: &World, input: u64, output: OutputDemand) -> Result<Admission, Refusal> {
    ask(
        &world.engine,
        &HASH,
        ("p", "m"),
        Demand { input, counted_input: None, output, possible: Possible::default() },
        Some(price()),
        at(1),
    )
}

fn world_of(nanos: i64, members: Value) -> World {
    World::with_key(json!({ "budgets": [with(budget("b", nanos, 60), members)] }))
}

/// Asks with an input that can be counted as well. Says how often it was.
fn try_counting(
    world: &World,
    (cheap, counted): (u64, Option<u64>),
    output: OutputDemand,
) -> (Result<Admission, Refusal>, u32) {
    let times = Cell::new(0);
    let count = || {
        times.set(times.get() + 1);
        counted
    };
    let demand = Demand { input: cheap, counted_input: Some(&count), output, possible: Possible::default() };
    let asked = ask(&world.engine, &HASH, ("p", "m"), demand, Some(price()), at(1));
    (asked, times.get())
}

fn held(admission: &Admission) -> Vec<i64> {
    admission.coverage().levels(at(1)).map(|level| level.held).collect()
}

/// I1: what the tightest meter can pay is what is held on all of them, and all of it may be used.
#[test]
fn i1_an_open_request_gets_what_the_tightest_meter_can_pay() {
    let tokens = with(rate_limit("r", Some(90), None), json!({ "enforcement": "hard" }));
    let budgets = json!([budget("b", 100, 60), budget("wide", 5_000, 120)]);
    let world = World::with_key(json!({ "budgets": budgets, "rate_limit": tokens }));
    let admission = try_ask(&world, 20, OPEN).unwrap();
    assert_eq!(admission.output_cap(), Some(70));
    assert_eq!(held(&admission), [90, 90, 90]);
    let used = keyward_core::price::TokenUsage { input: 20, ..output(70) };
    admission.settle(settled(Some(used), at(2)));
    assert_eq!((world.used("r", Metric::Tokens), world.used("b", Metric::Cost)), (90, 90));
}

#[test]
fn a_request_that_fits_gets_no_cap() {
    let world = world_of(1_020, json!({}));
    assert_eq!(try_ask(&world, 20, OPEN).unwrap().output_cap(), None);
}

#[test]
fn each_of_several_answers_gets_the_same_share() {
    let world = world_of(100, json!({}));
    let three = OutputDemand { answers: 3, ..OPEN };
    let admission = try_ask(&world, 20, three).unwrap();
    assert_eq!((admission.output_cap(), held(&admission)), (Some(26), vec![98]));
}

/// I6: what would be of no use is refused, and leaves nothing held.
#[test]
fn i6_less_than_is_of_use_is_refused_as_it_was_asked_for() {
    let world = world_of(100, json!({}));
    let Err(Refusal::Limit(refusal)) = try_ask(&world, 85, OPEN) else { panic!("not refused by a limit") };
    assert_eq!((refusal.requested.to_string(), refusal.held.to_string()), ("0.000001085".into(), "0".into()));
    assert_eq!(try_ask(&world, 84, OPEN).unwrap().output_cap(), Some(16));
}

#[test]
fn a_limit_says_whether_output_is_capped() {
    let rules = [
        (json!({}), [true, false]),
        (json!({ "output_clamp": "when_absent" }), [true, false]),
        (json!({ "output_clamp": "always" }), [true, true]),
        (json!({ "output_clamp": "never" }), [false, false]),
    ];
    for (rule, fits) in rules {
        let admitted = [false, true].map(|capped_by_client| {
            let asked = try_ask(&world_of(100, rule.clone()), 20, OutputDemand { capped_by_client, ..OPEN });
            asked.is_ok_and(|admission| admission.output_cap() == Some(80))
        });
        assert_eq!(admitted, fits, "{rule}");
    }
}

#[test]
fn one_limit_that_never_caps_refuses_for_all() {
    let never = with(budget("b", 100, 60), json!({ "output_clamp": "never" }));
    let world = World::with_key(json!({ "budgets": [never, budget("capping", 90, 120)] }));
    assert_eq!(try_ask(&world, 20, OPEN).unwrap_err().code(), ErrorCode::BudgetExceeded);
}

#[test]
fn without_a_place_for_a_cap_there_is_none() {
    let world = world_of(100, json!({ "output_clamp": "always" }));
    assert!(try_ask(&world, 20, OutputDemand { can_clamp: false, ..OPEN }).is_err());
}

#[test]
fn fewer_tokens_make_no_room_for_another_request() {
    let world = World::with_key(json!({ "rate_limit": rate_limit("r", None, Some(1)) }));
    let first = try_ask(&world, 1, OPEN).unwrap();
    assert_eq!((first.output_cap(), try_ask(&world, 1, OPEN).unwrap_err().code()), (None, ErrorCode::RequestLimited));
}

#[test]
fn the_input_is_counted_when_its_bound_does_not_fit_and_only_then() {
    let capped = OutputDemand { per_answer: 10, capped_by_client: true, ..OPEN };
    let world = world_of(100, json!({}));
    let (fits, times) = try_counting(&world, (90, Some(1)), capped);
    assert_eq!((held(&fits.unwrap()), times), (vec![100], 0));
    let world = world_of(100, json!({}));
    let (fits, times) = try_counting(&world, (91, Some(40)), capped);
    assert_eq!((held(&fits.unwrap()), times), (vec![50], 1));
    let world = world_of(100, json!({}));
    let (refused, times) = try_counting(&world, (200, Some(91)), capped);
    assert_eq!((refused.unwrap_err().code(), times), (ErrorCode::BudgetExceeded, 1));
}

#[test]
fn output_is_capped_only_after_the_input_was_counted() {
    let world = world_of(100, json!({}));
    let sixty = OutputDemand { per_answer: 60, ..OPEN };
    let (admission, _) = try_counting(&world, (60, Some(40)), sixty);
    assert_eq!(admission.unwrap().output_cap(), None, "counted, all of it fits");
    let world = world_of(100, json!({}));
    let (admission, _) = try_counting(&world, (60, Some(50)), sixty);
    assert_eq!(admission.unwrap().output_cap(), Some(50));
}

#[test]
fn a_count_that_is_no_closer_changes_nothing() {
    for counted in [None, Some(90)] {
        let (admission, times) = try_counting(&world_of(100, json!({})), (60, counted), OPEN);
        assert_eq!((admission.unwrap().output_cap(), times), (Some(40), 1), "{counted:?}");
    }
}

#[test]
fn nothing_is_counted_for_a_limit_that_it_cannot_help() {
    let world = World::with_key(json!({ "rate_limit": rate_limit("r", None, Some(1)) }));
    let _running = try_ask(&world, 1, OPEN).unwrap();
    let (refused, times) = try_counting(&world, (60, Some(1)), OPEN);
    assert_eq!((refused.unwrap_err().code(), times), (ErrorCode::RequestLimited, 0));
}

/// While one request's input is counted, others are admitted on the same meters; and what they took is not given twice.
#[test]
fn i1_counting_keeps_no_meter_locked() {
    let world = world_of(100, json!({}));
    let other = Cell::new(None);
    let count = || {
        other.set(Some(world.ask(70, at(1)).unwrap()));
        Some(10)
    };
    let demand = Demand { input: 200, counted_input: Some(&count), output: OPEN, possible: Possible::default() };
    let admission = ask(&world.engine, &HASH, ("p", "m"), demand, Some(price()), at(1)).unwrap();
    assert_eq!((admission.output_cap(), held(&admission)), (Some(20), vec![100]));
}
