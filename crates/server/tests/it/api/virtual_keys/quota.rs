//! `GET /api/governance/virtual-keys/quota`

use keyward_client::{CreateModelConfig, CreateVirtualKey, NanoUsd, UpdateVirtualKey};

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
    let mut shown = caller.virtual_key_quota().await.unwrap();
    assert!(shown.budgets[0].per_model_usage.take().is_some(), "what only a quota tells");
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

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_each_budget_was_spent_on_and_the_limits_of_single_models() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let config = CreateModelConfig {
        model_name: "echo".to_owned(),
        scope: Some("virtual_key".to_owned()),
        scope_id: Some(key.id.clone()),
        rate_limit: requests(9, "1h").into(),
        ..CreateModelConfig::default()
    };
    app.client.model_config_create(&config).await.unwrap();
    for _ in 0..2 {
        app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    }
    // The books are written when the answer to an edit is there.
    app.client.virtual_key_update(&key.id, &UpdateVirtualKey::default()).await.unwrap();
    let quota = app.caller(&key).virtual_key_quota().await.unwrap();
    let [usage] = quota.budgets[0].per_model_usage.as_deref().unwrap() else { panic!("{quota:?}") };
    assert_eq!((usage.provider.as_str(), usage.model.as_str(), usage.total_requests), ("demo", "echo", 2));
    assert_eq!(usage.total_cost, quota.budgets[0].current_usage);
    assert!(usage.total_tokens > 0);
    let [model] = quota.model_configs.as_slice() else { panic!("{quota:?}") };
    assert_eq!((model.model_name.as_str(), &model.provider), ("echo", &None));
    assert_eq!(model.rate_limit.as_ref().unwrap().request_current_usage, 2);
}
