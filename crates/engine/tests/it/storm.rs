//! Storms: a thousand ask at once for what few can have, over meters that they share in part.

use std::sync::Barrier;

use keyward_core::meter::Metric;
use keyward_core::price::{Possible, TokenUsage};
use keyward_core::secret::KeyHash;
use keyward_engine::{Admission, Demand, OutputDemand};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::torture;
use crate::world::{
    HASH, World, ask, at, budget, config, customer, hashes, key, model_config, output, price, rate_limit, settled,
    team, with,
};

const THREADS: u64 = 8;
const ASKS: usize = 125;
/// What one call holds, and what the budget is.
const CALL: u64 = 100;
const CAP: i64 = 1_050;

/// Every thread does the same with a random source of its own, all at once.
fn at_once<T: Send>(random: &mut StdRng, each: impl Fn(StdRng) -> T + Sync) -> Vec<T> {
    let (start, seed) = (Barrier::new(THREADS as usize), random.random::<u64>());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (each, start) = (&each, &start);
                scope.spawn(move || {
                    start.wait();
                    each(StdRng::seed_from_u64(seed.wrapping_add(thread)))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// I1, at the instant of reading: no meter that covers the attempt has more used and held than its cap.
fn assert_within_caps(admission: &Admission) {
    for level in admission.coverage().levels(at(1)) {
        assert!(level.used + level.held <= level.cap, "{level:?}");
    }
}

/// Ends an attempt in one of the ways that there are.
fn end(random: &mut StdRng, admission: Admission, bound: u64) {
    match random.random_range(0..5) {
        0 => admission.release(),
        1 => drop(admission),
        2 => _ = admission.settle(settled(None, at(1))),
        3 => _ = admission.settle(settled(Some(output(bound)), at(1))),
        _ => _ = admission.settle(settled(Some(output(random.random_range(0..=bound))), at(1))),
    }
}

/// Nothing is held any more, and what is used is what the entries say.
fn assert_books(world: &World, limits: &[(String, Metric)]) {
    assert_eq!(world.engine.open_attempts(), 0);
    for (limit, metric) in limits {
        let folded = world.folded(limit, *metric).map_or(0, |count| count.used);
        assert_eq!(world.used(limit, *metric), folded, "{limit}");
    }
}

/// I1: exactly ten of a thousand, when each uses all that it holds.
#[test]
fn i1_torture_a_storm_of_a_thousand_spends_ten_calls_and_not_one_more() {
    torture::rounds(50, |mut random| {
        let world = World::with_key(json!({ "budgets": [budget("b", CAP, 60)] }));
        let admitted = at_once(&mut random, |mut random| {
            let mut running = Vec::new();
            let mut admitted = 0;
            for _ in 0..ASKS {
                if let Ok(admission) = world.ask(CALL, at(1)) {
                    assert_within_caps(&admission);
                    running.push(admission);
                    admitted += 1;
                }
                if random.random_bool(0.3) {
                    running.pop().map(|admission: Admission| admission.settle(settled(Some(output(CALL)), at(1))));
                }
            }
            running.into_iter().for_each(|admission| _ = admission.settle(settled(Some(output(CALL)), at(1))));
            admitted
        });
        assert_eq!((admitted.iter().sum::<i64>(), world.used("b", Metric::Cost)), (10, 1_000));
        assert_books(&world, &[("b".into(), Metric::Cost)]);
    });
}

/// I1, I2 and I4: with every kind of end, in any order, the money of ten calls is all that is ever spent or held.
#[test]
fn i1_i2_i4_torture_whatever_becomes_of_the_calls_the_budget_holds() {
    torture::rounds(100, |mut random| {
        let limits = json!({ "budgets": [budget("b", CAP, 60)], "max_parallel_requests": 7 });
        let world = World::with_key(limits);
        at_once(&mut random, |mut random| {
            let mut running = Vec::new();
            for _ in 0..ASKS {
                if let Ok(admission) = world.ask(CALL, at(1)) {
                    assert_within_caps(&admission);
                    running.push(admission);
                }
                if !running.is_empty() && random.random_bool(0.4) {
                    let which = random.random_range(0..running.len());
                    end(&mut random, running.swap_remove(which), CALL);
                }
            }
            running.into_iter().for_each(|admission| end(&mut random, admission, CALL));
        });
        assert_books(&world, &[("b".into(), Metric::Cost)]);
        let (used, next) = (world.used("b", Metric::Cost), world.ask(CALL, at(1)));
        assert!(used <= CAP);
        assert_eq!(next.is_ok(), used + CALL as i64 <= CAP, "something was left held, or too much was given back");
    });
}

/// I1: a call that is given what is left never costs more than that, and what is left in the end would be of no use to anybody.
#[test]
fn i1_torture_capped_output_overspends_nothing_and_leaves_nothing_useful() {
    const INPUT: u64 = 5;
    torture::rounds(100, |mut random| {
        let cap = random.random_range(200..20_000);
        let world = World::with_key(json!({ "budgets": [budget("b", cap, 60)] }));
        let open = OutputDemand { per_answer: 4_000, answers: 1, capped_by_client: false, can_clamp: true, least: 16 };
        let demand = || Demand { input: INPUT, counted_input: None, output: open, possible: Possible::default() };
        let next = || ask(&world.engine, &HASH, ("p", "m"), demand(), Some(price()), at(1));
        at_once(&mut random, |mut random| {
            for _ in 0..ASKS {
                let Ok(admission) = next() else { continue };
                assert_within_caps(&admission);
                let granted = admission.output_cap().unwrap_or(open.per_answer);
                let used = random.random_range(0..=granted);
                admission.settle(settled(Some(TokenUsage { input: INPUT, ..output(used) }), at(1)));
            }
        });
        while let Ok(admission) = next() {
            admission.settle(settled(None, at(1)));
        }
        let used = world.used("b", Metric::Cost);
        assert!(used <= cap && cap - used < (INPUT + open.least) as i64, "{used} of {cap}");
        let settled: i64 = world.ledger.entries.lock().unwrap().iter().map(|entry| entry.cost.nanos()).sum();
        assert_eq!(settled, used);
        assert_books(&world, &[("b".into(), Metric::Cost)]);
    });
}

/// Makes something known to the engine.
type Edit = Box<dyn Fn(&World)>;

/// Three keys whose attempts share some of their meters, made known in a random order: so the order in which counters are locked has
/// nothing to do with the order of checking. Says what the limits are.
fn entangled(random: &mut StdRng) -> (World, Vec<(String, Metric)>) {
    let world = World::new();
    let mut limits = Vec::new();
    let mut money = |id: &str| {
        limits.push((id.to_owned(), Metric::Cost));
        json!([budget(id, 900 + CALL as i64, 60)])
    };
    let customers = customer(json!({ "budgets": money("c") }));
    let teams = ["t0", "t1"].map(|id| team(json!({ "id": id, "customer_id": "customer", "budgets": money(id) })));
    let models = ["m0", "m1"].map(|id| model_config(id, json!({ "model_name": id, "budgets": money(id) })));
    let providers = ["p0", "p1"].map(|id| model_config(id, json!({ "provider": id, "budgets": money(id) })));
    let keys = [0u8, 1, 2].map(|number| {
        let configs = ["p0", "p1"].map(|provider| {
            let members = json!({ "id": number, "budgets": money(&format!("v{number}-{provider}")) });
            config(provider, members)
        });
        let own = json!({
            "id": format!("v{number}"), "team_id": format!("t{}", number % 2), "provider_configs": configs,
            "budgets": money(&format!("v{number}")), "max_parallel_requests": 40,
            "rate_limit": with(rate_limit(&format!("r{number}"), Some(3_000), Some(35)), json!({ "enforcement": "hard" })),
        });
        (KeyHash([number; 32]), key(own))
    });
    limits.extend((0..3).flat_map(|key| [Metric::Tokens, Metric::Requests].map(|metric| (format!("r{key}"), metric))));
    let mut edits: Vec<Edit> = vec![Box::new(move |world| world.engine.put_customer(&customers, at(0)))];
    for team in teams {
        edits.push(Box::new(move |world| world.engine.put_team(&team, at(0))));
    }
    for config in models.into_iter().chain(providers) {
        edits.push(Box::new(move |world| world.engine.put_model_config(&config, at(0))));
    }
    for (hash, key) in keys {
        edits.push(Box::new(move |world| world.engine.put_virtual_key(hashes(hash), &key, at(0))));
    }
    while !edits.is_empty() {
        edits.swap_remove(random.random_range(0..edits.len()))(&world);
    }
    (world, limits)
}

/// I1, I3 and I4 over many meters: nobody waits in a circle, no cap is passed, and every posting is of a meter that covers its attempt.
#[test]
fn i1_i3_i4_torture_attempts_over_entangled_meters_end_within_every_cap() {
    torture::rounds(50, |mut random| {
        let (world, limits) = entangled(&mut random);
        at_once(&mut random, |mut random| {
            let mut running = Vec::new();
            for _ in 0..ASKS {
                let hash = KeyHash([random.random_range(0..3); 32]);
                let place = [("p0", "m0"), ("p0", "m1"), ("p1", "m0"), ("p1", "m1")][random.random_range(0..4)];
                let bound = random.random_range(0..=CALL);
                if let Ok(admission) = world.ask_for(&hash, place, bound, Some(price()), at(1)) {
                    assert_within_caps(&admission);
                    assert_eq!(admission.coverage().levels(at(1)).count(), 9);
                    running.push((bound, admission));
                }
                if !running.is_empty() && random.random_bool(0.5) {
                    let (bound, admission) = running.swap_remove(random.random_range(0..running.len()));
                    end(&mut random, admission, bound);
                }
            }
            running.into_iter().for_each(|(bound, admission)| end(&mut random, admission, bound));
        });
        assert_books(&world, &limits);
        assert!(world.ledger.entries.lock().unwrap().iter().all(|entry| entry.postings.len() == 9));
        for number in 0..3 {
            for place in [("p0", "m0"), ("p1", "m1")] {
                let held: i64 = held(&world, &KeyHash([number; 32]), place).iter().sum();
                assert_eq!(held, 0, "something was left held");
            }
        }
    });
}

/// What is held on each meter that covers a request.
fn held(world: &World, hash: &KeyHash, (provider, model): (&str, &str)) -> Vec<i64> {
    let levels = world.explain(hash, (provider, model), at(1));
    levels.iter().map(|level| level.held).collect()
}
