//! What admission costs: one attempt over eight meters, eight threads on one meter, and the memory of a million virtual keys.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a benchmark is not shipped, and shares the tests' world"
)]

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use keyward_core::crash_point::Probe;
use keyward_core::ledger::LedgerEntry;
use keyward_core::meter::EnforcementDefaults;
use keyward_core::secret::KeyHash;
use keyward_engine::{Engine, Journal, JournalOptions, Ledger, Receipt, Recovery};
use serde_json::{Value, json};

#[path = "../tests/it/world.rs"]
mod world;

use world::{HASH, Prepared, at, budget, hashes, key, team};

/// Takes entries, and forgets them: the price of the books' other half is not what is measured here.
struct Sink;

impl Ledger for Sink {
    fn append(&self, entry: LedgerEntry, receipt: Receipt) {
        black_box(entry);
        receipt.confirm();
    }

    fn is_available(&self) -> bool {
        true
    }
}

/// An attempt over eight meters: a model's, a provider's, a customer's, a team's, three of the virtual key, and its provider config's.
fn eight_meters(journal: Journal) -> Engine {
    let engine = Engine::new(Arc::new(Sink), journal, EnforcementDefaults::default(), Probe::default());
    world::put_eight_meters(&engine);
    engine
}

fn on_disk(directory: &std::path::Path) -> Journal {
    let options = JournalOptions {
        directory: directory.to_owned(),
        database: [0; 16],
        segment_bytes: 16 << 20,
        max_bytes: 256 << 20,
    };
    Recovery::read(options).unwrap().finish(Probe::default()).unwrap()
}

fn one_attempt(criterion: &mut Criterion) {
    let (engine, attempt) = (eight_meters(Journal::in_memory()), Prepared::new());
    criterion.bench_function("admit and settle, eight meters, journal in memory", |bencher| {
        bencher.iter(|| attempt.run(&engine))
    });

    let directory = tempfile::tempdir().unwrap();
    let engine = eight_meters(on_disk(directory.path()));
    let stop = Arc::new(AtomicU64::new(0));
    let tending = std::thread::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        move || {
            while stop.load(Ordering::Acquire) == 0 {
                engine.tend_journal(true).unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    criterion.bench_function("admit and settle, eight meters, journal on disk, interval", |bencher| {
        bencher.iter(|| attempt.run(&engine));
    });
    stop.store(1, Ordering::Release);
    tending.join().unwrap();
}

/// Eight threads that all hold on one meter.
fn one_hot_meter(criterion: &mut Criterion) {
    const THREADS: usize = 8;
    let engine = Engine::new(Arc::new(Sink), Journal::in_memory(), EnforcementDefaults::default(), Probe::default());
    engine.put_virtual_key(hashes(HASH), &key(json!({ "budgets": [budget("hot", i64::MAX / 2, 86_400)] })), at(0));
    criterion.bench_function("admit and settle, eight threads on one meter, per attempt", |bencher| {
        bencher.iter_custom(|iterations| {
            let each = iterations.div_ceil(THREADS as u64);
            let barrier = Barrier::new(THREADS + 1);
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|_| {
                        scope.spawn(|| {
                            barrier.wait();
                            let attempt = Prepared::new();
                            (0..each).for_each(|_| _ = black_box(attempt.run(&engine)));
                        })
                    })
                    .collect();
                barrier.wait();
                let begun = Instant::now();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
                begun.elapsed()
            })
        });
    });
}

/// How much a million virtual keys take: said, not timed. What is resident is told of the first kind only, as an allocator keeps
/// what it once had; what is allocated is exact, and lacks the allocator's own share.
fn a_million_keys(_: &mut Criterion) {
    let before = resident();
    let (bare, engine) = allocated(|| known_keys(|_| json!([])));
    println!("a million virtual keys: {:.0} MiB resident, {bare:.0} MiB allocated", mebibytes(resident() - before));
    drop(engine);
    let one_budget = |number| json!([budget(&format!("00000000-0000-4000-8000-{number:012}"), 1, 60)]);
    let (with_budgets, engine) = allocated(|| known_keys(one_budget));
    println!("a million virtual keys with a budget each: {with_budgets:.0} MiB allocated");
    drop(engine);
}

fn known_keys(budgets: impl Fn(u32) -> Value) -> Engine {
    let engine = Engine::new(Arc::new(Sink), Journal::in_memory(), EnforcementDefaults::default(), Probe::default());
    engine.put_team(&team(json!({})), at(0));
    for number in 0..1_000_000u32 {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_le_bytes());
        let id = format!("00000000-0000-7000-8000-{number:012}");
        let members =
            json!({ "id": id, "name": format!("key {number}"), "team_id": "team", "budgets": budgets(number) });
        engine.put_virtual_key(hashes(KeyHash(hash)), &key(members), at(0));
    }
    engine
}

/// What is left allocated of what `make` has asked for, in MiB.
fn allocated<T>(make: impl FnOnce() -> T) -> (f64, T) {
    let mut made = None;
    let counted = allocation_counter::measure(|| made = Some(make()));
    (mebibytes(counted.bytes_current), made.unwrap())
}

fn mebibytes(bytes: i64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

/// Bytes of memory that the process has.
fn resident() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<i64>().unwrap() * 4096
}

criterion_group!(benches, one_attempt, one_hot_meter, a_million_keys);
criterion_main!(benches);
