//! The core of admission under a schedule checker: whichever thread goes on at each lock and atomic, caps hold, every attempt has one
//! end, and nobody waits for ever. The checker takes every atomic for sequentially consistent: it tries orders, not memory models.
//!
//! `cargo nextest run -p keyward-engine --features model-check --test schedules`

#![cfg(test)]
#![allow(unreachable_pub, dead_code, reason = "the modules of a test binary are its own, and shared with another one")]

use std::sync::Arc;
use std::time::Duration;

use keyward_core::ledger::Outcome;
use keyward_core::meter::Metric;
use keyward_core::refusal::Refusal;
use keyward_core::secret::KeyHash;
use keyward_core::virtual_key::VirtualKeyHashes;
use keyward_engine::Admission;
use serde_json::{Value, json};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::thread::{self, JoinHandle};
use shuttle::{Config, Runner};

#[path = "it/torture.rs"]
mod torture;
#[path = "it/world.rs"]
mod world;

use world::{HASH, World, at, budget, config, customer, hashes, key, model_config, output, price, settled, team};

const SCHEDULES: usize = 1_000;
const OTHER: KeyHash = KeyHash([8; 32]);

/// Tries a scenario under many schedules: random ones, and those that a few changes of priority make.
fn check(scenario: fn()) {
    let (seed, minutes) = (torture::seed(), torture::minutes());
    let schedules = minutes.map_or(SCHEDULES, |_| usize::MAX);
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        let mut config = Config::new();
        config.stack_size = 1 << 20;
        config.max_time = minutes.map(|minutes| Duration::from_secs(minutes * 60));
        let tried = Runner::new(scheduler, config).run(scenario);
        assert!(minutes.is_some() || tried == SCHEDULES, "{tried} schedules");
    };
    run(Box::new(RandomScheduler::new_from_seed(seed, schedules)));
    run(Box::new(PctScheduler::new_from_seed(seed, 3, schedules)));
}

fn together<const N: usize>(threads: [JoinHandle<()>; N]) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn shared(members: Value) -> Arc<World> {
    Arc::new(World::with_key(members))
}

fn ask(world: &World, hash: &KeyHash, place: (&str, &str), bound: u64) -> Result<Admission, Refusal> {
    world.ask_for(hash, place, bound, Some(price()), at(1))
}

/// What the entries say was used on a meter.
fn posted(world: &World, limit: &str) -> i64 {
    let entries = world.ledger.entries.lock().unwrap();
    let postings = entries.iter().flat_map(|entry| &entry.postings);
    postings.filter(|posting| posting.meter == world::meter(limit, Metric::Cost)).map(|posting| posting.amount).sum()
}

fn assert_nothing_is_held(world: &World, hash: &KeyHash, place: (&str, &str)) {
    assert_eq!(world.engine.open_attempts(), 0);
    world.explain(hash, place, at(1)).iter().for_each(|level| assert_eq!(level.held, 0, "{level:?}"));
}

/// I1: two keys share a customer's budget that pays for one call, and are below teams that were made known in the other order.
#[test]
fn i1_schedules_overlapping_plans_neither_deadlock_nor_pass_a_cap() {
    check(|| {
        let world = Arc::new(World::new());
        let below =
            |id: &str, key_budget: i64| json!({ "id": id, "team_id": id, "budgets": [budget(id, key_budget, 60)] });
        for (hash, id) in [(HASH, "v1"), (OTHER, "v2")] {
            world.engine.put_virtual_key(hashes(hash), &key(below(id, 500)), at(0));
        }
        for id in ["v2", "v1"] {
            let members =
                json!({ "id": id, "customer_id": "customer", "budgets": [budget(&format!("t-{id}"), 400, 60)] });
            world.engine.put_team(&team(members), at(0));
        }
        world.engine.put_customer(&customer(json!({ "budgets": [budget("shared", 150, 60)] })), at(0));
        world.engine.put_model_config(&model_config("mc", json!({ "budgets": [budget("all", 210, 60)] })), at(0));
        let attempt = |hash: KeyHash, end: fn(Admission)| {
            let world = world.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    if let Ok(admission) = ask(&world, &hash, ("p", "m"), 100) {
                        let levels = admission.coverage().levels(at(1));
                        levels.for_each(|level| assert!(level.used + level.held <= level.cap, "{level:?}"));
                        end(admission);
                    }
                }
            })
        };
        together([
            attempt(HASH, |admission| _ = admission.settle(settled(Some(output(60)), at(1)))),
            attempt(OTHER, drop),
            attempt(OTHER, Admission::release),
        ]);
        assert_nothing_is_held(&world, &HASH, ("p", "m"));
        assert!(world.used("shared", Metric::Cost) <= 150);
        for limit in ["shared", "all", "v1", "v2", "t-v1", "t-v2"] {
            assert_eq!(world.used(limit, Metric::Cost), posted(&world, limit), "{limit}");
        }
    });
}

/// I2: whoever comes first ends it, and the other finds that it has ended.
#[test]
fn i2_schedules_an_attempt_is_settled_or_lapses_and_never_both() {
    check(|| {
        let world = shared(json!({ "budgets": [budget("b", 100, 60)], "max_parallel_requests": 1 }));
        let admission = ask(&world, &HASH, ("p", "m"), 50).unwrap();
        let (pulse, of_settler, of_engine) = (admission.pulse(), world.clone(), world.clone());
        let settler = thread::spawn(move || {
            let cost = admission.settle(settled(Some(output(20)), at(1)));
            assert!(of_settler.engine.open_attempts() == 0);
            cost
        });
        let expiry = thread::spawn(move || of_engine.engine.expire(0, at(1)));
        let beat = thread::spawn(move || pulse.beat());
        let (cost, lapsed) = (settler.join().unwrap(), expiry.join().unwrap());
        beat.join().unwrap();
        assert_eq!((cost.is_some(), lapsed), (lapsed == 0, usize::from(cost.is_none())));
        let outcome = if cost.is_some() { Outcome::Completed } else { Outcome::Abandoned };
        let outcomes: Vec<_> = world.ledger.entries.lock().unwrap().iter().map(|entry| entry.outcome).collect();
        assert_eq!(outcomes, [outcome]);
        assert_eq!(world.used("b", Metric::Cost), if cost.is_some() { 20 } else { 50 });
        assert_nothing_is_held(&world, &HASH, ("p", "m"));
    });
}

/// I2: the same with a release; another attempt may take the place that became free, and is not mistaken for the first.
#[test]
fn i2_schedules_a_release_and_a_lapse_end_one_attempt_once() {
    check(|| {
        let world = shared(json!({ "budgets": [budget("b", 100, 60)] }));
        let first = ask(&world, &HASH, ("p", "m"), 30).unwrap();
        // Running attempts are kept in sixteen shards, in turn: the next one comes where the first is.
        (0..15).for_each(|_| ask(&world, &HASH, ("p", "m"), 1).unwrap().release());
        let (of_engine, of_second) = (world.clone(), world.clone());
        let release = thread::spawn(move || first.release());
        let expiry = thread::spawn(move || of_engine.engine.expire(0, at(1)));
        let second = thread::spawn(move || {
            let second = ask(&of_second, &HASH, ("p", "m"), 40).unwrap();
            second.settle(settled(Some(output(40)), at(1))).is_some()
        });
        release.join().unwrap();
        let (lapsed, is_settled) = (expiry.join().unwrap(), second.join().unwrap());
        let entries = world.ledger.entries.lock().unwrap().len();
        assert!(lapsed + usize::from(is_settled) == entries && (1..=2).contains(&entries));
        assert_eq!(world.used("b", Metric::Cost), posted(&world, "b"));
        assert!([40, 70].contains(&posted(&world, "b")), "the second is charged once, however it ended");
        assert_nothing_is_held(&world, &HASH, ("p", "m"));
    });
}

/// I1 and I8: an edit of the cap and the window while attempts are admitted loses no hold and no usage, and gives nothing twice.
#[test]
fn i1_i8_schedules_an_edit_of_a_budget_loses_and_refills_nothing() {
    check(|| {
        let world = shared(json!({ "budgets": [budget("b", 100, 60)] }));
        let attempt = |bound: u64, used: u64| {
            let world = world.clone();
            thread::spawn(move || {
                if let Ok(admission) = ask(&world, &HASH, ("p", "m"), bound) {
                    admission.settle(settled(Some(output(used)), at(1)));
                }
            })
        };
        let edited = world.clone();
        let edit = thread::spawn(move || {
            for (cap, seconds) in [(120, 3_600), (90, 60)] {
                let edit = key(json!({ "budgets": [budget("b", cap, seconds)] }));
                edited.engine.put_virtual_key(hashes(HASH), &edit, at(1));
            }
        });
        together([attempt(70, 70), attempt(60, 50), edit]);
        let used = world.used("b", Metric::Cost);
        assert!([70, 50, 120].contains(&used), "{used}");
        assert_eq!(used, posted(&world, "b"));
        assert_nothing_is_held(&world, &HASH, ("p", "m"));
        assert_eq!(ask(&world, &HASH, ("p", "m"), 40).is_ok(), used + 40 <= 90);
    });
}

/// I3: a team moves between customers, one of which is deleted: each attempt is held and posted where it was checked, and nowhere else.
#[test]
fn i3_schedules_a_move_between_owners_splits_no_attempt() {
    check(|| {
        let world = shared(json!({ "team_id": "team" }));
        for (id, limit) in [("c1", "b1"), ("c2", "b2")] {
            world.engine.put_customer(&customer(json!({ "id": id, "budgets": [budget(limit, 100, 60)] })), at(0));
        }
        world.engine.put_team(&team(json!({ "customer_id": "c1" })), at(0));
        let attempt = || {
            let world = world.clone();
            thread::spawn(move || {
                let admission = ask(&world, &HASH, ("p", "m"), 30).unwrap();
                admission.settle(settled(Some(output(30)), at(1)));
            })
        };
        let edited = world.clone();
        let edit = thread::spawn(move || {
            edited.engine.put_team(&team(json!({ "customer_id": "c2" })), at(1));
            edited.engine.remove_customer(&"c1".into());
        });
        together([attempt(), attempt(), edit]);
        for entry in world.ledger.entries.lock().unwrap().iter() {
            let limits: Vec<_> = entry.postings.iter().map(|posting| posting.meter.limit.as_str()).collect();
            let customer = entry.attribution.customer_id.as_ref().map(|id| id.as_str());
            let is_whole =
                [(Some("c1"), vec!["b1"]), (Some("c2"), vec!["b2"]), (None, vec![])].contains(&(customer, limits));
            assert!(is_whole, "{entry:?}");
        }
        assert_eq!(world.used("b2", Metric::Cost), posted(&world, "b2"));
        assert_eq!(world.used("b1", Metric::Cost), 0, "it is gone");
        assert_nothing_is_held(&world, &HASH, ("p", "m"));
    });
}

/// A model config that moves, and a secret that is rotated: every request is covered, once, and known.
#[test]
fn i3_schedules_a_model_config_that_moves_covers_every_request_once() {
    check(|| {
        let world = shared(json!({ "provider_configs": [config("p", json!({}))] }));
        let put = |world: &World, members: Value| {
            let mut members = members;
            members["budgets"] = json!([budget("b", 100, 60)]);
            world.engine.put_model_config(&model_config("mc", members), at(1));
        };
        put(&world, json!({ "model_name": "m" }));
        let attempt = || {
            let world = world.clone();
            thread::spawn(move || {
                let admission = ask(&world, &HASH, ("p", "m"), 30).unwrap();
                assert_eq!(admission.coverage().levels(at(1)).count(), 1);
                admission.settle(settled(Some(output(30)), at(1)));
            })
        };
        let edited = world.clone();
        let edit = thread::spawn(move || {
            put(&edited, json!({ "provider": "p" }));
            let rotated = VirtualKeyHashes { current: OTHER, previous: Some((HASH, at(60))) };
            edited.engine.put_virtual_key(rotated, &key(json!({})), at(1));
        });
        together([attempt(), attempt(), edit]);
        assert_eq!((world.used("b", Metric::Cost), posted(&world, "b")), (60, 60));
        assert_nothing_is_held(&world, &OTHER, ("p", "m"));
    });
}
