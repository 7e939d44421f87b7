//! Which figures there are.

use std::collections::BTreeMap;

/// What was measured of one subject in one round, by the name of the figure.
pub(super) type Figures = BTreeMap<&'static str, f64>;

/// A figure, and how it is shown.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// The figure that it is measured as; what it is without a gateway is subtracted in the same round.
    pub(super) added_to: Option<&'static str>,
}

pub(super) const CPU_PER_REQUEST: &str = "cpu_us_per_request";
pub(super) const REQUESTS_PER_SECOND: &str = "requests_per_second";
pub(super) const LOADED_P50: &str = "loaded_p50_us";
pub(super) const LOADED_P99: &str = "loaded_p99_us";
pub(super) const PACED_P50: &str = "paced_p50_us";
pub(super) const PACED_P99: &str = "paced_p99_us";
pub(super) const FIRST_PIECE_P50: &str = "first_piece_p50_us";
pub(super) const FIRST_PIECE_P99: &str = "first_piece_p99_us";
pub(super) const CPU_PER_STREAM: &str = "cpu_us_per_stream";
pub(super) const MEMORY: &str = "memory_mib";

/// Those of a refusal: its name, its processor time, and how many there are in a second.
pub(super) const REFUSALS: [(&str, &str, &str); 3] = [
    ("401", "cpu_us_per_401", "401_per_second"),
    ("402", "cpu_us_per_402", "402_per_second"),
    ("429", "cpu_us_per_429", "429_per_second"),
];

/// All of them, in the order in which they are shown.
pub(super) const FIGURES: [Figure; 20] = [
    figure(CPU_PER_REQUEST, "CPU per request, µs"),
    figure(REQUESTS_PER_SECOND, "requests in a second on one core, 64 connections"),
    figure(LOADED_P50, "latency at 64 connections, p50, µs"),
    figure(LOADED_P99, "latency at 64 connections, p99, µs"),
    figure(PACED_P50, "latency at 200 requests/s, p50, µs"),
    figure(PACED_P99, "latency at 200 requests/s, p99, µs"),
    added("added_p50_us", "latency added at 200 requests/s, p50, µs", PACED_P50),
    added("added_p99_us", "latency added at 200 requests/s, p99, µs", PACED_P99),
    figure(FIRST_PIECE_P50, "first piece of a stream, p50, µs"),
    figure(FIRST_PIECE_P99, "first piece of a stream, p99, µs"),
    added("first_piece_added_p50_us", "added to the first piece of a stream, p50, µs", FIRST_PIECE_P50),
    added("first_piece_added_p99_us", "added to the first piece of a stream, p99, µs", FIRST_PIECE_P99),
    figure(CPU_PER_STREAM, "CPU per stream of 100 pieces, µs"),
    figure(MEMORY, "memory (PSS) at the end of a round, MiB"),
    figure("cpu_us_per_401", "CPU per refusal 401, µs"),
    figure("401_per_second", "refusals 401 in a second on one core"),
    figure("cpu_us_per_402", "CPU per refusal 402, µs"),
    figure("402_per_second", "refusals 402 in a second on one core"),
    figure("cpu_us_per_429", "CPU per refusal 429, µs"),
    figure("429_per_second", "refusals 429 in a second on one core"),
];

const fn figure(name: &'static str, title: &'static str) -> Figure {
    Figure { name, title, added_to: None }
}

const fn added(name: &'static str, title: &'static str, to: &'static str) -> Figure {
    Figure { name, title, added_to: Some(to) }
}
