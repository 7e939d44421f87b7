//! Policy: which providers and models a key may use, and what a model without a price does.

use keyward_client::{CreateVirtualKey, ProviderConfigInput};
use keyward_server::config::UnpricedModels;

use crate::gateway::{chat, with_budget};
use crate::harness::App;

async fn refused(app: &App, request: CreateVirtualKey, model: &str) -> (u16, String) {
    let key = app.key(request).await;
    let error = app.caller(&key).chat_completion_create(&chat(model, "hi")).await.unwrap_err();
    (error.status().unwrap(), error.code().unwrap().to_owned())
}

fn config(change: impl FnOnce(&mut ProviderConfigInput)) -> CreateVirtualKey {
    let mut config = ProviderConfigInput { provider: Some("demo".into()), ..ProviderConfigInput::default() };
    change(&mut config);
    CreateVirtualKey { provider_configs: Some(vec![config]), ..CreateVirtualKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_decide_who_may_use_what() {
    let app = App::start().await;
    app.provider("other", app.simulator.base_url()).await;
    let models = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>().try_into().unwrap());
    let nothing = CreateVirtualKey { provider_configs: Some(Vec::new()), ..CreateVirtualKey::default() };
    for (request, model, status, code) in [
        (nothing, "demo/echo", 403, "provider_blocked"),
        (config(|_| {}), "other/echo", 403, "provider_blocked"),
        (config(|config| config.allowed_models = models(&[])), "demo/echo", 403, "model_blocked"),
        (config(|config| config.allowed_models = models(&["echo-2"])), "demo/echo", 403, "model_blocked"),
        (config(|config| config.blacklisted_models = models(&["echo"])), "demo/echo", 403, "model_blocked"),
        (config(|config| config.key_ids = Some(Vec::new())), "demo/echo", 503, "provider_key_unavailable"),
        (CreateVirtualKey::default(), "echo-9", 400, "invalid_request"),
        (CreateVirtualKey::default(), "/echo", 400, "invalid_request"),
        (CreateVirtualKey::default(), "demo/\0", 400, "invalid_request"),
        (CreateVirtualKey::default(), "demo/\u{85}", 400, "invalid_request"),
        (CreateVirtualKey::default(), &format!("demo/{}", "x".repeat(252)), 400, "invalid_request"),
        (CreateVirtualKey::default(), "nowhere/echo", 404, "provider_not_found"),
    ] {
        assert_eq!(refused(&app, request, model).await, (status, code.to_owned()));
    }
    for request in
        [config(|_| {}), config(|config| config.allowed_models = models(&["echo"])), CreateVirtualKey::default()]
    {
        let key = app.key(request).await;
        app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_price_is_refused_under_a_budget_unless_configured() {
    let app = App::start().await;
    assert_eq!(refused(&app, with_budget("1"), "demo/unpriced").await, (403, "model_price_unknown".to_owned()));
    let key = app.key(CreateVirtualKey::default()).await;
    app.caller(&key).chat_completion_create(&chat("demo/unpriced", "hi")).await.unwrap();

    let app = App::builder().settings(|settings| settings.unpriced_models = UnpricedModels::Free).start().await;
    let key = app.key(with_budget("1")).await;
    app.caller(&key).chat_completion_create(&chat("demo/unpriced", "hi")).await.unwrap();
}
