//! Every metric in Prometheus' format: the one table that they are registered from, and that docs/observability.md shows.

use keyward_core::error_code::ErrorCode;
use keyward_core::ledger::Outcome;
use keyward_core::meter::Metric;
use keyward_core::operation::Operation;
use keyward_core::price::{Class, ClassKind};
use keyward_core::provider::{DEMO_PROVIDER, KnownProvider};
use keyward_core::scope::ScopeKind;

use super::family::{Declared, Kind, Label, Row};
use crate::upstreams::Condition;

/// Stands for a provider that is not known by name.
pub(super) const OTHER: &str = "other";
/// Stands for every MCP server.
pub(super) const MCP: &str = "mcp";
/// A call of a tool.
pub(super) const TOOL_CALL: &str = "mcp_tool_call";
/// A request about what a provider keeps: a response, a file, a batch.
pub(super) const PROVIDER_OBJECT: &str = "provider_object";
/// Stands for the scope of a refusal that no limit made.
pub(super) const NO_SCOPE: &str = "none";
/// Who cut a stream.
pub(super) const CUT_BY: [&str; 2] = ["client", "provider"];
/// What becomes of a delivery.
const DELIVERY_OUTCOMES: [&str; 3] = ["delivered", "failed", "given_up"];
/// What becomes different about a provider key.
const KEY_CHANGES: [&str; 5] = ["limited", "rejected", "opened", "half_opened", "closed"];
/// What is exported.
pub(super) const SIGNALS: [&str; 2] = ["traces", "metrics"];
/// What became of an export.
pub(super) const EXPORT_OUTCOMES: [&str; 2] = ["accepted", "failed"];
/// Why a span was dropped.
pub(super) const DROP_REASONS: [&str; 2] = ["queue_full", "not_accepted"];

const PROVIDER: Label = Label { name: "provider", values: providers };
const OPERATION: Label = Label { name: "operation", values: operations };
const OUTCOME: Label = Label { name: "outcome", values: || Outcome::ALL.map(Outcome::as_str).to_vec() };
const CODE: Label = Label { name: "code", values: || ErrorCode::ALL.iter().map(|code| code.as_str()).collect() };
const REFUSING_SCOPE: Label = Label { name: "scope", values: || scopes().into_iter().chain([NO_SCOPE]).collect() };
const SCOPE: Label = Label { name: "scope", values: scopes };
const METRIC: Label = Label { name: "metric", values: || Metric::ALL.map(Metric::as_str).to_vec() };
const TOKEN_CLASS: Label = Label { name: "class", values: || classes(|kind| kind != ClassKind::Unit) };
const UNIT_CLASS: Label = Label { name: "class", values: || classes(|kind| kind == ClassKind::Unit) };
const CONDITION: Label = Label { name: "condition", values: || Condition::ALL.map(Condition::as_str).to_vec() };
const CHANGE: Label = Label { name: "change", values: || KEY_CHANGES.to_vec() };
const BY: Label = Label { name: "by", values: || CUT_BY.to_vec() };
const DELIVERY_OUTCOME: Label = Label { name: "outcome", values: || DELIVERY_OUTCOMES.to_vec() };
const SIGNAL: Label = Label { name: "signal", values: || SIGNALS.to_vec() };
const EXPORT_OUTCOME: Label = Label { name: "outcome", values: || EXPORT_OUTCOMES.to_vec() };
const REASON: Label = Label { name: "reason", values: || DROP_REASONS.to_vec() };

macro_rules! declared {
    ($($constant:ident = $kind:ident $name:literal, $unit:expr, [$($label:ident),*], $help:literal;)+) => {
        $(
            pub(super) const $constant: Declared<{ [$(stringify!($label).len(),)* 0].len() - 1 }> = Declared {
                name: $name,
                kind: Kind::$kind,
                unit: $unit,
                labels: [$($label),*],
                help: $help,
            };
        )+

        /// Every metric.
        pub(crate) fn rows() -> Vec<Row> {
            vec![$($constant.row(),)+]
        }
    };
}

declared! {
    ATTEMPTS = Counter "attempts", None, [PROVIDER, OPERATION, OUTCOME], "Attempts that ended";
    REFUSALS = Counter "refusals", None, [CODE, REFUSING_SCOPE],
        "Gateway requests that got an error of Keyward's own, by code, and by whose limit refused it";
    TOKENS = Counter "tokens", None, [PROVIDER, TOKEN_CLASS], "Tokens used";
    UNITS = Counter "units", None, [PROVIDER, UNIT_CLASS], "Billed units other than tokens";
    COST = Counter "cost", Some("usd"), [PROVIDER], "Money spent, for show: the ledger is exact";
    ATTEMPTS_IN_FLIGHT = Gauge "attempts_in_flight", None, [], "Attempts that are running";
    ATTEMPT_DURATION = Histogram "attempt_duration", Some("seconds"), [PROVIDER, OPERATION],
        "From when a request left for its provider to when its answer had ended";
    FIRST_BYTE = Histogram "time_to_first_byte", Some("seconds"), [PROVIDER, OPERATION],
        "From when a request left for its provider to when its answer began";
    STREAMS_CUT = Counter "streams_cut", None, [BY], "Streams that ended before they were complete, by who cut them";
    FALLBACKS = Counter "fallbacks", None, [], "Requests that went on to a fallback";
    RETRIES = Counter "retries", None, [], "Times that a provider was asked again";
    PROVIDER_KEYS = Gauge "provider_keys", None, [CONDITION], "Provider keys, by how they stand";
    PROVIDER_KEY_CHANGES = Counter "provider_key_changes", None, [CHANGE],
        "Provider keys of which something became different";
    ROUTING_RULE_FAILURES = Counter "routing_rule_failures", None, [],
        "Routing rules that were passed over because they could not be evaluated";
    SHADOW_REFUSALS = Counter "shadow_refusals", None, [SCOPE, METRIC],
        "Limits that only watch and would have refused an attempt, by whose they are and what they count";
    OPEN_ATTEMPTS = Gauge "open_attempts", None, [], "Attempts that hold something";
    JOURNAL = Gauge "journal", Some("bytes"), [], "How much the journal has";
    JOURNAL_AVAILABLE = Gauge "journal_available", None, [],
        "1 while the journal takes holds; while it is 0, nothing is admitted";
    WEBHOOK_DELIVERIES = Counter "webhook_deliveries", None, [DELIVERY_OUTCOME],
        "Attempts to deliver an event to an endpoint, by what became of it";
    TELEMETRY_EXPORTS = Counter "telemetry_exports", None, [SIGNAL, EXPORT_OUTCOME],
        "Batches that were sent to the OpenTelemetry collector";
    SPANS_DROPPED = Counter "telemetry_spans_dropped", None, [REASON],
        "Spans that the OpenTelemetry collector does not get";
}

/// The name of a provider that is known: those are a closed set.
pub(crate) fn provider_label(name: &str) -> Option<&'static str> {
    let known = KnownProvider::find(name).map(|known| known.name);
    known.or_else(|| (name == DEMO_PROVIDER).then_some(DEMO_PROVIDER))
}

fn providers() -> Vec<&'static str> {
    KnownProvider::names().chain([DEMO_PROVIDER, MCP, OTHER]).collect()
}

fn operations() -> Vec<&'static str> {
    let mut kinds: Vec<_> =
        Operation::ALL.iter().map(|operation| operation.request_type()).chain([TOOL_CALL, PROVIDER_OBJECT]).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn scopes() -> Vec<&'static str> {
    ScopeKind::ALL.map(ScopeKind::as_str).to_vec()
}

fn classes(of: impl Fn(ClassKind) -> bool) -> Vec<&'static str> {
    Class::ALL.iter().filter(|class| of(class.kind())).map(|class| class.as_str()).collect()
}
