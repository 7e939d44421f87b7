//! Models that are named without a provider: who offers them, and by what weight.

use std::collections::BTreeSet;

use keyward_client::{CreateProvider, CreateVirtualKey, Patch, ProviderConfigInput, RateLimitInput, VirtualKey};

use super::{called, served};
use crate::harness::App;

fn config(provider: &str, models: &[&str], weight: Patch<f64>) -> ProviderConfigInput {
    let models: Vec<String> = models.iter().map(|model| (*model).to_owned()).collect();
    ProviderConfigInput {
        provider: Some(provider.into()),
        allowed_models: Some(models.try_into().unwrap()),
        weight,
        ..ProviderConfigInput::default()
    }
}

/// An app with two providers, and a key with these provider configs.
async fn with(configs: Vec<ProviderConfigInput>) -> (App, VirtualKey) {
    let app = App::start().await;
    app.provider("other", app.simulator.base_url()).await;
    let key = app.key(CreateVirtualKey { provider_configs: Some(configs), ..CreateVirtualKey::default() }).await;
    (app, key)
}

async fn providers(app: &App, key: &VirtualKey, model: &str, calls: usize) -> BTreeSet<String> {
    let mut providers = BTreeSet::new();
    for _ in 0..calls {
        let reply = called(app, key, model).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        providers.insert(reply.header("x-keyward-provider").to_owned());
    }
    providers
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_with_a_weight_share_the_requests() {
    let (app, key) = with(vec![config("demo", &["echo"], 0.5.into()), config("other", &["echo"], Patch::Absent)]).await;
    assert_eq!(providers(&app, &key, "echo", 60).await, names(&["demo", "other"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_a_weight_serves_by_name_only() {
    for weight in [Patch::Null, 0.0.into()] {
        let (app, key) = with(vec![config("demo", &["echo"], 1.0.into()), config("other", &["echo"], weight)]).await;
        assert_eq!(providers(&app, &key, "echo", 20).await, names(&["demo"]));
        assert_eq!(providers(&app, &key, "other/echo", 1).await, names(&["other"]));
    }
}

/// A wildcard says nothing of a model that the catalogue does not know, unless there is nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_known_to_have_the_model_is_asked() {
    let (app, key) = with(vec![config("demo", &["*"], 1.0.into()), config("other", &["*"], 1.0.into())]).await;
    assert_eq!(providers(&app, &key, "echo", 20).await, names(&["demo"]), "the catalogue knows demo/echo");
    let reply = called(&app, &key, "unheard-of").await;
    assert_eq!(reply.error(), (400, "invalid_request".to_owned(), "/model".to_owned()));
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("'provider/model'"), "{message}");
    let only = CreateVirtualKey {
        provider_configs: Some(vec![config("other", &["*"], 1.0.into())]),
        ..CreateVirtualKey::default()
    };
    let only = app.key(only).await;
    assert_eq!(providers(&app, &only, "unheard-of", 1).await, names(&["other"]));
    let all = app.key(CreateVirtualKey::default()).await;
    assert_eq!(providers(&app, &all, "echo", 20).await, names(&["demo"]));
    let none = app.key(CreateVirtualKey { provider_configs: Some(Vec::new()), ..CreateVirtualKey::default() }).await;
    assert_eq!(called(&app, &none, "echo").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_whose_own_limit_is_used_up_is_passed_over_while_another_can_serve() {
    let limit = RateLimitInput {
        request_max_limit: 1.into(),
        request_reset_duration: "1h".parse::<keyward_client::ResetDuration>().unwrap().into(),
        ..RateLimitInput::default()
    };
    let limited =
        |name| ProviderConfigInput { rate_limit: limit.clone().into(), ..config(name, &["echo"], 1.0.into()) };
    let (app, key) = with(vec![limited("demo"), limited("other")]).await;
    assert_eq!(providers(&app, &key, "echo", 2).await, names(&["demo", "other"]));
    let reply = called(&app, &key, "echo").await;
    assert_eq!((served(&reply).0, reply.error().1.as_str()), (429, "request_limited"));
}

/// A cloud that is only stored takes no share, although the key may use it.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_called_yet_takes_no_share() {
    let app = App::start().await;
    let azure = CreateProvider { name: "azure".to_owned(), ..CreateProvider::default() };
    app.client.provider_create(&azure).await.unwrap();
    let configs = vec![config("demo", &["echo"], 0.01.into()), config("azure", &["echo"], 1.0.into())];
    let key = app.key(CreateVirtualKey { provider_configs: Some(configs), ..CreateVirtualKey::default() }).await;
    assert_eq!(providers(&app, &key, "echo", 20).await, names(&["demo"]));
    assert_eq!(called(&app, &key, "azure/echo").await.error().1, "provider_not_supported");
}
