//! Metrics in Prometheus' text format. Labels come from closed sets: no key, customer or model name is one.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use keyward_core::ledger::Outcome;
use keyward_core::meter::Metric;
use keyward_core::money::NanoUsd;
use keyward_core::operation::Operation;
use keyward_core::price::{ClassKind, Usage};
use keyward_core::scope::ScopeKind;
use keyward_engine::Engine;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::error::ApiError;
use crate::upstreams::{Condition, Upstreams};

mod declared;
mod family;

pub(crate) use declared::{provider_label, rows};
use family::{Labelled, PREFIX};

/// Upper bounds of durations, in seconds: models take from a blink to minutes.
const SECONDS: [f64; 14] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// The figures of one server.
pub(crate) struct Metrics {
    registry: Registry,
    attempts: Labelled<3, Counter>,
    refusals: Labelled<2, Counter>,
    tokens: Labelled<2, Counter>,
    units: Labelled<2, Counter>,
    cost: Labelled<1, Counter<f64, AtomicU64>>,
    in_flight: Gauge,
    durations: Labelled<2, Histogram>,
    first_bytes: Labelled<2, Histogram>,
    streams_cut: Labelled<1, Counter>,
    fallbacks: Counter,
    retries: Counter,
    provider_keys: Labelled<1, Gauge>,
    routing_rule_failures: Counter,
    shadow_refusals: Labelled<2, Counter>,
    open_attempts: Gauge,
    journal_bytes: Gauge,
    journal_available: Gauge,
    webhook_deliveries: Labelled<1, Counter>,
    exports: Labelled<2, Counter>,
    spans_dropped: Labelled<1, Counter>,
}

/// What an attempt is about, as far as metrics may tell it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttemptLabels {
    provider: &'static str,
    operation: &'static str,
}

impl AttemptLabels {
    /// A call of a tool.
    pub(crate) const TOOL_CALL: Self = Self { provider: declared::MCP, operation: declared::TOOL_CALL };

    pub(crate) fn new(provider: &str, operation: Operation) -> Self {
        Self { provider: labelled(provider), operation: operation.request_type() }
    }

    /// A request about what a provider keeps.
    pub(crate) fn object(provider: &str) -> Self {
        Self { provider: labelled(provider), operation: declared::PROVIDER_OBJECT }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) usage: Option<&'a Usage>,
    pub(crate) cost: NanoUsd,
    /// From when the request left to when the answer had ended.
    pub(crate) took: Duration,
    /// True when it was a stream that had begun.
    pub(crate) is_stream: bool,
}

/// Counts what becomes different about provider keys.
#[derive(Debug, Clone)]
pub(crate) struct KeyChanges(Labelled<1, Counter>);

impl Default for KeyChanges {
    fn default() -> Self {
        Self(declared::PROVIDER_KEY_CHANGES.labelled(Counter::default))
    }
}

impl KeyChanges {
    /// `change`: one of those that the table declares.
    pub(crate) fn count(&self, change: &'static str) {
        self.0.of([change]).inc();
    }
}

impl Metrics {
    pub(crate) fn new(key_changes: &KeyChanges) -> Self {
        use declared as of;
        let mut own = Registry::with_prefix(PREFIX);
        let registry = &mut own;
        of::PROVIDER_KEY_CHANGES.register(registry, key_changes.0.family());
        Self {
            attempts: of::ATTEMPTS.counters(registry),
            refusals: of::REFUSALS.counters(registry),
            tokens: of::TOKENS.counters(registry),
            units: of::UNITS.counters(registry),
            cost: of::COST.family(registry, Counter::default),
            in_flight: of::ATTEMPTS_IN_FLIGHT.register(registry, Gauge::default()),
            durations: of::ATTEMPT_DURATION.histograms(registry, seconds),
            first_bytes: of::FIRST_BYTE.histograms(registry, seconds),
            streams_cut: of::STREAMS_CUT.counters(registry),
            fallbacks: of::FALLBACKS.register(registry, Counter::default()),
            retries: of::RETRIES.register(registry, Counter::default()),
            provider_keys: of::PROVIDER_KEYS.family(registry, Gauge::default),
            routing_rule_failures: of::ROUTING_RULE_FAILURES.register(registry, Counter::default()),
            shadow_refusals: of::SHADOW_REFUSALS.counters(registry),
            open_attempts: of::OPEN_ATTEMPTS.register(registry, Gauge::default()),
            journal_bytes: of::JOURNAL.register(registry, Gauge::default()),
            journal_available: of::JOURNAL_AVAILABLE.register(registry, Gauge::default()),
            webhook_deliveries: of::WEBHOOK_DELIVERIES.counters(registry),
            exports: of::TELEMETRY_EXPORTS.counters(registry),
            spans_dropped: of::SPANS_DROPPED.counters(registry),
            registry: own,
        }
    }

    pub(crate) fn attempt_began(&self) {
        self.in_flight.inc();
    }

    /// The answer of an attempt began so long after its request had left.
    pub(crate) fn answer_began(&self, about: AttemptLabels, after: Duration) {
        self.first_bytes.of([about.provider, about.operation]).observe(after.as_secs_f64());
    }

    pub(crate) fn attempt_ended(&self, about: AttemptLabels, ended: Ended<'_>) {
        let Ended { outcome, usage, cost, took, is_stream } = ended;
        let AttemptLabels { provider, operation } = about;
        self.in_flight.dec();
        self.attempts.of([provider, operation, outcome.as_str()]).inc();
        for (class, count) in usage.copied().unwrap_or_default().counts.iter() {
            let family = match class.kind() {
                ClassKind::Input | ClassKind::Output => &self.tokens,
                ClassKind::Unit => &self.units,
            };
            family.of([provider, class.as_str()]).inc_by(count);
        }
        self.cost.of([provider]).inc_by(cost.to_string().parse().unwrap_or(0.0));
        self.durations.of([provider, operation]).observe(took.as_secs_f64());
        if is_stream {
            self.stream_ended(outcome);
        }
    }

    fn stream_ended(&self, outcome: Outcome) {
        let [client, provider] = declared::CUT_BY;
        let by = match outcome {
            Outcome::ClientCancelled => client,
            Outcome::TimedOut | Outcome::UpstreamError => provider,
            Outcome::Completed | Outcome::Abandoned => return,
        };
        self.streams_cut.of([by]).inc();
    }

    pub(crate) fn attempt_released(&self) {
        self.in_flight.dec();
    }

    /// A request got an error of Keyward's own.
    pub(crate) fn refused(&self, error: &ApiError) {
        let scope = error.limit_scope().map_or(declared::NO_SCOPE, ScopeKind::as_str);
        self.refusals.of([error.code().as_str(), scope]).inc();
    }

    pub(crate) fn fell_back(&self) {
        self.fallbacks.inc();
    }

    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    pub(crate) fn routing_rule_failed(&self) {
        self.routing_rule_failures.inc();
    }

    /// `outcome`: `delivered`, `failed` when it is tried again, `given_up` when it is not.
    pub(crate) fn webhook_attempted(&self, outcome: &'static str) {
        self.webhook_deliveries.of([outcome]).inc();
    }

    /// An attempt ended that these limits would have refused, had they done more than watch.
    pub(crate) fn overlooked(&self, limits: impl IntoIterator<Item = (ScopeKind, Metric)>) {
        for (scope, metric) in limits {
            self.shadow_refusals.of([scope.as_str(), metric.as_str()]).inc();
        }
    }

    /// So many spans did not fit into the queue.
    pub(crate) fn spans_dropped(&self, spans: u64) {
        let [queue_full, _] = declared::DROP_REASONS;
        self.spans_dropped.of([queue_full]).inc_by(spans);
    }

    /// A batch of spans was sent to the collector.
    pub(crate) fn spans_exported(&self, spans: u64, is_accepted: bool) {
        let [traces, _] = declared::SIGNALS;
        self.exported(traces, is_accepted);
        if !is_accepted {
            let [_, not_accepted] = declared::DROP_REASONS;
            self.spans_dropped.of([not_accepted]).inc_by(spans);
        }
    }

    /// The metrics were sent to the collector.
    pub(crate) fn metrics_exported(&self, is_accepted: bool) {
        let [_, metrics] = declared::SIGNALS;
        self.exported(metrics, is_accepted);
    }

    fn exported(&self, signal: &'static str, is_accepted: bool) {
        let [accepted, failed] = declared::EXPORT_OUTCOMES;
        self.exports.of([signal, if is_accepted { accepted } else { failed }]).inc();
    }

    /// The figures as text.
    pub(crate) fn text(&self, engine: &Engine, upstreams: &Upstreams) -> Result<String, std::fmt::Error> {
        let (journal, keys) = (engine.journal(), upstreams.conditions());
        for condition in Condition::ALL {
            self.provider_keys.of([condition.as_str()]).set(keys.get(&condition).copied().unwrap_or_default());
        }
        self.open_attempts.set(i64::try_from(engine.open_attempts()).unwrap_or(i64::MAX));
        self.journal_bytes.set(i64::try_from(journal.bytes()).unwrap_or(i64::MAX));
        self.journal_available.set(i64::from(journal.is_available()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn labelled(provider: &str) -> &'static str {
    provider_label(provider).unwrap_or(declared::OTHER)
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

#[cfg(test)]
mod tests;
