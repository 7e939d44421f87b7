//! What limits become when they are enforced: meters, with what was said of them and the server's defaults for the rest.

use keyward_core::limits::Limits;
use keyward_core::meter::{Enforcement, EnforcementDefaults, Metric, OutputClamp};
use keyward_core::scope::{Scope, ScopeKind};
use keyward_core::virtual_key::VirtualKey;
use keyward_core::window::WindowPolicy;

const KEY: &str = r#"{
    "id": "vk", "name": "key", "value": "redacted", "description": "", "is_active": true, "allow_all_providers": true,
    "provider_configs": [], "mcp_configs": [], "keys": [], "calendar_aligned": false, "config_hash": "",
    "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "max_parallel_requests": 3,
    "budgets": [{
        "id": "b", "max_limit": 1, "reset_duration": "never", "calendar_aligned": false, "timezone": "UTC",
        "last_reset": "2026-01-01T00:00:00Z", "resets_at": null, "current_usage": 0, "config_hash": "",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"
    }],
    "rate_limit": {
        "id": "r", "token_max_limit": 5, "token_reset_duration": "1d", "token_current_usage": 0,
        "token_last_reset": "2026-01-01T00:00:00Z", "request_max_limit": 7, "request_reset_duration": "1m",
        "request_current_usage": 0, "request_last_reset": "2026-01-01T00:00:00Z", "calendar_aligned": true,
        "config_hash": "", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"
    }
}"#;

fn key() -> VirtualKey {
    serde_json::from_str(KEY).unwrap()
}

fn held(limits: &Limits, defaults: &EnforcementDefaults) -> Vec<(Metric, Enforcement, OutputClamp)> {
    let scope = Scope { kind: ScopeKind::VirtualKey, id: "vk".into() };
    limits.meters(&scope, defaults).map(|meter| (meter.id.metric, meter.enforcement, meter.clamp)).collect()
}

#[test]
fn what_a_limit_says_wins_over_the_servers_default_and_that_over_ours() {
    use Enforcement::{Hard, Shadow, Soft};
    use OutputClamp::{Never, WhenAbsent};
    let mut limits = key().limits();
    let ours = EnforcementDefaults::default();
    let servers = EnforcementDefaults { budgets: Some(Soft), tokens: Some(Hard), requests: Some(Shadow) };
    let meters = |limits: &Limits, defaults, clamp, [tokens, requests, cost]: [Enforcement; 3]| {
        let expected = [(Metric::Tokens, tokens), (Metric::Requests, requests), (Metric::Cost, cost)];
        assert_eq!(held(limits, defaults), expected.map(|(metric, enforcement)| (metric, enforcement, clamp)));
    };
    meters(&limits, &ours, WhenAbsent, [Soft, Hard, Hard]);
    meters(&limits, &servers, WhenAbsent, [Hard, Shadow, Soft]);
    limits.budgets[0].enforcement = Some(Shadow);
    limits.budgets[0].output_clamp = Some(Never);
    limits.rate_limit.as_mut().unwrap().enforcement = Some(Soft);
    limits.rate_limit.as_mut().unwrap().output_clamp = Some(Never);
    meters(&limits, &servers, Never, [Soft, Soft, Shadow]);
}

#[test]
fn windows_are_those_that_the_limit_asks_for() {
    let scope = Scope { kind: ScopeKind::VirtualKey, id: "vk".into() };
    let limits = key().limits();
    let windows: Vec<WindowPolicy> =
        limits.meters(&scope, &EnforcementDefaults::default()).map(|meter| meter.windows).collect();
    let [tokens, requests, cost] = windows.as_slice() else { panic!("{windows:?}") };
    assert!(matches!(tokens, WindowPolicy::Calendar { .. }), "{tokens:?}");
    assert!(matches!(requests, WindowPolicy::Rolling(_)), "a minute cannot be aligned: {requests:?}");
    assert_eq!(*cost, WindowPolicy::Never);
}

#[test]
fn a_cap_on_parallel_requests_is_a_hard_meter_of_the_key() {
    let meter = key().parallel_meter().unwrap();
    assert_eq!((meter.id.limit.as_str(), meter.id.metric, meter.cap), ("vk", Metric::ParallelRequests, 3));
    assert_eq!((meter.scope.kind, meter.enforcement), (ScopeKind::VirtualKey, Enforcement::Hard));
    assert_eq!(meter.windows.end(meter.window_at(meter.anchor)), None);
    assert!(VirtualKey { max_parallel_requests: None, ..key() }.parallel_meter().is_none());
}
