//! Sessions: the requests of one go to one provider and one key, as long as those serve.

use std::collections::BTreeSet;

use keyward_client::{CreateVirtualKey, ProviderConfigInput, VirtualKey};
use serde_json::json;

use super::{error, ok, retried, secret_of};
use crate::harness::{App, Reply, Scripted};

async fn called(app: &App, key: &VirtualKey, model: &str, (header, session): (&str, &str)) -> Reply {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    let request = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    request.header(header, session).body(body).send().await
}

fn config(provider: &str) -> ProviderConfigInput {
    ProviderConfigInput {
        provider: Some(provider.into()),
        allowed_models: Some(vec!["echo".to_owned()].try_into().unwrap()),
        ..ProviderConfigInput::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stays_with_one_provider_and_one_key() {
    let app = App::start().await;
    let upstream = Scripted::start(vec![ok()]).await;
    retried(&app, "openai", upstream.base_url(), &["a", "b", "c"], 0).await;
    retried(&app, "other", upstream.base_url(), &["d", "e", "f"], 0).await;
    let configs = vec![config("openai"), config("other")];
    let key = app.key(CreateVirtualKey { provider_configs: Some(configs), ..CreateVirtualKey::default() }).await;
    let mut all = BTreeSet::new();
    for session in 0..12 {
        let mut one = BTreeSet::new();
        for header in ["x-keyward-session", "X-Bf-Session-Id", "x-keyward-session"] {
            let reply = called(&app, &key, "echo", (header, &format!("session-{session}"))).await;
            assert_eq!(reply.status, 200);
            let secret = secret_of(upstream.requests().last().unwrap());
            one.insert((reply.header("x-keyward-provider").to_owned(), secret));
        }
        assert_eq!(one.len(), 1, "{one:?}");
        all.extend(one);
    }
    assert!(all.len() > 3, "twelve sessions spread: {all:?}");
    assert!(upstream.requests().iter().all(|request| !request.to_lowercase().contains("session")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_moves_to_its_next_key_while_its_own_does_not_serve() {
    let app = App::start().await;
    let limited = vec![error("429 Too Many Requests", ("retry-after", "60"))];
    let upstream = Scripted::in_turn(vec![vec![ok()], limited, vec![ok()]]).await;
    retried(&app, "openai", upstream.base_url(), &["a", "b", "c"], 1).await;
    let key = app.key(CreateVirtualKey::default()).await;
    for _ in 0..4 {
        assert_eq!(called(&app, &key, "openai/m", ("x-keyward-session", "s")).await.status, 200);
    }
    let keys: Vec<String> = upstream.requests().iter().map(|request| secret_of(request)).collect();
    let (own, next) = (&keys[0], &keys[2]);
    assert!(own != next && keys == [own, own, next, next, next].map(Clone::clone), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_one_is_refused() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let reply = called(&app, &key, "demo/echo", ("x-keyward-session", &"s".repeat(256))).await;
    assert_eq!(reply.error(), (400, "invalid_request".to_owned(), "x-keyward-session".to_owned()));
    assert_eq!(called(&app, &key, "demo/echo", ("x-keyward-session", "")).await.status, 200);
}
