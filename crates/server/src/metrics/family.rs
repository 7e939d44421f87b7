//! Metrics as they are declared: a declaration names the metric and its labels, and nothing is registered without one.

use std::fmt;
use std::hash::{Hash, Hasher};

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

/// What every name begins with.
pub(crate) const PREFIX: &str = "keyward";

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A label, and the closed set that its values are from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label {
    pub(crate) name: &'static str,
    pub(crate) values: fn() -> Vec<&'static str>,
}

/// A metric that is declared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<const N: usize> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: Option<&'static str>,
    pub(crate) labels: [Label; N],
    pub(crate) help: &'static str,
}

/// What a page says about a metric.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) labels: Vec<Label>,
    pub(crate) help: &'static str,
}

impl<const N: usize> Declared<N> {
    /// The metric with its whole name, as Prometheus shows it.
    pub(crate) fn row(&self) -> Row {
        let unit = self.unit.map(|unit| format!("_{unit}")).unwrap_or_default();
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        let name = format!("{PREFIX}_{}{unit}{total}", self.name);
        Row { name, kind: self.kind, labels: self.labels.to_vec(), help: self.help }
    }

    /// Registers a metric under this declaration.
    pub(super) fn register<M: Metric + Clone>(&self, registry: &mut Registry, metric: M) -> M {
        match self.unit {
            Some(unit) => {
                registry.register_with_unit(self.name, self.help, Unit::Other(unit.to_owned()), metric.clone());
            }
            None => registry.register(self.name, self.help, metric.clone()),
        }
        metric
    }

    /// A family with these labels, which nobody has registered yet.
    pub(super) fn labelled<M>(&self, make: fn() -> M) -> Labelled<N, M> {
        Labelled { names: self.labels.map(|label| label.name), family: Family::new_with_constructor(make) }
    }

    /// Registers a family with these labels.
    pub(super) fn family<M>(&self, registry: &mut Registry, make: fn() -> M) -> Labelled<N, M>
    where
        M: Clone,
        Family<Pairs<N>, M>: Metric,
    {
        let labelled = self.labelled(make);
        self.register(registry, labelled.family());
        labelled
    }

    pub(super) fn counters(&self, registry: &mut Registry) -> Labelled<N, Counter> {
        self.family(registry, Counter::default)
    }

    pub(super) fn histograms(&self, registry: &mut Registry, make: fn() -> Histogram) -> Labelled<N, Histogram> {
        self.family(registry, make)
    }
}

/// Labels with their values. Values live as long as the program: no text that a request brings can be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pairs<const N: usize>([(&'static str, &'static str); N]);

impl<const N: usize> Hash for Pairs<N> {
    /// Names are the same in a whole family, and values differ early: their beginnings and lengths tell enough. An attempt counts in
    /// ten families.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (_, value) in &self.0 {
            let mut front = [0; 8];
            front.iter_mut().zip(value.bytes()).for_each(|(to, from)| *to = from);
            state.write_u64(u64::from_ne_bytes(front).wrapping_add(u64::try_from(value.len()).unwrap_or_default()));
        }
    }
}

impl<const N: usize> EncodeLabelSet for Pairs<N> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }
}

/// One metric for each set of labels.
#[derive(Debug, Clone)]
pub(super) struct Labelled<const N: usize, M> {
    names: [&'static str; N],
    family: Family<Pairs<N>, M>,
}

impl<const N: usize, M: Clone> Labelled<N, M> {
    /// What is to be registered.
    pub(super) fn family(&self) -> Family<Pairs<N>, M> {
        self.family.clone()
    }

    /// The metric with these labels, in the order of the declaration.
    pub(super) fn of(&self, values: [&'static str; N]) -> M {
        let mut values = values.into_iter();
        let pairs = self.names.map(|name| (name, values.next().unwrap_or_default()));
        self.family.get_or_create_owned(&Pairs(pairs))
    }
}
