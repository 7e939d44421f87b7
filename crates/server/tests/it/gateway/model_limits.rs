//! Limits of models and providers: they hold for everybody, or for one virtual key, on top of whatever a key has.

use keyward_client::{
    BudgetInput, CreateModelConfig, CreateVirtualKey, ModelBudgetInput, ProviderConfigInput, ResetDuration, ScopeKind,
    UpdateProviderGovernance, UpdateVirtualKey, VirtualKey,
};

use super::{chat, with_budget};
use crate::harness::App;

fn budget(dollars: &str) -> BudgetInput {
    BudgetInput::new(dollars.parse().unwrap(), ResetDuration::days(1))
}

fn tiny(model: &str, provider: Option<&str>) -> CreateModelConfig {
    CreateModelConfig {
        model_name: model.to_owned(),
        provider: provider.map(Into::into),
        budget: budget("0.000001").into(),
        ..CreateModelConfig::default()
    }
}

/// Whose limit refuses the key; none when it is served.
async fn refusal(app: &App, key: &VirtualKey) -> Option<(ScopeKind, String)> {
    let error = app.caller(key).chat_completion_create(&chat("demo/echo", "hi")).await.err()?;
    let scope = error.refusal().unwrap().scope.clone();
    Some((scope.kind, scope.id.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tier_refuses_a_key_that_has_no_limits_of_its_own_before_a_byte_leaves() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    for (model, provider, is_providers) in
        [("*", None, false), ("echo", None, false), ("*", Some("demo"), true), ("echo", Some("demo"), false)]
    {
        let config = app.client.model_config_create(&tiny(model, provider)).await.unwrap().model_config;
        let scope = match is_providers {
            true => (ScopeKind::Provider, "demo".to_owned()),
            false => (ScopeKind::ModelConfig, config.id.to_string()),
        };
        assert_eq!(refusal(&app, &key).await, Some(scope), "{model} {provider:?}");
        app.client.model_config_delete(&config.id).await.unwrap();
    }
    for (model, provider) in [("other", None), ("other", Some("demo"))] {
        app.client.model_config_create(&tiny(model, provider)).await.unwrap();
    }
    assert_eq!(app.simulator.bill().requests, 0);
    assert_eq!(refusal(&app, &key).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_provider_refuse_and_end_when_they_are_removed() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let request = UpdateProviderGovernance { budget: budget("0.000001").into(), ..Default::default() };
    app.client.provider_governance_update(&"demo".into(), &request).await.unwrap();
    assert_eq!(refusal(&app, &key).await, Some((ScopeKind::Provider, "demo".to_owned())));
    app.client.provider_governance_delete(&"demo".into()).await.unwrap();
    assert_eq!(refusal(&app, &key).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_for_a_virtual_key_leaves_others_alone() {
    let app = App::start().await;
    let (mine, others) = (app.key(CreateVirtualKey::default()).await, app.key(CreateVirtualKey::default()).await);
    let request = CreateModelConfig {
        scope: Some("virtual_key".to_owned()),
        scope_id: Some(mine.id.clone()),
        ..tiny("echo", None)
    };
    let config = app.client.model_config_create(&request).await.unwrap().model_config;
    assert_eq!(refusal(&app, &mine).await, Some((ScopeKind::VirtualKeyModelConfig, config.id.to_string())));
    assert_eq!(refusal(&app, &others).await, None);
}

/// A model budget holds for one model of a provider config, keeps its usage through edits, and is gone when it is left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_budget_holds_for_its_model_and_survives_edits() {
    let app = App::start().await;
    let models = |dollars: &str| {
        let input =
            ModelBudgetInput { model: Some("echo".into()), budget: budget(dollars).into(), ..Default::default() };
        ProviderConfigInput { provider: Some("demo".into()), model_budgets: vec![input].into(), ..Default::default() }
    };
    let request = CreateVirtualKey { provider_configs: Some(vec![models("1")]), ..CreateVirtualKey::default() };
    let key = app.key(request).await;
    let caller = app.caller(&key);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let shown = caller.virtual_key_quota().await.unwrap().provider_configs[0].model_budgets.clone();
    assert_eq!((shown.len(), shown[0].model.as_str()), (1, "echo"));
    let used = shown[0].budgets[0].current_usage;
    assert!(used.nanos() > 0);

    let edit = |configs: Vec<ProviderConfigInput>| UpdateVirtualKey {
        provider_configs: configs.into(),
        ..UpdateVirtualKey::default()
    };
    let lowered = app.client.virtual_key_update(&key.id, &edit(vec![models("0.000001")])).await.unwrap().virtual_key;
    let kept = &lowered.provider_configs[0].model_budgets[0];
    assert_eq!((&kept.id, kept.budgets[0].current_usage), (&shown[0].id, used));
    assert_eq!(refusal(&app, &key).await, Some((ScopeKind::ModelBudget, kept.id.to_string())));
    caller.chat_completion_create(&chat("demo/another", "hi")).await.unwrap();

    let untouched = ProviderConfigInput { provider: Some("demo".into()), ..ProviderConfigInput::default() };
    let after = app.client.virtual_key_update(&key.id, &edit(vec![untouched.clone()])).await.unwrap().virtual_key;
    assert_eq!(after.provider_configs[0].model_budgets, lowered.provider_configs[0].model_budgets);
    let without = ProviderConfigInput { model_budgets: Vec::new().into(), ..untouched };
    let after = app.client.virtual_key_update(&key.id, &edit(vec![without])).await.unwrap().virtual_key;
    assert!(after.provider_configs[0].model_budgets.is_empty());
    assert_eq!(refusal(&app, &key).await, None);
}

/// I4, over the wire: each budget that covers a call has the figure that the key's own has.
#[tokio::test(flavor = "multi_thread")]
async fn i4_every_budget_that_covers_a_call_is_charged_the_same_and_keeps_it_through_a_restart() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let mut ids = Vec::new();
    for (model, provider) in [("*", None), ("echo", None), ("*", Some("demo")), ("echo", Some("demo"))] {
        let request = CreateModelConfig { budget: budget("1").into(), ..tiny(model, provider) };
        ids.push(app.client.model_config_create(&request).await.unwrap().model_config.id);
    }
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let app = app.restarted().await;
    let used = app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage;
    assert!(used.nanos() > 0);
    for id in ids {
        assert_eq!(app.client.model_config_get(&id).await.unwrap().budgets[0].current_usage, used);
    }
}
