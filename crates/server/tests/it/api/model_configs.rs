//! `/api/governance/model-configs`

use keyward_client::{
    CreateModelConfig, CreateVirtualKey, ModelConfigQuery, ModelConfigScope, NanoUsd, Patch, UpdateModelConfig,
};
use serde_json::{Value, json};

use super::{MODEL_CONFIGS, budget, done, refused, requests, send, told};
use crate::gateway::chat;
use crate::harness::App;

fn of_model(name: &str) -> CreateModelConfig {
    CreateModelConfig { model_name: name.to_owned(), ..CreateModelConfig::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_name_alone_covers_the_model_everywhere() {
    let app = App::start().await;
    let answer = done(&app, "POST", MODEL_CONFIGS, json!({ "model_name": "echo" })).await;
    assert_eq!(answer["message"], "Model config created successfully");
    let mut config = answer["model_config"].as_object().unwrap().clone();
    let id = config.remove("id").unwrap();
    assert_eq!(config.remove("created_at"), config.remove("updated_at"));
    let expected =
        json!({ "model_name": "echo", "scope": "global", "calendar_aligned": false, "budgets": [], "config_hash": "" });
    assert_eq!(json!(config), expected);
    let read = app.raw("GET", &format!("{MODEL_CONFIGS}/{}", id.as_str().unwrap())).send().await.json();
    assert_eq!(read, json!({ "model_config": answer["model_config"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_for_a_virtual_key_names_it_and_follows_its_calendar() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey { calendar_aligned: Some(true), ..CreateVirtualKey::default() }).await;
    let request = CreateModelConfig {
        provider: Some("demo".into()),
        scope: Some("virtual_key".to_owned()),
        scope_id: Some(key.id.clone()),
        budgets: vec![budget("9", "1M"), budget("0.1", "1d")].into(),
        rate_limit: requests(5, "1m").into(),
        ..of_model("*")
    };
    let config = app.client.model_config_create(&request).await.unwrap().model_config;
    assert_eq!((config.scope, config.scope_id.as_ref()), (ModelConfigScope::VirtualKey, Some(&key.id)));
    assert_eq!((config.scope_name.as_ref(), config.calendar_aligned), (Some(&key.name), true));
    assert!(config.budgets.iter().all(|budget| budget.calendar_aligned));
    assert_eq!(config.budget_id.as_ref(), Some(&config.budgets[0].id));
    assert_eq!(config.rate_limit_id.as_ref(), config.rate_limit.as_ref().map(|limit| &limit.id));
    assert_eq!(app.client.model_config_get(&config.id).await.unwrap(), config);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_makes_nothing() {
    let app = App::start().await;
    for (body, at, message) in [
        (json!({}), "/model_name", "Model name is required"),
        (json!({ "model_name": "gpt-*" }), "/model_name", "patterns are not supported"),
        (json!({ "model_name": "m", "provider": "nowhere" }), "/provider", "invalid provider name: nowhere"),
        (json!({ "model_name": "m", "scope": "user", "scope_id": "u" }), "/scope", "enterprise"),
        (json!({ "model_name": "m", "scope": "team" }), "/scope", "Invalid scope \"team\""),
        (json!({ "model_name": "m", "scope": "virtual_key" }), "/scope_id", "scope_id is required"),
        (
            json!({ "model_name": "m", "scope": "virtual_key", "scope_id": "gone" }),
            "/scope_id",
            "Virtual key 'gone' not found",
        ),
        (
            json!({ "model_name": "m", "rate_limits": [{ "metric": "tokens", "max_limit": -1, "reset_duration": "1m" }] }),
            "/rate_limits/0/max_limit",
            "cannot be negative or zero: -1",
        ),
        (json!({ "model_name": "m", "budget": {}, "budgets": [] }), "/budgets", "only one of"),
        (json!({ "model_name": "m", "model": "n" }), "/model", "unknown field 'model'"),
    ] {
        let reply = send(&app, "POST", MODEL_CONFIGS, &body).await;
        let (status, _, param) = reply.error();
        assert_eq!((status, param.as_str()), (400, at), "{body}");
        let told = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(told.contains(message), "{told}");
    }
    assert_eq!(app.client.model_config_list(&ModelConfigQuery::default()).await.unwrap().count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_cover_the_same() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let at_demo = CreateModelConfig { provider: Some("demo".into()), ..of_model("m") };
    let for_key =
        CreateModelConfig { scope: Some("virtual_key".into()), scope_id: Some(key.id.clone()), ..at_demo.clone() };
    for request in [of_model("m"), at_demo.clone(), for_key.clone()] {
        app.client.model_config_create(&request).await.unwrap();
    }
    for (request, message) in [
        (of_model("m"), "Model config for model 'm' (global) already exists"),
        (at_demo, "Model config for model 'm' with provider 'demo' (global) already exists"),
        (for_key, "Model config for model 'm' with provider 'demo' (virtual_key) already exists"),
    ] {
        assert_eq!(told(&refused(app.client.model_config_create(&request).await)), (409, "/model_name", message));
    }
    let other = app.client.model_config_create(&of_model("n")).await.unwrap().model_config;
    let renamed = UpdateModelConfig { model_name: "m".to_owned().into(), ..UpdateModelConfig::default() };
    assert_eq!(refused(app.client.model_config_update(&other.id, &renamed).await).status, 409);
    assert_eq!(app.client.model_config_get(&other.id).await.unwrap(), other);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_searched_filtered_and_paged() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    app.client.model_config_create(&of_model("gpt-4o")).await.unwrap();
    let at_demo = CreateModelConfig { provider: Some("demo".into()), ..of_model("GPT-5") };
    app.client.model_config_create(&at_demo).await.unwrap();
    let own = CreateModelConfig { scope: Some("virtual_key".into()), scope_id: Some(key.id), ..of_model("echo") };
    app.client.model_config_create(&own).await.unwrap();
    for (query, names, total, limit) in [
        ("", vec!["gpt-4o", "GPT-5", "echo"], 3, 3),
        ("?from_memory=True", vec!["gpt-4o", "GPT-5", "echo"], 3, 3),
        ("?search=gpt", vec!["gpt-4o", "GPT-5"], 2, 25),
        ("?scope=virtual_key", vec!["echo"], 1, 25),
        ("?scope=global&provider=demo", vec!["GPT-5"], 1, 25),
        ("?limit=1&offset=1", vec!["GPT-5"], 3, 1),
    ] {
        let list = app.raw("GET", &format!("{MODEL_CONFIGS}{query}")).send().await.json();
        let entries = list["model_configs"].as_array().unwrap();
        let found: Vec<&str> = entries.iter().map(|entry| entry["model_name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
        let numbers = [&list["count"], &list["total_count"], &list["limit"]].map(|number| number.as_u64().unwrap());
        assert_eq!(numbers, [names.len() as u64, total, limit], "{query}");
    }
    for (query, at, message) in [
        ("?limit=many", "/limit", "Invalid limit parameter: must be a number"),
        ("?offset=-1", "/offset", "Invalid offset parameter: must be non-negative"),
        ("?scope=team", "/scope", "Invalid scope \"team\": must be one of: global, virtual_key"),
        ("?model=m", "/model", "unknown field 'model'"),
    ] {
        let reply = app.raw("GET", &format!("{MODEL_CONFIGS}{query}")).send().await;
        assert_eq!((reply.error().0, reply.error().2.as_str()), (400, at), "{query}");
        assert!(reply.json()["error"]["message"].as_str().unwrap().starts_with(message), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_keeps_usage_and_what_it_does_not_name() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let request = CreateModelConfig {
        budget: budget("1", "1d").into(),
        rate_limits: Patch::Value(vec![
            serde_json::from_value(json!({ "metric": "requests", "max_limit": 9, "reset_duration": "1h" })).unwrap(),
        ]),
        ..of_model("echo")
    };
    let config = app.client.model_config_create(&request).await.unwrap().model_config;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let used = app.client.model_config_get(&config.id).await.unwrap();
    assert_ne!(used.budgets[0].current_usage, NanoUsd::ZERO);
    assert_eq!(used.rate_limit.as_ref().unwrap().request_current_usage, 1);

    let raised = UpdateModelConfig {
        budget: keyward_client::BudgetInput { max_limit: Some("2".parse().unwrap()), ..Default::default() }.into(),
        provider: Patch::Value("demo".into()),
        ..UpdateModelConfig::default()
    };
    let edited = app.client.model_config_update(&config.id, &raised).await.unwrap().model_config;
    assert_eq!(
        (edited.budgets[0].id.clone(), edited.provider.clone()),
        (config.budgets[0].id.clone(), Some("demo".into()))
    );
    assert_eq!(edited.budgets[0].current_usage, used.budgets[0].current_usage);
    assert_eq!(edited.rate_limit, used.rate_limit);
    for (body, at) in [
        (json!({ "scope": "virtual_key" }), "/scope"),
        (json!({ "scope_id": key.id.as_str() }), "/scope_id"),
        (json!({ "model_name": null }), "/model_name"),
        (json!({ "provider": "nowhere" }), "/provider"),
    ] {
        let reply = send(&app, "PUT", &format!("{MODEL_CONFIGS}/{}", config.id), &body).await;
        assert_eq!((reply.error().0, reply.error().2.as_str()), (400, at), "{body}");
    }
    assert_eq!(app.client.model_config_get(&config.id).await.unwrap(), edited);
    assert_eq!(app.restarted().await.client.model_config_get(&config.id).await.unwrap(), edited);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_one_ends_its_limits_and_a_virtual_key_takes_its_own_along() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let none = requests(1, "1h");
    let everyone = CreateModelConfig { rate_limit: none.clone().into(), ..of_model("*") };
    let everyone = app.client.model_config_create(&everyone).await.unwrap().model_config;
    let own = CreateModelConfig {
        scope: Some("virtual_key".into()),
        scope_id: Some(key.id.clone()),
        rate_limit: none.into(),
        ..of_model("*")
    };
    let own = app.client.model_config_create(&own).await.unwrap().model_config;
    let caller = app.caller(&key);
    caller.chat_completion_create(&chat("demo/echo", "one")).await.unwrap();
    caller.chat_completion_create(&chat("demo/echo", "two")).await.unwrap_err();
    let gone = app.client.model_config_delete(&everyone.id).await.unwrap();
    assert_eq!(gone.message, "Model config deleted successfully");
    assert_eq!(told(&refused(app.client.model_config_get(&everyone.id).await)).2, "Model config not found");
    assert_eq!(refused(app.client.model_config_delete(&everyone.id).await).status, 404);

    app.client.virtual_key_delete(&key.id).await.unwrap();
    assert_eq!(refused(app.client.model_config_get(&own.id).await).status, 404);
    let log: Value = app.raw("GET", "/api/audit?resource=model_config").send().await.json();
    let actions = log["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap());
    let actions: Vec<&str> = actions.collect();
    assert_eq!(actions, ["virtual_key_delete", "model_config_delete", "model_config_create", "model_config_create"]);
}
