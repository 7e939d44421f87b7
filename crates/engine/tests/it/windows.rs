//! Windows turning, edits, and clocks that step, while attempts run.

use keyward_core::meter::Metric;
use serde_json::json;

use crate::world::{HASH, World, at, budget, hashes, key, output, settled};

#[test]
fn a_new_window_is_empty_and_an_old_attempt_does_not_fill_it() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    let late = world.ask(100, at(59)).unwrap();
    assert!(world.ask(1, at(59)).is_err());
    let fresh = world.ask(100, at(60)).unwrap();
    late.settle(settled(Some(output(100)), at(61)));
    fresh.settle(settled(Some(output(70)), at(61)));
    assert_eq!(world.used("b", Metric::Cost), 70);
    assert_eq!(world.folded("b", Metric::Cost), world.engine.count(&crate::world::meter("b", Metric::Cost)));
}

/// I4: a window that is over stays over, also when the one after it is edited so that it spans both.
#[test]
fn i4_an_old_attempt_counts_nowhere_when_the_next_window_is_widened_over_its_own() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    let late = world.ask(80, at(110)).unwrap();
    world.ask(30, at(130)).unwrap().settle(settled(Some(output(30)), at(130)));
    world.engine.put_virtual_key(hashes(HASH), &key(json!({ "budgets": [budget("b", 100, 86_400)] })), at(131));
    late.settle(settled(Some(output(80)), at(132)));
    let count = world.engine.count(&crate::world::meter("b", Metric::Cost)).unwrap();
    let posted = world.ledger.entries.lock().unwrap()[1].postings[0].window;
    assert_eq!((count.used, count.posted(posted, 80).used), (30, 30));
}

#[test]
fn a_clock_that_steps_back_does_not_refill() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    world.ask(100, at(60)).unwrap().settle(settled(Some(output(100)), at(61)));
    assert!(world.ask(1, at(59)).is_err());
    assert!(world.ask(1, at(0)).is_err());
}

/// I8: an edit of cap or duration leaves usage and holds alone.
#[test]
fn i8_edits_neither_lose_usage_nor_refill() {
    let world = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    let edit = |nanos, seconds, now| {
        let edited = key(json!({ "budgets": [budget("b", nanos, seconds)] }));
        world.engine.put_virtual_key(hashes(HASH), &edited, at(now));
    };
    let running = world.ask(40, at(70)).unwrap();
    world.ask(60, at(70)).unwrap().settle(settled(Some(output(60)), at(71)));
    edit(100, 3_600, 72);
    assert!(world.ask(1, at(73)).is_err(), "a longer window refilled the budget");
    running.settle(settled(Some(output(40)), at(74)));
    assert_eq!(world.used("b", Metric::Cost), 100);
    edit(110, 60, 75);
    assert!(world.ask(11, at(76)).is_err(), "a shorter window refilled the budget");
    assert!(world.ask(10, at(76)).is_ok());
    assert_eq!(world.folded("b", Metric::Cost).map(|count| count.used), Some(110));
    assert!(world.ask(110, at(120)).is_ok(), "the next window is the new policy's");
}

#[test]
fn counters_continue_where_they_were_written_down() {
    let before = World::with_key(json!({ "budgets": [budget("b", 100, 60)] }));
    before.ask(100, at(1)).unwrap().settle(settled(Some(output(90)), at(2)));
    let id = crate::world::meter("b", Metric::Cost);
    let after = World::new();
    after.engine.restore([(id.clone(), before.engine.count(&id).unwrap())]);
    after.engine.put_virtual_key(hashes(HASH), &key(json!({ "budgets": [budget("b", 100, 60)] })), at(3));
    assert!(after.ask(11, at(3)).is_err());
    assert!(after.ask(10, at(3)).is_ok());
}

/// I8: a cap that is cleared and set again continues where it was.
#[test]
fn i8_clearing_a_cap_and_setting_it_again_refills_nothing() {
    let world = World::with_key(json!({ "rate_limit": crate::world::rate_limit("r", None, Some(1)) }));
    let put = |requests| {
        let edited = key(json!({ "rate_limit": crate::world::rate_limit("r", None, requests) }));
        world.engine.put_virtual_key(hashes(HASH), &edited, at(2));
    };
    world.ask(1, at(1)).unwrap().settle(settled(Some(output(1)), at(1)));
    put(None);
    put(Some(1));
    assert!(world.ask(1, at(3)).is_err(), "the limit was refilled");
    world.engine.put_virtual_key(hashes(HASH), &key(json!({})), at(4));
    put(Some(1));
    assert!(world.ask(1, at(5)).is_ok(), "a limit that was removed is a new one");
}
