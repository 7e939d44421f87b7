//! What was measured: every figure of every round, and a table for each figure with its ratio to nginx as a plain proxy.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::Round;
use super::figures::{FIGURES, Figure, Rate};
use super::subject::{Pace, Subject};
use crate::answers;
use crate::spread::{Spread, median};

/// What the others are compared with.
const BASE: &str = "nginx";
/// What has nothing between the load and the upstream.
const CONTROL: &str = "direct";

#[derive(Serialize)]
pub(super) struct Settings {
    rounds: u32,
    seconds: u64,
    memory_after: u64,
    pieces: usize,
    pub(super) gap_ms: u64,
    pub(super) virtual_keys: usize,
}

impl Settings {
    pub(super) const fn new(rounds: u32, seconds: u64, memory_after: u64) -> Self {
        Self { rounds, seconds, memory_after, pieces: answers::CHUNKS, gap_ms: 10, virtual_keys: 1_000 }
    }
}

#[derive(Serialize)]
pub(crate) struct Report {
    settings: Settings,
    versions: BTreeMap<&'static str, String>,
    /// How much each was asked.
    paces: BTreeMap<&'static str, Pace>,
    /// By round, by subject, by figure.
    rounds: Vec<Round>,
    tables: Vec<Table>,
    /// What is not measured, and why.
    not_measured: Vec<String>,
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
    /// How much it was asked, where that is not as much as the others.
    at: Option<String>,
}

impl Report {
    /// The rounds, and the subjects in their order.
    pub(super) fn new(
        settings: Settings,
        subjects: &[Subject],
        mut rounds: Vec<Round>,
        not_measured: Vec<String>,
    ) -> Result<Self> {
        let paces: Vec<_> = subjects.iter().map(|subject| (subject.name, subject.pace)).collect();
        rounds.iter_mut().for_each(|round| subtract_control(round, &paces));
        let tables = FIGURES.iter().map(|figure| table(figure, &paces, &rounds)).collect();
        let versions = subjects.iter().filter(|subject| !subject.version.is_empty());
        let versions = versions.map(|subject| (subject.name, subject.version.clone())).collect();
        Ok(Self { settings, versions, paces: paces.into_iter().collect(), rounds, tables, not_measured })
    }
}

/// Adds the figures that say how much more something is than without a gateway, where both were asked as much.
fn subtract_control(round: &mut Round, paces: &[(&'static str, Pace)]) {
    let Some(control) = round.get(CONTROL).cloned() else { return };
    for (subject, pace) in paces.iter().filter(|(subject, _)| *subject != CONTROL) {
        let Some(figures) = round.get_mut(subject) else { continue };
        for figure in &FIGURES {
            let Some(of) = figure.added_to else { continue };
            if let (Some(with), Some(without), None) = (figures.get(of), control.get(of), at(*pace, figure.rate)) {
                figures.insert(figure.name, with - without);
            }
        }
    }
}

/// How much a subject was asked, where that is not as much as the others.
fn at(pace: Pace, rate: Rate) -> Option<String> {
    let full = Pace::FULL;
    match rate {
        Rate::Connections if pace.connections != full.connections => Some(format!("{} connections", pace.connections)),
        Rate::Requests if pace.requests_per_second != full.requests_per_second => {
            Some(format!("{} requests/s", pace.requests_per_second))
        }
        Rate::Streams if pace.streams_per_second != full.streams_per_second => {
            Some(format!("{} streams/s", pace.streams_per_second))
        }
        Rate::Connections | Rate::Requests | Rate::Streams | Rate::Nothing => None,
    }
}

fn table(figure: &Figure, paces: &[(&'static str, Pace)], rounds: &[Round]) -> Table {
    let values = |subject: &str| -> Vec<f64> {
        let of_subject = rounds.iter().filter_map(|round| round.get(subject)?.get(figure.name).copied());
        of_subject.collect()
    };
    let base = median(&values(BASE)).filter(|base| *base > 0.0);
    let row = |(subject, pace): &(&'static str, Pace)| {
        let Spread { min, median, max } = Spread::of(&values(subject))?;
        let ratio = base.map(|base| median / base);
        Some(Row { subject, min, median, max, ratio, at: at(*pace, figure.rate) })
    };
    Table { figure: figure.name, title: figure.title, rows: paces.iter().filter_map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::figures::{CPU_PER_REQUEST, Figures, PACED_P50};
    use super::*;

    fn rounds(of: &[(&'static str, [f64; 3])], figure: &'static str) -> Vec<Round> {
        let round = |number: usize| {
            of.iter().map(|(subject, values)| (*subject, Figures::from([(figure, values[number])]))).collect()
        };
        (0..3).map(round).collect()
    }

    const SLOW: Pace = Pace { connections: 64, requests_per_second: 20, streams_per_second: 40 };
    const PACES: [(&str, Pace); 4] =
        [("direct", Pace::FULL), ("nginx", Pace::FULL), ("keyward", Pace::FULL), ("slow", SLOW)];

    fn rows(name: &str, rounds: &[Round]) -> Vec<Row> {
        let figure = FIGURES.iter().find(|figure| figure.name == name).unwrap();
        table(figure, &PACES, rounds).rows
    }

    fn row(subject: &'static str, [min, median, max]: [f64; 3], ratio: Option<f64>) -> Row {
        Row { subject, min, median, max, ratio, at: None }
    }

    #[test]
    fn a_ratio_is_that_of_the_medians() {
        let rounds = rounds(&[("nginx", [30.0, 10.0, 20.0]), ("keyward", [25.0, 31.0, 30.0])], CPU_PER_REQUEST);
        let nginx = row("nginx", [10.0, 20.0, 30.0], Some(1.0));
        let keyward = row("keyward", [25.0, 30.0, 31.0], Some(1.5));
        assert_eq!(rows(CPU_PER_REQUEST, &rounds), [nginx, keyward]);
    }

    #[test]
    fn without_nginx_there_is_no_ratio() {
        let rounds = rounds(&[("keyward", [1.0, 2.0, 3.0])], CPU_PER_REQUEST);
        let keyward = row("keyward", [1.0, 2.0, 3.0], None);
        assert_eq!(rows(CPU_PER_REQUEST, &rounds), [keyward]);
        assert_eq!(rows(PACED_P50, &rounds), []);
    }

    #[test]
    fn what_is_added_is_the_difference_within_a_round() {
        let of =
            [("direct", [100.0, 200.0, 110.0]), ("nginx", [200.0, 310.0, 230.0]), ("keyward", [350.0, 440.0, 350.0])];
        let mut rounds = rounds(&of, PACED_P50);
        rounds.iter_mut().for_each(|round| subtract_control(round, &PACES));
        let nginx = row("nginx", [100.0, 110.0, 120.0], Some(1.0));
        let keyward = row("keyward", [240.0, 240.0, 250.0], Some(240.0 / 110.0));
        assert_eq!(rows("added_p50_us", &rounds), [nginx, keyward]);
    }

    #[test]
    fn who_is_asked_less_is_not_compared_with_the_control() {
        let of = [("direct", [100.0, 200.0, 110.0]), ("slow", [900.0, 900.0, 900.0])];
        let mut rounds = rounds(&of, PACED_P50);
        rounds.iter_mut().for_each(|round| subtract_control(round, &PACES));
        assert_eq!(rows("added_p50_us", &rounds), []);
        assert_eq!(rows(PACED_P50, &rounds).last().and_then(|row| row.at.as_deref()), Some("20 requests/s"));
    }
}
