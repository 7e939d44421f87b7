//! The forms of the figures, without a server.

use keyward_core::meter::OutputClamp;
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::window::Window;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn level(kind: ScopeKind, metric: Metric, cap: i64, used: i64, end: Option<i64>) -> MeterLevel {
    let window = Window { start: at(0), end: at(end.unwrap_or(1_000)) };
    MeterLevel {
        scope: Scope { kind, id: "an id".into() },
        limit: "a limit".into(),
        metric,
        enforcement: Enforcement::Hard,
        clamp: OutputClamp::WhenAbsent,
        window,
        resets_at: end.map(at),
        cap,
        used,
        held: 0,
    }
}

#[test]
fn durations_are_written_as_openai_writes_them() {
    let written = [0, 17, 1_000, 1_500, 8_640, 360_000, 59_999, 3_600_000, 86_400_000, 90_061_050].map(in_words);
    let expected = ["0s", "17ms", "1s", "1.5s", "8.64s", "6m0s", "59.999s", "1h0m0s", "24h0m0s", "25h1m1.05s"];
    assert_eq!(written, expected);
}

#[test]
fn each_meter_is_an_item_of_both_lists_and_names_are_not_ids() {
    let levels = [
        level(ScopeKind::VirtualKey, Metric::ParallelRequests, 5, 2, None),
        level(ScopeKind::VirtualKey, Metric::Requests, 100, 50, Some(60)),
        level(ScopeKind::Team, Metric::Cost, 2_000_001_999, 500_000_001, Some(86_400)),
        level(ScopeKind::VirtualKey, Metric::Cost, 1, 2, None),
        level(ScopeKind::VirtualKey, Metric::Cost, i64::MAX, 0, Some(60)),
    ];
    let (policies, standings) = listed(&levels, at(30));
    let expected = [
        "\"virtual_key.parallel_requests\";q=5;qu=\"concurrent-requests\"",
        "\"virtual_key.requests\";q=100;qu=\"requests\";w=60",
        "\"team.cost\";q=2000001;qu=\"micro-usd\";w=86400",
        "\"virtual_key.cost\";q=0;qu=\"micro-usd\"",
        "\"virtual_key.cost.2\";q=999999999999999;qu=\"micro-usd\";w=60",
    ];
    assert_eq!(policies, expected.join(", "));
    let expected = [
        "\"virtual_key.parallel_requests\";r=3",
        "\"virtual_key.requests\";r=50;t=30",
        "\"team.cost\";r=1500001;t=86370",
        "\"virtual_key.cost\";r=0",
        "\"virtual_key.cost.2\";r=999999999999999;t=30",
    ];
    assert_eq!(standings, expected.join(", "));
}

#[test]
fn the_tightest_meter_has_the_least_left_and_of_several_is_the_first() {
    let levels = [
        level(ScopeKind::Customer, Metric::Tokens, 100, 10, Some(60)),
        level(ScopeKind::Team, Metric::Tokens, 30, 20, Some(60)),
        level(ScopeKind::VirtualKey, Metric::Tokens, 1_000, 990, Some(60)),
    ];
    assert_eq!(tightest(&levels, Metric::Tokens).unwrap().scope.kind, ScopeKind::Team);
    assert_eq!(tightest(&levels, Metric::Requests), None);
}

/// A reset is never told too early.
#[test]
fn what_is_left_of_a_window_is_rounded_up() {
    let limit = level(ScopeKind::Team, Metric::Requests, 1, 0, Some(60));
    let now = Timestamp::from_nanosecond(57_999_999_999).unwrap();
    assert_eq!(wait(&limit, now), Some(2_001));
    assert_eq!(listed(std::slice::from_ref(&limit), now).1, "\"team.requests\";r=1;t=3");
    assert_eq!(wait(&limit, at(70)), Some(0));
}
