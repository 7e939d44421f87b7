//! Whether what is registered is what is declared, and whether its labels stay in their sets.

use std::collections::BTreeSet;

use keyward_core::error_code::ErrorCode;
use keyward_core::price::Class;

use super::*;

/// The text of a server that has seen everything.
fn text() -> String {
    let key_changes = KeyChanges::default();
    let metrics = Metrics::new(&key_changes);
    key_changes.count("opened");
    metrics.provider_keys.of([Condition::Open.as_str()]).set(1);
    let about = AttemptLabels::new("my-own-provider", Operation::Messages);
    let mut usage = Usage::default();
    Class::ALL.iter().for_each(|class| *usage.counts.get_mut(*class) = 1);
    for outcome in Outcome::ALL {
        let ended =
            Ended { outcome, usage: Some(&usage), cost: NanoUsd::from_nanos(1), took: Duration::ZERO, is_stream: true };
        metrics.attempt_ended(about, ended);
    }
    metrics.answer_began(AttemptLabels::new("openai", Operation::Speech), Duration::from_millis(30));
    metrics.refused(&ApiError::new(ErrorCode::ModelBlocked, "no"));
    metrics.overlooked([(ScopeKind::Customer, Metric::Cost)]);
    metrics.webhook_attempted("failed");
    metrics.spans_dropped(1);
    metrics.spans_exported(2, false);
    metrics.metrics_exported(true);
    let mut text = String::new();
    encode(&mut text, &metrics.registry).unwrap();
    text
}

#[test]
fn what_is_registered_is_what_is_declared() {
    let text = text();
    let registered: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let declared: Vec<String> =
        rows().iter().map(|row| format!("{} {}", row.name.trim_end_matches("_total"), row.kind.as_str())).collect();
    assert_eq!(registered, declared.iter().map(String::as_str).collect());
}

#[test]
fn every_label_is_declared_and_every_value_is_of_its_set() {
    let (text, rows) = (text(), rows());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let mut seen = 0;
    for (name, rest) in samples.filter_map(|line| line.split_once('{')) {
        let stem = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        let row = rows.iter().find(|row| row.name == stem).unwrap_or_else(|| panic!("{name} is not declared"));
        let (labels, _) = rest.split_once('}').unwrap();
        for (label, value) in labels.split(',').map(|label| label.split_once('=').unwrap()) {
            let (value, is_bound) = (value.trim_matches('"'), label == "le");
            let known = row.labels.iter().find(|known| known.name == label);
            assert!(is_bound || known.is_some_and(|known| (known.values)().contains(&value)), "{name} {label}={value}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn a_provider_that_nobody_knows_has_no_name_of_its_own() {
    let text = text();
    assert!(!text.contains("my-own-provider"), "{text}");
    let line = "keyward_attempts_total{provider=\"other\",operation=\"chat_completion\",outcome=\"completed\"} 1";
    assert!(text.lines().any(|found| found == line), "{text}");
    assert!(text.contains("keyward_streams_cut_total{by=\"client\"} 1\n"), "{text}");
    assert!(text.contains("keyward_streams_cut_total{by=\"provider\"} 2\n"), "{text}");
}
