//! Metrics in Prometheus' text format. Labels come from closed sets: no key, customer or model name is one.

use std::sync::atomic::AtomicU64;

use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::Outcome;
use keyward_core::meter::Metric;
use keyward_core::money::NanoUsd;
use keyward_core::price::{ClassKind, Usage};
use keyward_core::scope::ScopeKind;
use keyward_engine::Engine;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::upstreams::{Condition, Upstreams};

/// The figures of one server.
pub(crate) struct Metrics {
    registry: Registry,
    attempts: Family<AttemptLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    tokens: Family<ClassLabels, Counter>,
    units: Family<ClassLabels, Counter>,
    cost: Counter<f64, AtomicU64>,
    in_flight: Gauge,
    shadow_refusals: Family<MeterLabels, Counter>,
    open_attempts: Gauge,
    journal_bytes: Gauge,
    journal_available: Gauge,
    fallbacks: Counter,
    retries: Counter,
    provider_keys: Family<ConditionLabels, Gauge>,
    routing_rule_failures: Counter,
    webhook_deliveries: Family<DeliveryLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MeterLabels {
    scope: &'static str,
    metric: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConditionLabels {
    condition: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    change: &'static str,
}

/// Counts what becomes different about provider keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyChanges(Family<ChangeLabels, Counter>);

impl KeyChanges {
    pub(crate) fn count(&self, change: &'static str) {
        self.0.get_or_create(&ChangeLabels { change }).inc();
    }
}

impl Metrics {
    pub(crate) fn new(key_changes: KeyChanges) -> Self {
        let mut registry = Registry::with_prefix("keyward");
        let metrics = Self {
            attempts: Family::default(),
            refusals: Family::default(),
            tokens: Family::default(),
            units: Family::default(),
            cost: Counter::default(),
            in_flight: Gauge::default(),
            shadow_refusals: Family::default(),
            open_attempts: Gauge::default(),
            journal_bytes: Gauge::default(),
            journal_available: Gauge::default(),
            fallbacks: Counter::default(),
            retries: Counter::default(),
            provider_keys: Family::default(),
            routing_rule_failures: Counter::default(),
            webhook_deliveries: Family::default(),
            registry: Registry::default(),
        };
        registry.register("attempts", "Attempts that ended, by outcome", metrics.attempts.clone());
        registry.register(
            "refusals",
            "Gateway requests that got an error of Keyward's own, by code",
            metrics.refusals.clone(),
        );
        registry.register("tokens", "Tokens used, by class", metrics.tokens.clone());
        registry.register("units", "What is billed and is no token, by class", metrics.units.clone());
        registry.register_with_unit(
            "cost",
            "Money spent, for show: the ledger is exact",
            Unit::Other("usd".to_owned()),
            metrics.cost.clone(),
        );
        registry.register("attempts_in_flight", "Attempts that are running", metrics.in_flight.clone());
        registry.register("fallbacks", "Requests that went on to a fallback", metrics.fallbacks.clone());
        registry.register("retries", "Times that a provider was asked again", metrics.retries.clone());
        registry.register(
            "provider_key_changes",
            "Provider keys of which something became different: limited, rejected, opened, half_opened, closed",
            key_changes.0,
        );
        registry.register("provider_keys", "Provider keys, by how they stand", metrics.provider_keys.clone());
        registry.register(
            "routing_rule_failures",
            "Routing rules that were passed over because they could not be evaluated",
            metrics.routing_rule_failures.clone(),
        );
        registry.register(
            "webhook_deliveries",
            "Attempts to deliver an event to an endpoint, by what became of it",
            metrics.webhook_deliveries.clone(),
        );
        metrics.register_books(&mut registry);
        Self { registry, ..metrics }
    }

    /// What is known of holds and of the journal.
    fn register_books(&self, registry: &mut Registry) {
        registry.register(
            "shadow_refusals",
            "Limits that only watch and would have refused an attempt, by whose they are and what they count",
            self.shadow_refusals.clone(),
        );
        registry.register("open_attempts", "Attempts that hold something", self.open_attempts.clone());
        registry.register_with_unit("journal", "How much the journal has", Unit::Bytes, self.journal_bytes.clone());
        registry.register(
            "journal_available",
            "1 while the journal takes holds; while it is 0, nothing is admitted",
            self.journal_available.clone(),
        );
    }

    pub(crate) fn attempt_began(&self) {
        self.in_flight.inc();
    }

    pub(crate) fn attempt_ended(&self, outcome: Outcome, usage: Option<Usage>, cost: NanoUsd) {
        self.in_flight.dec();
        self.attempts.get_or_create(&AttemptLabels { outcome: outcome.as_str() }).inc();
        for (class, count) in usage.unwrap_or_default().counts.iter() {
            let family = match class.kind() {
                ClassKind::Input | ClassKind::Output => &self.tokens,
                ClassKind::Unit => &self.units,
            };
            family.get_or_create(&ClassLabels { class: class.as_str() }).inc_by(count);
        }
        self.cost.inc_by(cost.to_string().parse().unwrap_or(0.0));
    }

    pub(crate) fn attempt_released(&self) {
        self.in_flight.dec();
    }

    pub(crate) fn refused(&self, code: ErrorCode) {
        self.refusals.get_or_create(&RefusalLabels { code: code.as_str() }).inc();
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
        self.webhook_deliveries.get_or_create(&DeliveryLabels { outcome }).inc();
    }

    /// An attempt ended that these limits would have refused, had they done more than watch.
    pub(crate) fn overlooked(&self, limits: impl IntoIterator<Item = (ScopeKind, Metric)>) {
        for (scope, metric) in limits {
            self.shadow_refusals.get_or_create(&MeterLabels { scope: scope.as_str(), metric: metric.as_str() }).inc();
        }
    }

    /// The figures as text.
    pub(crate) fn text(&self, engine: &Engine, upstreams: &Upstreams) -> Result<String, std::fmt::Error> {
        let (journal, keys) = (engine.journal(), upstreams.conditions());
        for condition in Condition::ALL {
            let labels = ConditionLabels { condition: condition.as_str() };
            self.provider_keys.get_or_create(&labels).set(keys.get(&condition).copied().unwrap_or_default());
        }
        self.open_attempts.set(i64::try_from(engine.open_attempts()).unwrap_or(i64::MAX));
        self.journal_bytes.set(i64::try_from(journal.bytes()).unwrap_or(i64::MAX));
        self.journal_available.set(i64::from(journal.is_available()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
