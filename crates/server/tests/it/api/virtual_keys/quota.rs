//! `GET /api/governance/virtual-keys/quota`

use keyward_client::{CreateVirtualKey, NanoUsd};

use super::super::{VIRTUAL_KEYS, refused, requests};
use super::{demo_key, dressed};
use crate::gateway::{chat, with_budget};
use crate::harness::{App, Reply};

async fn quota(app: &App, headers: &[(&str, &str)]) -> Reply {
    let request = app.raw("GET", &format!("{VIRTUAL_KEYS}/quota"));
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_of_the_five_headers_carries_the_key() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let secret = key.value.expose();
    let bearer = format!("Bearer {secret}");
    for header in [
        ("x-bf-vk", secret),
        ("authorization", &bearer),
        ("x-api-key", secret),
        ("x-goog-api-key", secret),
        ("api-key", secret),
    ] {
        let reply = quota(&app, &[header]).await;
        assert_eq!((reply.status, &reply.json()["virtual_key_name"]), (200, &key.name.as_str().into()), "{}", header.0);
    }
    let reply = quota(&app, &[("x-bf-vk", secret), ("authorization", &bearer), ("x-api-key", "sk-foreign")]).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_unknown_and_conflicting_keys_are_refused() {
    let app = App::start().await;
    let (one, other) = (app.key(CreateVirtualKey::default()).await, app.key(CreateVirtualKey::default()).await);
    let (one, other) = (one.value.expose(), other.value.expose());
    let unknown = "sk-bf-00000000-0000-4000-8000-000000000000";
    for (headers, expected) in [
        (&[][..], (401, "virtual_key_required")),
        (&[("x-bf-vk", unknown)], (401, "invalid_api_key")),
        (&[("x-bf-vk", "")], (401, "invalid_api_key")),
        (&[("authorization", "Bearer sk-foreign")], (401, "invalid_api_key")),
        (&[("authorization", "Basic YWRtaW46cGFzcw==")], (401, "invalid_api_key")),
        (&[("x-bf-vk", one), ("x-api-key", other)], (400, "conflicting_credentials")),
        (&[("x-bf-vk", one), ("x-bf-vk", other)], (400, "conflicting_credentials")),
    ] {
        let reply = quota(&app, headers).await;
        let (status, code, _) = reply.error();
        assert_eq!((status, code.as_str()), expected, "{headers:?}");
        assert!(!String::from_utf8(reply.body).unwrap().contains(one), "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_what_is_left_and_no_secret() {
    let app = App::start().await;
    let provider_key = demo_key(&app, "second").await;
    let configs = Some(vec![dressed(provider_key.clone())]);
    let request =
        CreateVirtualKey { provider_configs: configs, rate_limit: requests(9, "1h").into(), ..with_budget("1") };
    let key = app.key(request).await;
    let caller = app.caller(&key);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let shown = caller.virtual_key_quota().await.unwrap();
    let admins = app.client.virtual_key_get(&key.id).await.unwrap();
    assert!(shown.is_active && shown.budgets[0].current_usage > NanoUsd::ZERO);
    assert_eq!((shown.budgets, shown.rate_limit.as_ref()), (admins.budgets, admins.rate_limit.as_ref()));
    assert_eq!(shown.rate_limit.unwrap().request_current_usage, 1);
    assert_eq!(shown.provider_configs[0].budgets, admins.provider_configs[0].budgets);
    assert!(shown.provider_configs[0].keys.is_empty());
    let text = String::from_utf8(quota(&app, &[("x-bf-vk", key.value.expose())]).await.body).unwrap();
    for hidden in [key.value.expose(), "sk-b", provider_key.as_str(), "second", "not-a-secret-either"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_for_keys_that_the_gateway_refuses() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey { is_active: Some(false), ..CreateVirtualKey::default() }).await;
    let caller = app.caller(&key);
    assert!(!caller.virtual_key_quota().await.unwrap().is_active);
    let error = refused(caller.chat_completion_create(&chat("demo/echo", "hi")).await);
    assert_eq!((error.status, error.raw_code.as_str()), (403, "virtual_key_blocked"));
}
