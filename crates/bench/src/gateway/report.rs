//! What was measured: every figure of every round, and a table for each figure with its ratio to nginx as a plain proxy.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::figures::{FIGURES, Figure, Figures};
use super::machine::Machine;
use super::subject::Subject;
use crate::answers;

/// What the others are compared with.
const BASE: &str = "nginx";
/// What has nothing between the load and the upstream.
const CONTROL: &str = "direct";

#[derive(Serialize)]
pub(super) struct Settings {
    rounds: u32,
    seconds: u64,
    pub(super) connections: usize,
    pub(super) requests_per_second: u32,
    pub(super) streams_per_second: u32,
    pieces: usize,
    pub(super) gap_ms: u64,
    pub(super) virtual_keys: usize,
}

impl Settings {
    pub(super) const fn new(rounds: u32, seconds: u64) -> Self {
        Self {
            rounds,
            seconds,
            connections: 64,
            requests_per_second: 200,
            streams_per_second: 40,
            pieces: answers::CHUNKS,
            gap_ms: 10,
            virtual_keys: 1_000,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Report {
    machine: Machine,
    settings: Settings,
    versions: BTreeMap<&'static str, String>,
    /// By round, by subject, by figure.
    rounds: Vec<BTreeMap<&'static str, Figures>>,
    tables: Vec<Table>,
}

/// One figure of all subjects.
#[derive(Serialize)]
struct Table {
    figure: &'static str,
    title: &'static str,
    rows: Vec<Row>,
}

/// One figure of one subject, over all rounds.
#[derive(Debug, PartialEq, Serialize)]
struct Row {
    subject: &'static str,
    min: f64,
    median: f64,
    max: f64,
    /// Its median divided by that of what it is compared with.
    ratio: Option<f64>,
}

impl Report {
    /// The rounds, each with the subjects in their order.
    pub(super) fn new(settings: Settings, subjects: &[Subject], rounds: &[Vec<Figures>]) -> Result<Self> {
        let names: Vec<_> = subjects.iter().map(|subject| subject.name).collect();
        let named = |round: &Vec<Figures>| names.iter().copied().zip(round.iter().cloned()).collect();
        let mut rounds: Vec<BTreeMap<_, _>> = rounds.iter().map(named).collect();
        rounds.iter_mut().for_each(subtract_control);
        let tables = FIGURES.iter().map(|figure| table(figure, &names, &rounds)).collect();
        let versions = subjects.iter().filter(|subject| !subject.version.is_empty());
        let versions = versions.map(|subject| (subject.name, subject.version.clone())).collect();
        Ok(Self { machine: Machine::this(), settings, versions, rounds, tables })
    }
}

/// Adds the figures that say how much more something is than without a gateway.
fn subtract_control(round: &mut BTreeMap<&'static str, Figures>) {
    let Some(control) = round.get(CONTROL).cloned() else { return };
    for (_, figures) in round.iter_mut().filter(|(subject, _)| **subject != CONTROL) {
        for figure in &FIGURES {
            let Some(of) = figure.added_to else { continue };
            if let (Some(with), Some(without)) = (figures.get(of), control.get(of)) {
                figures.insert(figure.name, with - without);
            }
        }
    }
}

fn table(figure: &Figure, subjects: &[&'static str], rounds: &[BTreeMap<&'static str, Figures>]) -> Table {
    let values = |subject: &str| -> Vec<f64> {
        let of_subject = rounds.iter().filter_map(|round| round.get(subject)?.get(figure.name).copied());
        of_subject.collect()
    };
    let base = median(&values(BASE)).filter(|base| *base > 0.0);
    let row = |subject: &&'static str| {
        let values = values(subject);
        let median = median(&values)?;
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Row { subject, min, median, max, ratio: base.map(|base| median / base) })
    };
    Table { figure: figure.name, title: figure.title, rows: subjects.iter().filter_map(row).collect() }
}

/// The middle one; of an even number the mean of both.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::super::figures::{CPU_PER_REQUEST, PACED_P50};
    use super::*;

    fn rounds(of: &[(&'static str, [f64; 3])], figure: &'static str) -> Vec<BTreeMap<&'static str, Figures>> {
        let round = |number: usize| {
            of.iter().map(|(subject, values)| (*subject, Figures::from([(figure, values[number])]))).collect()
        };
        (0..3).map(round).collect()
    }

    fn rows(name: &str, rounds: &[BTreeMap<&'static str, Figures>]) -> Vec<Row> {
        let figure = FIGURES.iter().find(|figure| figure.name == name).unwrap();
        table(figure, &["direct", "nginx", "keyward"], rounds).rows
    }

    #[test]
    fn a_ratio_is_that_of_the_medians() {
        let rounds = rounds(&[("nginx", [30.0, 10.0, 20.0]), ("keyward", [25.0, 31.0, 30.0])], CPU_PER_REQUEST);
        let nginx = Row { subject: "nginx", min: 10.0, median: 20.0, max: 30.0, ratio: Some(1.0) };
        let keyward = Row { subject: "keyward", min: 25.0, median: 30.0, max: 31.0, ratio: Some(1.5) };
        assert_eq!(rows(CPU_PER_REQUEST, &rounds), [nginx, keyward]);
    }

    #[test]
    fn without_nginx_there_is_no_ratio() {
        let rounds = rounds(&[("keyward", [1.0, 2.0, 3.0])], CPU_PER_REQUEST);
        let keyward = Row { subject: "keyward", min: 1.0, median: 2.0, max: 3.0, ratio: None };
        assert_eq!(rows(CPU_PER_REQUEST, &rounds), [keyward]);
        assert_eq!(rows(PACED_P50, &rounds), []);
    }

    #[test]
    fn what_is_added_is_the_difference_within_a_round() {
        let of =
            [("direct", [100.0, 200.0, 110.0]), ("nginx", [200.0, 310.0, 230.0]), ("keyward", [350.0, 440.0, 350.0])];
        let mut rounds = rounds(&of, PACED_P50);
        rounds.iter_mut().for_each(subtract_control);
        let nginx = Row { subject: "nginx", min: 100.0, median: 110.0, max: 120.0, ratio: Some(1.0) };
        let keyward = Row { subject: "keyward", min: 240.0, median: 240.0, max: 250.0, ratio: Some(240.0 / 110.0) };
        assert_eq!(rows("added_p50_us", &rounds), [nginx, keyward]);
    }

    #[test]
    fn the_median_of_two_is_between_them() {
        assert_eq!(median(&[3.0, 1.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
