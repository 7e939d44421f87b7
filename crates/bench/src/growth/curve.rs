//! A curve: what its figures are, and what they read at each point.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::rig::as_float;
use crate::spread::Spread;

/// The name of a figure, and how it is shown.
pub(super) type Figure = (&'static str, &'static str);

pub(super) const CPU: Figure = ("cpu_us", "CPU per request, µs");
pub(super) const RATE: Figure = ("per_second", "requests in a second");
pub(super) const P50: Figure = ("p50_us", "latency, p50, µs");
pub(super) const P99: Figure = ("p99_us", "latency, p99, µs");
pub(super) const MEMORY: Figure = ("memory_mib", "memory (PSS), MiB");
pub(super) const START: Figure = ("start_ms", "start, ms");

/// The figures of a point.
pub(super) type Figures = BTreeMap<&'static str, Spread>;

#[derive(Serialize)]
pub(super) struct Curve {
    curve: &'static str,
    /// What there is more and more of.
    of: &'static str,
    figures: Vec<Shown>,
    points: Vec<Point>,
}

#[derive(Serialize)]
struct Shown {
    figure: &'static str,
    title: &'static str,
}

#[derive(Serialize)]
struct Point {
    x: f64,
    figures: Figures,
}

impl Curve {
    pub(super) fn new(curve: &'static str, of: &'static str, figures: &[Figure]) -> Self {
        let figures = figures.iter().map(|(figure, title)| Shown { figure, title }).collect();
        Self { curve, of, figures, points: Vec::new() }
    }

    /// Says what was measured with so many; figures that the curve does not show are left out.
    pub(super) fn point(&mut self, x: usize, mut figures: Figures) {
        eprintln!("{}: {x}", self.of);
        figures.retain(|name, _| self.figures.iter().any(|shown| shown.figure == *name));
        self.points.push(Point { x: as_float(u64::try_from(x).unwrap_or(u64::MAX)), figures });
    }
}
