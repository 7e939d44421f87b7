//! Pricing overrides in force: what a call is charged, to the nano-dollar.

use keyward_client::{CreatePricingOverride, CreateVirtualKey, LedgerQuery, NanoUsd, TryStreamExt as _, VirtualKey};

use super::{chat, demo_cost, with_budget};
use crate::harness::{App, Scripted, Step};

/// An override of all prices of `pattern` to this many nano-dollars for each token of input, and none of output.
fn priced(scope_kind: &str, pattern: &str, nanos: u32) -> CreatePricingOverride {
    let match_type = if pattern.ends_with('*') { "wildcard" } else { "exact" };
    let patch = format!(r#"{{"input_cost_per_token":0.{nanos:09},"output_cost_per_token":0}}"#);
    CreatePricingOverride {
        name: format!("{scope_kind} {pattern}"),
        scope_kind: scope_kind.to_owned(),
        match_type: match_type.to_owned(),
        pattern: pattern.to_owned(),
        request_types: vec!["chat_completion".to_owned()],
        patch: Some(serde_json::from_str(&patch).unwrap()),
        ..CreatePricingOverride::default()
    }
}

/// What one more call is charged, and how many tokens it has in and out.
async fn charged(app: &App, key: &VirtualKey, model: &str) -> (NanoUsd, u64, u64) {
    let caller = app.caller(key);
    let used = async || caller.virtual_key_quota().await.unwrap().budgets[0].current_usage.nanos();
    let (before, bill) = (used().await, app.simulator.bill());
    caller.chat_completion_create(&chat(model, "one two three")).await.unwrap();
    let (after, now) = (used().await, app.simulator.bill());
    let tokens = (now.prompt_tokens - bill.prompt_tokens, now.completion_tokens - bill.completion_tokens);
    (NanoUsd::from_nanos(after - before), tokens.0, tokens.1)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_specific_override_prices_the_call_to_the_nano_dollar() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let (cost, input, output) = charged(&app, &key, "demo/echo").await;
    assert_eq!(cost, demo_cost(input, output));
    let provider_key = app.client.provider_key_list(&"demo".into()).await.unwrap().keys[0].id.clone();
    let (vk, provider) = (Some(key.id.clone()), Some("demo".into()));
    let steps = [
        priced("global", "*", 7),
        priced("global", "ec*", 11),
        priced("global", "echo", 13),
        CreatePricingOverride { provider_id: provider.clone(), ..priced("provider", "*", 17) },
        CreatePricingOverride { provider_key_id: Some(provider_key.clone()), ..priced("provider_key", "*", 19) },
        CreatePricingOverride { virtual_key_id: vk.clone(), ..priced("virtual_key", "*", 23) },
        CreatePricingOverride {
            virtual_key_id: vk.clone(),
            provider_id: provider.clone(),
            ..priced("virtual_key_provider", "*", 29)
        },
        CreatePricingOverride {
            virtual_key_id: vk,
            provider_id: provider,
            provider_key_id: Some(provider_key),
            ..priced("virtual_key_provider_key", "*", 31)
        },
    ];
    let nanos = [7, 11, 13, 17, 19, 23, 29, 31];
    let mut made = Vec::new();
    for (request, nanos) in steps.iter().zip(nanos) {
        made.push(app.client.pricing_override_create(request).await.unwrap().pricing_override.id);
        let (cost, input, _) = charged(&app, &key, "demo/echo").await;
        assert_eq!(cost.nanos(), i64::try_from(input * nanos).unwrap(), "{}", request.name);
    }
    // Another virtual key has what is not for this one; and so it is after a restart.
    let other = app.key(with_budget("1")).await;
    let app = app.restarted().await;
    let (cost, input, _) = charged(&app, &other, "demo/echo").await;
    assert_eq!(cost.nanos(), i64::try_from(input * 19).unwrap());
    for id in made {
        app.client.pricing_override_delete(&id).await.unwrap();
    }
    let (cost, input, output) = charged(&app, &key, "demo/echo").await;
    assert_eq!(cost, demo_cost(input, output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_the_catalogue_does_not_know_gets_a_price() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let unpriced = chat("demo/unpriced", "hi");
    let error = app.caller(&key).chat_completion_create(&unpriced).await.unwrap_err();
    assert_eq!(error.code(), Some("model_price_unknown"));
    let other_kind =
        CreatePricingOverride { request_types: vec!["embedding".to_owned()], ..priced("global", "unpriced", 3) };
    app.client.pricing_override_create(&other_kind).await.unwrap();
    assert!(app.caller(&key).chat_completion_create(&unpriced).await.is_err(), "it is for other requests");
    app.client.pricing_override_create(&priced("global", "unpriced", 5)).await.unwrap();
    let (cost, input, _) = charged(&app, &key, "demo/unpriced").await;
    assert_eq!(cost.nanos(), i64::try_from(input * 5).unwrap());
}

/// A narrower override changes what it has, and leaves what a wider one has; and the name that was asked for is matched too.
#[tokio::test(flavor = "multi_thread")]
async fn overrides_are_laid_over_each_other() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let only =
        |patch: &str, request| CreatePricingOverride { patch: Some(serde_json::from_str(patch).unwrap()), ..request };
    let narrow = CreatePricingOverride { virtual_key_id: Some(key.id.clone()), ..priced("virtual_key", "unpriced", 0) };
    let narrow = only(r#"{"output_cost_per_token":0.000000003}"#, narrow);
    app.client.pricing_override_create(&narrow).await.unwrap();
    let unpriced = chat("demo/unpriced", "hi");
    assert!(app.caller(&key).chat_completion_create(&unpriced).await.is_err(), "nobody says what input costs");
    let wide = only(r#"{"input_cost_per_token":0.000000002,"output_cost_per_token":5}"#, priced("global", "unp*", 0));
    app.client.pricing_override_create(&wide).await.unwrap();
    let (cost, input, output) = charged(&app, &key, "demo/unpriced").await;
    assert_eq!(cost.nanos(), i64::try_from(input * 2 + output * 3).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_that_are_not_named_stay_the_catalogues() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let request = CreatePricingOverride {
        patch: Some(serde_json::from_str(r#"{"input_cost_per_token":0}"#).unwrap()),
        ..priced("global", "echo", 0)
    };
    app.client.pricing_override_create(&request).await.unwrap();
    let (cost, _, output) = charged(&app, &key, "demo/echo").await;
    assert_eq!(cost, demo_cost(0, output));
    let free = app.key(CreateVirtualKey::default()).await;
    app.caller(&free).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
}

/// A request may ask for a dear tier only where it is known how dear.
#[tokio::test(flavor = "multi_thread")]
async fn a_tier_without_a_price_is_refused_and_one_with_a_price_is_held_at_it() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let body = r#"{"model":"demo/echo","service_tier":"priority","messages":[{"role":"user","content":"hi"}]}"#;
    let call =
        async || app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose()).body(body).send().await;
    let reply = call().await;
    assert_eq!((reply.status, reply.error().1.as_str()), (403, "model_price_unknown"));
    let patch = r#"{"input_cost_per_token_priority":0.5,"output_cost_per_token_priority":0.5}"#;
    let dear =
        CreatePricingOverride { patch: Some(serde_json::from_str(patch).unwrap()), ..priced("global", "echo", 0) };
    app.client.pricing_override_create(&dear).await.unwrap();
    let reply = call().await;
    assert_eq!((reply.status, reply.error().1.as_str()), (402, "budget_exceeded"), "the budget has two tokens of it");
}

/// Nobody counts the tokens of sound, so that what was held for them is charged.
#[tokio::test(flavor = "multi_thread")]
async fn sound_that_is_priced_by_tokens_is_charged_as_it_was_held() {
    let app = App::start().await;
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\nconnection: close\r\n\r\nsound";
    let upstream = Scripted::start(vec![Step::Send(answer.as_bytes().to_vec())]).await;
    app.provider("openai", upstream.base_url()).await;
    let patch =
        r#"{"input_cost_per_token":0.000001,"output_cost_per_token":0.00001,"output_cost_per_audio_token":0.00001}"#;
    let priced = CreatePricingOverride {
        request_types: vec!["speech".to_owned()],
        patch: Some(serde_json::from_str(patch).unwrap()),
        ..priced("global", "gpt-4o-mini-tts", 1)
    };
    app.client.pricing_override_create(&priced).await.unwrap();
    let key = app.key(with_budget("5")).await;
    let body = r#"{"model":"openai/gpt-4o-mini-tts","input":"one two three","voice":"alloy"}"#;
    let spoken = app.raw("POST", "/v1/audio/speech").header("x-bf-vk", key.value.expose()).body(body).send().await;
    assert_eq!((spoken.status, spoken.body.as_slice()), (200, &b"sound"[..]));
    let entries: Vec<_> = app.client.ledger_list_all(&LedgerQuery::default()).try_collect().await.unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((entry.usage_source.as_str(), entry.cost), ("estimated", entry.held));
    assert!(entry.cost > "0.1".parse().unwrap(), "{}", entry.cost);
}
