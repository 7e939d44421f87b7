//! Slots: how many of a virtual key's requests run at the same time.

use keyward_core::error_code::ErrorCode;
use keyward_core::meter::Metric;
use keyward_core::refusal::Refusal;
use keyward_core::secret::KeyHash;
use keyward_engine::Admission;
use serde_json::json;

use crate::world::{HASH, World, at, budget, hashes, key, output, price, settled};

fn slots(count: u32) -> World {
    World::with_key(json!({ "max_parallel_requests": count }))
}

fn edit(world: &World, slots: Option<u32>) {
    let members = slots.map_or(json!({}), |slots| json!({ "max_parallel_requests": slots }));
    world.engine.put_virtual_key(hashes(HASH), &key(members), at(2));
}

fn refused(asked: Result<Admission, Refusal>) -> bool {
    asked.is_err_and(|refusal| {
        assert_eq!(refusal.code(), ErrorCode::ConcurrencyLimited);
        true
    })
}

/// I1 and I6: the one that is too many is told what stands against it, and takes nothing.
#[test]
fn i1_i6_one_more_than_there_are_slots_is_refused() {
    let world = World::with_key(json!({ "max_parallel_requests": 2, "budgets": [budget("b", 100, 60)] }));
    let running = [world.ask(10, at(1)).unwrap(), world.ask(10, at(1)).unwrap()];
    let Err(Refusal::Limit(refusal)) = world.ask(10, at(1)) else { panic!("not refused by a limit") };
    assert_eq!((refusal.metric.as_str(), refusal.limit.as_str()), ("parallel_requests", "vk"));
    let quantities = [refusal.limit_value, refusal.used, refusal.held, refusal.requested];
    assert_eq!(quantities.map(|quantity| quantity.to_string()), ["2", "0", "2", "1"]);
    assert_eq!(refusal.resets_at, None);
    let levels = running[0].coverage().levels(at(1)).map(|level| level.held).collect::<Vec<_>>();
    assert_eq!(levels, [2, 20]);
}

#[test]
fn every_end_of_an_attempt_frees_its_slot_once() {
    let world = slots(1);
    let ends: [fn(&World, Admission); 5] = [
        |_, admission| admission.release(),
        |_, admission| _ = admission.settle(settled(Some(output(1)), at(2))),
        |_, admission| _ = admission.settle(settled(None, at(2))),
        |_, admission| drop(admission),
        |world, admission| {
            assert_eq!((world.engine.expire(0, at(2)), world.engine.open_attempts()), (1, 0));
            assert_eq!(admission.settle(settled(Some(output(1)), at(3))), None, "it had ended");
        },
    ];
    for end in ends {
        let admission = world.ask(1, at(1)).unwrap();
        assert!(refused(world.ask(1, at(1))));
        end(&world, admission);
        let next = world.ask(1, at(1)).unwrap();
        assert!(refused(world.ask(1, at(1))), "it was freed twice");
        next.release();
    }
    let entries = world.ledger.entries.lock().unwrap();
    assert_eq!(entries.len(), 4);
    for posting in entries.iter().flat_map(|entry| &entry.postings) {
        assert_eq!((posting.meter.metric, posting.held, posting.amount), (Metric::ParallelRequests, 1, 0));
    }
}

#[test]
fn an_attempt_that_shows_signs_of_life_keeps_its_slot() {
    let world = slots(1);
    let admission = world.ask(1, at(1)).unwrap();
    let pulse = admission.pulse();
    for _ in 0..5 {
        assert_eq!(world.engine.expire(1, at(1)), 0);
        pulse.beat();
    }
    assert!(refused(world.ask(1, at(1))));
    assert_eq!((world.engine.expire(1, at(1)), world.engine.expire(1, at(1))), (0, 1));
    pulse.beat();
    assert!(world.ask(1, at(1)).is_ok());
    drop(admission);
    assert_eq!(world.ledger.entries.lock().unwrap().len(), 2, "one entry for each attempt");
}

/// I8: an edit takes no slot from whoever has it, and gives none that is taken.
#[test]
fn i8_an_edit_of_the_cap_keeps_the_slots_that_are_taken() {
    let world = slots(2);
    let mut running = vec![world.ask(1, at(1)).unwrap(), world.ask(1, at(1)).unwrap()];
    edit(&world, Some(3));
    running.push(world.ask(1, at(3)).unwrap());
    assert!(refused(world.ask(1, at(3))));
    edit(&world, Some(1));
    for admission in running {
        assert!(refused(world.ask(1, at(3))), "there is room only when all have ended");
        admission.release();
    }
    assert!(world.ask(1, at(3)).is_ok());
}

/// I8.
#[test]
fn i8_slots_stay_taken_while_there_is_no_cap_and_when_the_secret_changes() {
    let world = slots(1);
    let running = world.ask(1, at(1)).unwrap();
    edit(&world, None);
    let uncounted = world.ask(1, at(1)).unwrap();
    edit(&world, Some(1));
    assert!(refused(world.ask(1, at(3))));
    uncounted.release();
    assert!(refused(world.ask(1, at(3))), "one that had no slot gave one back");
    let rotated = KeyHash([9; 32]);
    world.engine.put_virtual_key(hashes(rotated), &key(json!({ "max_parallel_requests": 1 })), at(4));
    let ask = || world.ask_for(&rotated, ("p", "m"), 1, Some(price()), at(5));
    assert!(refused(ask()));
    running.release();
    assert!(ask().is_ok());
}

#[test]
fn no_clock_frees_a_slot() {
    let world = slots(1);
    let _running = world.ask(1, at(1_000_000)).unwrap();
    assert!([-5, 0, 1, 4_000_000_000].iter().all(|second| refused(world.ask(1, at(*second)))));
}
