//! Edits of everything, while attempts run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use keyward_core::meter::{MeterId, Metric};
use keyward_core::refusal::Refusal;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::organisation::{Cap, MODELS, Organisation, PROVIDERS, any_place};
use crate::torture;
use crate::world::{World, at, meter, output, price, settled};

/// All windows have an instant in common, and this is it: usage can only grow, and what was refilled or lost would show.
const NOW: i64 = 30;

impl Organisation {
    /// The meters that there are now.
    fn meters(&self) -> Vec<MeterId> {
        let of = |caps: &[Cap]| caps.iter().map(|cap| meter(&cap.limit, cap.metric)).collect::<Vec<_>>();
        let keys = self.keys.iter().flatten();
        let of_keys = keys.flat_map(|key| [of(&key.caps), of(&key.of_config), of(&key.of_model)].concat());
        let customers = self.customers.iter().flatten().flat_map(|caps| of(caps));
        let teams = self.teams.iter().flatten().flat_map(|team| of(&team.caps));
        let models = self.models.iter().flatten().flat_map(|config| of(&config.caps));
        of_keys.chain(customers).chain(teams).chain(models).collect()
    }
}

/// How many attempts were admitted, and how many of them released.
#[derive(Default)]
struct Tally {
    admitted: AtomicUsize,
    released: AtomicUsize,
    most_held: AtomicI64,
}

/// Asks and settles until it is told to stop. While attempts may be ended as lapsed, none is released: so that all can be counted.
fn traffic(world: &World, random: &mut StdRng, stop: &AtomicBool, lapses: bool, tally: &Tally) {
    let mut running = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let (key, provider, model) = any_place(random);
        let secret = Organisation::secrets(key)[random.random_range(0..2)];
        match world.ask_for(&secret, (provider, model), random.random_range(0..50), Some(price()), at(NOW)) {
            Ok(admission) => running.push(admission),
            Err(refusal) => assert!(matches!(refusal, Refusal::Limit(_) | Refusal::UnknownKey), "{refusal}"),
        }
        if running.len() > 3 || random.random_bool(0.4) {
            let Some(admission) = running.pop() else { continue };
            tally.admitted.fetch_add(1, Ordering::Relaxed);
            let held = admission.coverage().levels(at(NOW)).map(|level| level.held).max();
            tally.most_held.fetch_max(held.unwrap_or_default(), Ordering::Relaxed);
            match random.random_range(0..4) {
                0 if !lapses => {
                    tally.released.fetch_add(1, Ordering::Relaxed);
                    admission.release();
                }
                1 => drop(admission),
                _ => _ = admission.settle(settled(Some(output(random.random_range(0..60))), at(NOW))),
            }
        }
    }
    tally.admitted.fetch_add(running.len(), Ordering::Relaxed);
}

/// Edits everything, again and again. I8: what a meter reads never shrinks.
fn edit(world: &World, organisation: &mut Organisation, random: &mut StdRng, lapses: bool) {
    let mut read: HashMap<MeterId, i64> = HashMap::new();
    for _ in 0..400 {
        let owner = organisation.edit(random, 20_000);
        organisation.put(&world.engine, owner, at(NOW));
        if lapses && random.random_bool(0.1) {
            world.engine.expire(1, at(NOW));
        }
        let meters = organisation.meters();
        read.retain(|meter, _| meters.contains(meter));
        for meter in meters {
            let used = world.engine.count(&meter).unwrap().used;
            let before = read.insert(meter.clone(), used).unwrap_or_default();
            assert!(before <= used, "{meter:?} was refilled from {before} to {used}");
        }
    }
}

/// I2, I4 and I8.
#[test]
fn i2_i4_i8_torture_edits_while_attempts_run_lose_and_refill_nothing() {
    torture::rounds(6, |mut random| {
        let (world, mut organisation) = (World::new(), Organisation::default());
        for _ in 0..60 {
            let owner = organisation.edit(&mut random, 20_000);
            organisation.put(&world.engine, owner, at(NOW));
        }
        let (stop, tally, lapses) = (AtomicBool::new(false), Tally::default(), random.random_bool(0.5));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (world, stop, tally) = (&world, &stop, &tally);
                let mut random = StdRng::from_rng(&mut random);
                scope.spawn(move || traffic(world, &mut random, stop, lapses, tally));
            }
            let edits = scope.spawn(|| edit(&world, &mut organisation, &mut random, lapses));
            let outcome = edits.join();
            stop.store(true, Ordering::Release);
            outcome.unwrap();
        });
        assert_books(&world, &organisation, &tally);
    });
}

/// One entry for each attempt, counters that are the sum of the entries, and nothing that is still held.
fn assert_books(world: &World, organisation: &Organisation, tally: &Tally) {
    let entries = world.ledger.entries.lock().unwrap();
    let [admitted, released] = [&tally.admitted, &tally.released].map(|count| count.load(Ordering::Relaxed));
    assert!(admitted > 100 && tally.most_held.load(Ordering::Relaxed) > 0, "{admitted} were admitted");
    assert_eq!((entries.len(), world.engine.open_attempts()), (admitted - released, 0));
    let mut sums: HashMap<MeterId, i64> = HashMap::new();
    for posting in entries.iter().flat_map(|entry| &entry.postings) {
        *sums.entry(posting.meter.clone()).or_default() += posting.amount;
    }
    for meter in organisation.meters() {
        let used = world.engine.count(&meter).unwrap().used;
        assert_eq!(used, sums.get(&meter).copied().unwrap_or_default(), "{meter:?}");
    }
    for (place, key) in organisation.keys.iter().enumerate() {
        for (provider, model) in PROVIDERS.iter().flat_map(|provider| MODELS.map(|model| (*provider, model))) {
            let secret = Organisation::secrets(place)[0];
            let levels = key.iter().flat_map(|_| world.explain(&secret, (provider, model), at(NOW)));
            levels.for_each(|level| assert_eq!(level.held, 0, "{level:?}"));
            let slots = key.as_ref().and_then(|key| world.engine.count(&meter(&key.id, Metric::ParallelRequests)));
            assert_eq!(slots.map_or(0, |count| count.used), 0);
        }
    }
}
