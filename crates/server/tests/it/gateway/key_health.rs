//! Provider keys that are limited, not accepted, or failing: passed over, told of, and used again.

use keyward_client::{SecretSource, UpdateProviderKey};
use serde_json::json;

use super::{called, error, metric, ok, retried, rule, secret_of, served, with_budget};
use crate::harness::{App, Scripted};

const MODEL: &str = "openai/gpt-4o-mini";
const NO_HEADER: (&str, &str) = ("", "");
const LIMITED: &str = "429 Too Many Requests";

fn change(what: &str) -> String {
    format!("keyward_provider_key_changes_total{{change=\"{what}\"}}")
}

fn condition(what: &str) -> String {
    format!("keyward_provider_keys{{condition=\"{what}\"}}")
}

/// A refusal of Keyward's own, which costs nothing, says until when, and whose limit it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_limited_key_is_passed_over_until_the_time_that_its_provider_said() {
    let app = App::start().await;
    let upstream = Scripted::start(vec![error(LIMITED, ("retry-after", "60"))]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 0).await;
    let key = app.key(with_budget("1")).await;
    assert_eq!(called(&app, &key, MODEL).await.header("x-keyward-error-source"), "provider");
    let reply = called(&app, &key, MODEL).await;
    assert_eq!(reply.error(), (429, "provider_key_limited".to_owned(), String::new()));
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("limited by the provider") && message.contains("'openai'"), "{message}");
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((30..=60).contains(&wait), "{wait}");
    assert_eq!((reply.header("x-should-retry"), reply.header("x-keyward-attempts")), ("true", "0"));
    // It was about the model: another one of the same key is not concerned.
    assert_eq!(called(&app, &key, "openai/gpt-4o").await.header("x-keyward-error-source"), "provider");
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!((metric(&app, &change("limited")).await, metric(&app, &condition("limited")).await), (Some(2), Some(1)));
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_key_serves_again_afterwards() {
    let app = App::start().await;
    let upstream = Scripted::in_turn(vec![vec![error(LIMITED, ("retry-after-ms", "100"))], vec![ok()]]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 0).await;
    let key = app.key(with_budget("1")).await;
    assert_eq!(called(&app, &key, MODEL).await.status, 429);
    loop {
        let reply = called(&app, &key, MODEL).await;
        if reply.status == 200 {
            break;
        }
        assert_eq!(reply.error().1, "provider_key_limited");
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_key_and_a_limited_provider_make_way_for_the_next_place() {
    let app = App::start().await;
    let upstream = Scripted::in_turn(vec![vec![error(LIMITED, ("retry-after", "60"))], vec![ok()]]).await;
    retried(&app, "openai", upstream.base_url(), &["a", "b"], 0).await;
    let key = app.key(with_budget("1")).await;
    assert_eq!(called(&app, &key, MODEL).await.status, 429);
    let limited = secret_of(&upstream.requests()[0]);
    let keys = app.client.provider_get(&"openai".into()).await.unwrap().keys;
    let limited = keys.iter().find(|key| key.name == format!("openai-{limited}")).unwrap().id.to_string();
    let pinned = |name: &str, more: serde_json::Value| {
        let mut body = json!({ "name": name, "cel_expression": format!("model == '{name}'"),
            "targets": [{ "provider": "openai", "model": "gpt-4o-mini", "key_id": limited, "weight": 1 }] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    rule(&app, pinned("alone", json!({}))).await;
    rule(&app, pinned("guarded", json!({ "fallbacks": ["demo/echo"] }))).await;
    assert_eq!(called(&app, &key, "alone").await.error().1, "provider_key_limited");
    assert_eq!(served(&called(&app, &key, "guarded").await), (200, "demo", "echo"));
    assert_eq!(called(&app, &key, MODEL).await.status, 200, "the other key serves");
    assert_ne!(secret_of(&upstream.requests()[1]), secret_of(&upstream.requests()[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_fails_again_and_again_is_left_alone() {
    let app = App::start().await;
    let upstream = Scripted::start(vec![error("500 Oops", NO_HEADER)]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 0).await;
    let key = app.key(with_budget("1")).await;
    for _ in 0..5 {
        assert_eq!(called(&app, &key, MODEL).await.status, 500);
    }
    let reply = called(&app, &key, MODEL).await;
    assert_eq!(reply.error().0, 503);
    assert_eq!(reply.error().1, "provider_key_unavailable");
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(called(&app, &key, "openai/gpt-4o").await.status, 503, "it is the key's");
    assert_eq!(upstream.requests().len(), 5);
    assert_eq!((metric(&app, &change("opened")).await, metric(&app, &condition("open")).await), (Some(1), Some(1)));
    assert_eq!(metric(&app, &condition("usable")).await, Some(1), "that of the demo");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_closes_the_breaker() {
    let app = App::builder().settings(|settings| settings.key_health.open_seconds = 0).start().await;
    let failing = vec![error("500 Oops", NO_HEADER)];
    let mut scripts = vec![failing; 6];
    scripts.push(vec![ok()]);
    let upstream = Scripted::in_turn(scripts).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 0).await;
    let key = app.key(with_budget("1")).await;
    for _ in 0..6 {
        assert_eq!(called(&app, &key, MODEL).await.status, 500);
    }
    for _ in 0..2 {
        assert_eq!(called(&app, &key, MODEL).await.status, 200);
    }
    for (what, times) in [("opened", 2), ("half_opened", 2), ("closed", 1)] {
        assert_eq!(metric(&app, &change(what)).await, Some(times), "{what}");
    }
    assert_eq!(metric(&app, &condition("usable")).await, Some(2));
}

/// What is known stays known through edits of anything else, and a new secret is a new key.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_accepted_rests_until_its_secret_is_another() {
    let app = App::start().await;
    let upstream = Scripted::in_turn(vec![vec![error("401 Unauthorized", NO_HEADER)], vec![ok()]]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 0).await;
    let key = app.key(with_budget("1")).await;
    assert_eq!(called(&app, &key, MODEL).await.status, 401);
    app.provider("other", app.simulator.base_url()).await;
    let provider = app.client.provider_get(&"openai".into()).await.unwrap();
    let id = provider.keys[0].id.clone();
    let heavier = UpdateProviderKey { weight: Some(0.5), ..UpdateProviderKey::default() };
    app.client.provider_key_update(&"openai".into(), &id, &heavier).await.unwrap();
    let reply = called(&app, &key, MODEL).await;
    assert_eq!((reply.status, reply.error().1.as_str()), (503, "provider_key_unavailable"));
    assert_eq!(metric(&app, &condition("rejected")).await, Some(1));
    let renewed = UpdateProviderKey { value: SecretSource::from_text("fake-secret-b").into(), ..Default::default() };
    app.client.provider_key_update(&"openai".into(), &id, &renewed).await.unwrap();
    assert_eq!(called(&app, &key, MODEL).await.status, 200);
    assert_eq!(secret_of(&upstream.requests()[1]), "b");
}

/// A rule that has less patience than the provider needs does not take the provider away from everyone.
#[tokio::test(flavor = "multi_thread")]
async fn a_rules_impatience_says_nothing_of_a_key() {
    let app = App::start().await;
    let upstream = Scripted::start(vec![crate::harness::Step::Silence]).await;
    retried(&app, "openai", upstream.base_url(), &["a"], 0).await;
    rule(&app, json!({ "name": "r", "provider": "openai", "model": "gpt-4o-mini", "ttft_timeout_ms": 1 })).await;
    let key = app.key(with_budget("10")).await;
    for _ in 0..7 {
        assert_eq!(called(&app, &key, MODEL).await.error().1, "upstream_timeout");
    }
}
