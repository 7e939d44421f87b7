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
    /// What its value goes by.
    pub(super) rate: Rate,
}

/// Which part of a subject's pace a figure goes by.
#[derive(Clone, Copy)]
pub(super) enum Rate {
    Connections,
    Requests,
    Streams,
    Nothing,
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
pub(super) const MEMORY_AFTER: &str = "memory_after_mib";

/// Those of a refusal: its name, its processor time, and how many there are in a second.
pub(super) const REFUSALS: [(&str, &str, &str); 3] = [
    ("401", "cpu_us_per_401", "401_per_second"),
    ("402", "cpu_us_per_402", "402_per_second"),
    ("429", "cpu_us_per_429", "429_per_second"),
];

/// All of them, in the order in which they are shown.
pub(super) const FIGURES: [Figure; 21] = [
    figure(CPU_PER_REQUEST, "CPU per request, µs", Rate::Connections),
    figure(REQUESTS_PER_SECOND, "requests in a second on one core, 64 connections", Rate::Connections),
    figure(LOADED_P50, "latency at 64 connections, p50, µs", Rate::Connections),
    figure(LOADED_P99, "latency at 64 connections, p99, µs", Rate::Connections),
    figure(PACED_P50, "latency at 200 requests/s, p50, µs", Rate::Requests),
    figure(PACED_P99, "latency at 200 requests/s, p99, µs", Rate::Requests),
    added("added_p50_us", "latency added at 200 requests/s, p50, µs", PACED_P50, Rate::Requests),
    added("added_p99_us", "latency added at 200 requests/s, p99, µs", PACED_P99, Rate::Requests),
    figure(FIRST_PIECE_P50, "first piece of a stream, 40 streams/s, p50, µs", Rate::Streams),
    figure(FIRST_PIECE_P99, "first piece of a stream, 40 streams/s, p99, µs", Rate::Streams),
    added("first_piece_added_p50_us", "added to the first piece of a stream, p50, µs", FIRST_PIECE_P50, Rate::Streams),
    added("first_piece_added_p99_us", "added to the first piece of a stream, p99, µs", FIRST_PIECE_P99, Rate::Streams),
    figure(CPU_PER_STREAM, "CPU per stream of 100 pieces, µs", Rate::Streams),
    figure(MEMORY, "memory (PSS) at the end of a round, MiB", Rate::Nothing),
    figure(MEMORY_AFTER, "memory (PSS) after many more requests, MiB", Rate::Nothing),
    figure("cpu_us_per_401", "CPU per refusal 401, µs", Rate::Connections),
    figure("401_per_second", "refusals 401 in a second on one core", Rate::Connections),
    figure("cpu_us_per_402", "CPU per refusal 402, µs", Rate::Connections),
    figure("402_per_second", "refusals 402 in a second on one core", Rate::Connections),
    figure("cpu_us_per_429", "CPU per refusal 429, µs", Rate::Connections),
    figure("429_per_second", "refusals 429 in a second on one core", Rate::Connections),
];

const fn figure(name: &'static str, title: &'static str, rate: Rate) -> Figure {
    Figure { name, title, added_to: None, rate }
}

const fn added(name: &'static str, title: &'static str, to: &'static str, rate: Rate) -> Figure {
    Figure { name, title, added_to: Some(to), rate }
}
