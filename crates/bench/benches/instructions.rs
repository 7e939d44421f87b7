//! How many instructions the hot path takes, counted by callgrind: `cargo xtask bench gate`. What is counted is what the benchmark's
//! own thread does. Everything is done a few times before it is counted: then plans are made, connections are open, and tables
//! have their size.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a benchmark is not shipped, and shares the engine's tests' world"
)]

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use gungraun::prelude::*;
use keyward_core::crash_point::Probe;
use keyward_core::ledger::LedgerEntry;
use keyward_core::meter::EnforcementDefaults;
use keyward_core::money::NanoUsd;
use keyward_engine::{Admission, Engine, Journal, Ledger, Receipt};
use keyward_server::in_process;
use serde_json::json;

#[path = "instructions/gateway.rs"]
mod gateway;
#[path = "instructions/upstream.rs"]
mod upstream;
#[path = "../../engine/tests/it/world.rs"]
mod world;

use gateway::{Gateway, Whole};
use upstream::Pace;
use world::{Prepared, at, output, settled};

/// How often an attempt is made before one is counted: afterwards the engine asks for no memory any more.
const WARM: usize = 64;
/// How long the body of a request is about, in bytes.
const BODY: usize = 8 << 10;

/// Takes entries, and forgets them.
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

fn engine() -> (Engine, Prepared) {
    let engine = Engine::new(Arc::new(Sink), Journal::in_memory(), EnforcementDefaults::default(), Probe::default());
    world::put_eight_meters(&engine);
    let attempt = Prepared::new();
    (0..WARM).for_each(|_| assert!(attempt.run(&engine).is_some()));
    (engine, attempt)
}

fn admitted() -> (Admission, Engine) {
    let (engine, attempt) = engine();
    (attempt.admit(&engine), engine)
}

/// A conversation of eight messages that asks for tools.
fn body() -> Bytes {
    let text = "What does \"the cap\" cover?\n".repeat(BODY / 8 / 27);
    let messages: Vec<_> = (0..8).map(|_| json!({ "role": "user", "content": text })).collect();
    let parameters = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let tools = json!([{ "type": "function", "function": { "name": "weather", "parameters": parameters } }]);
    let body = json!({
        "model": "bench/bench-model", "messages": messages, "tools": tools, "temperature": 0.5, "max_tokens": 64,
    });
    Bytes::from(body.to_string())
}

fn scanned() -> Bytes {
    let body = body();
    (0..WARM).for_each(|_| assert!(in_process::scan(&body)));
    body
}

// Identifies a virtual key and admits an attempt over eight meters.
#[library_benchmark(setup = engine)]
fn admission((engine, attempt): (Engine, Prepared)) -> (Admission, Engine) {
    (attempt.admit(&engine), engine)
}

// Settles an attempt on eight meters, and hands its entry to the ledger. The engine is given back: its end is not counted.
#[library_benchmark(setup = admitted)]
fn settlement((admission, engine): (Admission, Engine)) -> (Option<NanoUsd>, Engine) {
    (admission.settle(settled(Some(output(60)), at(2))), engine)
}

// Scans the body of a chat completion.
#[library_benchmark(setup = scanned)]
fn body_scan(body: Bytes) -> bool {
    in_process::scan(&body)
}

// One request for a chat completion with everything on, from its head to the last byte of its answer.
#[library_benchmark(setup = Gateway::<Whole>::warm)]
fn governed_request(gateway: Gateway<Whole>) -> Gateway<Whole> {
    gateway.call();
    gateway
}

// The same with an answer that is a stream of 100 chunks, each of which comes by itself.
#[library_benchmark(setup = Gateway::<Pace>::warm)]
fn stream_relay(gateway: Gateway<Pace>) -> Gateway<Pace> {
    gateway.call();
    gateway
}

library_benchmark_group!(
    name = hot_path,
    benchmarks = [admission, settlement, body_scan, governed_request, stream_relay]
);
main!(library_benchmark_groups = hot_path);
