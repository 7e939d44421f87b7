//! The providers' official SDKs, as people have them, with nothing changed but base URL and key, through the real server.
//!
//! What an SDK returns is judged by its script below `tests/sdks/`; here it is judged what reached the provider and what was charged.

mod script;

use keyward_client::VirtualKey;
use serde_json::{Value, json};

use crate::gateway::replaying::{Priced, key_at, key_for, price_all, provide};
use crate::harness::{App, Fixture, Replay};
use script::{Language, Script};

/// An SDK, and what it is tried with.
struct Sdk {
    /// Of the scripts: `with_openai.py`, `with_openai.mjs`.
    name: &'static str,
    provider: &'static str,
    /// The directories of its fixtures.
    dialects: &'static [&'static str],
    /// Where it reads its base URL, and what that has after the origin.
    base_url: (&'static str, &'static str),
    /// Where it reads its key.
    key: &'static str,
    /// How many calls its scripts make that a budget refuses.
    refused: i64,
    /// True: it has a case that waits for a rate limit.
    waits: bool,
}

const OPENAI: Sdk = Sdk {
    name: "openai",
    provider: "openai",
    dialects: &[
        "openai-chat",
        "openai-completions",
        "openai-responses",
        "openai-embeddings",
        "openai-moderations",
        "openai-images",
        "openai-audio",
    ],
    base_url: ("OPENAI_BASE_URL", "/v1"),
    key: "OPENAI_API_KEY",
    refused: 4,
    waits: true,
};

const AZURE: Sdk = Sdk {
    name: "azure",
    provider: "azure",
    dialects: &["azure"],
    base_url: ("AZURE_OPENAI_ENDPOINT", ""),
    key: "AZURE_OPENAI_API_KEY",
    refused: 1,
    waits: false,
};

const ANTHROPIC: Sdk = Sdk {
    name: "anthropic",
    provider: "anthropic",
    dialects: &["anthropic-messages", "anthropic-count-tokens"],
    base_url: ("ANTHROPIC_BASE_URL", "/anthropic"),
    key: "ANTHROPIC_API_KEY",
    refused: 2,
    waits: true,
};

const GENAI: Sdk = Sdk {
    name: "genai",
    provider: "gemini",
    dialects: &["gemini-generate", "gemini-stream", "gemini-embed", "gemini-count-tokens"],
    base_url: ("GENAI_BASE_URL", "/genai"),
    key: "GENAI_API_KEY",
    refused: 2,
    waits: true,
};

#[tokio::test(flavor = "multi_thread")]
async fn openai_python() {
    works(&OPENAI, Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_node() {
    works(&OPENAI, Language::Node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_python() {
    works(&AZURE, Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_node() {
    works(&AZURE, Language::Node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropic_python() {
    works(&ANTHROPIC, Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropic_node() {
    works(&ANTHROPIC, Language::Node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn genai_python() {
    works(&GENAI, Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn genai_node() {
    works(&GENAI, Language::Node).await;
}

/// Runs all cases of an SDK, and looks at what is left of them: one ledger entry for each request that reached the provider, and
/// no more.
async fn works(sdk: &Sdk, language: Language) {
    let fixtures = sdk.dialects.iter().flat_map(|dialect| Fixture::of_dialect(dialect));
    let fixtures: Vec<_> = fixtures.filter(|one| one.case.provider == sdk.provider).collect();
    let upstream = Replay::start(fixtures).await;
    let app = App::start().await;
    provide(&app, sdk.provider, &upstream).await;
    price_all(&app, upstream.fixtures()).await;
    let keys = keys(&app, sdk, &upstream).await;

    let script = Script { sdk: sdk.name, language };
    let values: Value = keys.iter().map(|(purpose, key)| (purpose.clone(), Value::from(key.value.expose()))).collect();
    let environment = [
        (sdk.base_url.0, format!("{}{}", app.url, sdk.base_url.1)),
        (sdk.key, keys[0].1.value.expose().to_owned()),
        ("KEYWARD_KEYS", values.to_string()),
    ];
    script.run(&environment).await;
    upstream.go_on();

    settled(&app).await;
    let refusals = |code: &str| format!("keyward_refusals_total{{code=\"{code}\",scope=\"virtual_key\"}}");
    assert_eq!(
        figure(&app, &refusals("budget_exceeded")).await,
        Some(sdk.refused),
        "calls that a budget refused, each once"
    );
    if sdk.waits {
        assert!(figure(&app, &refusals("request_limited")).await >= Some(1), "nothing had to wait for a rate limit");
    }
    check_requests(&upstream);
    check_books(app, &upstream, &keys).await;
}

/// The virtual keys of a script, by what they are for; the first is for all that works.
async fn keys(app: &App, sdk: &Sdk, upstream: &Replay) -> Vec<(String, VirtualKey)> {
    let budget = |dollars: f64| json!({ "max_limit": dollars, "reset_duration": "1d" });
    let limit = json!({ "request_max_limit": 1, "request_reset_duration": "2s" });
    let made = |purpose: &str, limits: Value| (purpose.to_owned(), limits);
    let mut keys = Vec::new();
    for (purpose, limits) in [
        made("main", json!({ "budgets": [budget(1_000.0)] })),
        made("poor", json!({ "budgets": [budget(0.000_000_001)] })),
        made("limited", json!({ "budgets": [budget(1_000.0)], "rate_limit": limit })),
        made("narrow", json!({ "allowed_models": ["another-model"] })),
    ] {
        keys.push((purpose, key_at(app, upstream, sdk.provider, limits).await));
    }
    let own = upstream.fixtures().iter().filter(|one| one.is_error() || one.case.first.is_some());
    for fixture in own {
        keys.push((fixture.name.clone(), key_for(app, upstream, fixture, Priced::AsItIs).await));
    }
    keys
}

/// Waits until no attempt runs any more.
async fn settled(app: &App) {
    while figure(app, "keyward_attempts_in_flight").await != Some(0) {}
}

/// The value of a metric.
async fn figure(app: &App, name: &str) -> Option<i64> {
    let text = String::from_utf8(app.raw("GET", "/metrics").send().await.body).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// Every request is one that the provider knows, has the real key and has not the virtual one.
fn check_requests(upstream: &Replay) {
    let received = upstream.received();
    assert!(!received.is_empty());
    for request in received {
        let shown = format!("{} {}: {:?}", request.method, request.target, String::from_utf8_lossy(&request.body));
        assert!(!request.fixture.is_empty(), "{shown}");
        assert!(request.headers.iter().any(|(_, value)| value.ends_with("fake-provider-secret")), "{shown}");
        assert!(!format!("{request:?}").contains("sk-bf-"), "{shown}");
    }
}

/// One ledger entry for each request that reached the provider, at its price; and no hold that a restart would find.
async fn check_books(app: App, upstream: &Replay, keys: &[(String, VirtualKey)]) {
    let (store, _database) = app.restarted().await.stopped().await;
    let (mut entries, mut known, mut unreported) = (0, 0, 0);
    for (_, key) in keys {
        let totals = store.ledger_totals(key.id.clone()).await.unwrap();
        entries += totals.entries;
        known += totals.cost.nanos() - totals.unreported.nanos();
        unreported += totals.unreported.nanos();
    }
    let fixtures = upstream.fixtures();
    let received = upstream.received();
    let answered = received.iter().filter_map(|request| {
        let fixture = fixtures.iter().find(|one| one.name == request.fixture)?;
        (request.status == fixture.case.status).then_some((fixture.is_counted(), fixture.case.cost_nanos))
    });
    // What is read aloud tells nothing, and is charged by what was asked.
    let (counted, costs): (Vec<_>, Vec<_>) = answered.partition(|(is_counted, _)| *is_counted);
    let sum = |costs: &[(bool, Option<i64>)]| costs.iter().filter_map(|(_, cost)| *cost).sum::<i64>();
    let unknown = costs.iter().filter(|(_, cost)| cost.is_none()).count();
    let unreported = unreported - sum(&counted);
    assert_eq!(entries, i64::try_from(received.len()).unwrap(), "ledger entries");
    assert_eq!(known, sum(&costs), "nano-dollars");
    assert_eq!(unreported > 0, unknown > 0, "{unreported} nano-dollars for usage that no provider has told");
}
