//! What is counted for a collector: histograms since the start of the process, one for each instrument and set of attributes.
//! Attributes come from closed sets, so there is a bound to how many there are.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use keyward_core::ledger::Outcome;
use keyward_core::money::NanoUsd;
use keyward_core::operation::Operation;
use keyward_core::price::Usage;

use super::Telemetry;
use super::names::{self, Attribute, INSTRUMENTS, Instrument};
use super::spans::error_of;
use super::wire::{self, CUMULATIVE, nanoseconds};
use crate::metrics::provider_label;

/// Attributes with their values, in the order that they were said.
pub(super) type Attributes = Vec<(&'static str, String)>;

/// An attempt that has ended, as figures tell it.
pub(crate) struct Observed<'a> {
    pub(crate) operation: Operation,
    pub(crate) provider: &'a str,
    /// The model, if the catalogue has it.
    pub(crate) model: Option<&'a str>,
    pub(crate) outcome: Outcome,
    pub(crate) usage: Option<&'a Usage>,
    pub(crate) cost: NanoUsd,
    pub(crate) took: Duration,
    /// Of a stream: when its answer began.
    pub(crate) first_chunk: Option<Duration>,
}

impl Telemetry {
    /// Counts an attempt.
    pub(crate) fn observe(&self, observed: &Observed<'_>) {
        let provider = match provider_label(observed.provider) {
            Some(known) => names::provider(known),
            None => names::OTHER,
        };
        let mut about = vec![
            (names::OPERATION, names::operation(observed.operation).to_owned()),
            (names::PROVIDER, provider.to_owned()),
            (names::REQUEST_MODEL, observed.model.unwrap_or(names::OTHER).to_owned()),
        ];
        if let Some(Usage { counts, .. }) = observed.usage {
            for (kind, tokens) in [("input", counts.total_input()), ("output", counts.total_output())] {
                let token_type = [(names::TOKEN_TYPE, kind.to_owned())];
                let tokens = u32::try_from(tokens).map_or(f64::from(u32::MAX), f64::from);
                self.figures.count(&names::TOKEN_USAGE, tokens, &[about.as_slice(), &token_type].concat());
            }
        }
        let dollars = observed.cost.to_string().parse().unwrap_or(0.0);
        self.figures.count(&names::OPERATION_COST, dollars, &about);
        if let Some(after) = observed.first_chunk {
            self.figures.count(&names::TIME_TO_FIRST_CHUNK, after.as_secs_f64(), &about);
        }
        about.extend(error_of(observed.outcome).map(|error| (names::ERROR, error.to_owned())));
        self.figures.count(&names::DURATION, observed.took.as_secs_f64(), &about);
    }
}

/// The figures of one server.
pub(super) struct Figures {
    since: Timestamp,
    series: Mutex<HashMap<(&'static str, Attributes), Counted>>,
}

/// One histogram.
struct Counted {
    count: u64,
    sum: f64,
    buckets: Vec<u64>,
}

impl Figures {
    pub(super) fn since(since: Timestamp) -> Self {
        Self { since, series: Mutex::default() }
    }

    /// Counts a value.
    pub(super) fn count(&self, instrument: &Instrument, value: f64, attributes: &[(Attribute, String)]) {
        let named = attributes.iter().map(|(attribute, value)| (attribute.name, value.clone())).collect();
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = series.entry((instrument.name, named)).or_insert_with(|| Counted {
            count: 0,
            sum: 0.0,
            buckets: vec![0; instrument.bounds.len() + 1],
        });
        counted.count += 1;
        counted.sum += value;
        let bucket = instrument.bounds.iter().take_while(|bound| value > **bound).count();
        if let Some(bucket) = counted.buckets.get_mut(bucket) {
            *bucket += 1;
        }
    }

    /// The figures as they stand at an instant; none when nothing was counted yet.
    pub(super) fn at(&self, now: Timestamp) -> Vec<wire::Metric> {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |instrument: &Instrument| {
            let own = series.iter().filter(|((name, _), _)| *name == instrument.name);
            let points: Vec<_> = own.map(|((_, named), counted)| self.point(instrument, named, counted, now)).collect();
            (!points.is_empty()).then(|| wire::Metric {
                name: instrument.name.to_owned(),
                description: instrument.help.to_owned(),
                unit: instrument.unit.to_owned(),
                histogram: Some(wire::Histogram { data_points: points, aggregation_temporality: CUMULATIVE }),
            })
        };
        INSTRUMENTS.iter().filter_map(of).collect()
    }

    fn point(&self, of: &Instrument, attributes: &Attributes, counted: &Counted, now: Timestamp) -> wire::Point {
        wire::Point {
            start_time_unix_nano: nanoseconds(self.since),
            time_unix_nano: nanoseconds(now),
            count: counted.count,
            sum: Some(counted.sum),
            bucket_counts: counted.buckets.clone(),
            explicit_bounds: of.bounds.to_vec(),
            attributes: attributes.iter().map(|(name, value)| wire::KeyValue::text(name, value)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::{DURATION, PROVIDER};
    use super::*;

    #[test]
    fn a_value_on_a_bound_is_below_it_and_what_is_beyond_all_is_counted_too() {
        let figures = Figures::since(Timestamp::UNIX_EPOCH);
        for value in [0.01, 0.011, 1_000.0] {
            figures.count(&DURATION, value, &[(PROVIDER, "openai".to_owned())]);
        }
        figures.count(&DURATION, 0.0, &[(PROVIDER, "groq".to_owned())]);
        let metrics = figures.at(Timestamp::UNIX_EPOCH);
        let [metric] = metrics.as_slice() else { panic!("{metrics:?}") };
        let points = &metric.histogram.as_ref().unwrap().data_points;
        let point = points.iter().find(|point| point.count == 3).unwrap();
        assert_eq!((points.len(), point.bucket_counts.len()), (2, point.explicit_bounds.len() + 1));
        assert_eq!((point.bucket_counts[0], point.bucket_counts[1], point.bucket_counts.last()), (1, 1, Some(&1)));
    }
}
