//! `POST /api/governance/virtual-keys`

use keyward_client::{CreateCustomer, CreateVirtualKey, NanoUsd, RateLimitInput, VirtualKey, Zone};
use keyward_server::config::RevealVirtualKeys;
use serde_json::{Value, json};
use uuid::{Uuid, Version};

use super::super::{VIRTUAL_KEYS, budget, done, duration, refused, send, told};
use super::{demo_key, dressed, team};
use crate::gateway::chat;
use crate::harness::App;

fn named(name: &str) -> CreateVirtualKey {
    CreateVirtualKey { name: name.to_owned(), ..CreateVirtualKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_alone_makes_an_unrestricted_key_and_the_answer_says_so() {
    let app = App::start().await;
    let answer = done(&app, "POST", VIRTUAL_KEYS, json!({ "name": "bare" })).await;
    assert_eq!(answer["message"], "Virtual key created successfully");
    let mut key = answer["virtual_key"].as_object().unwrap().clone();
    let secret = key.remove("value").unwrap();
    let uuid: Uuid = secret.as_str().unwrap().strip_prefix("sk-bf-").unwrap().parse().unwrap();
    assert_eq!(uuid.get_version(), Some(Version::Random));
    assert!(key.remove("id").unwrap().as_str().unwrap().parse::<Uuid>().is_ok());
    assert_eq!(key.remove("created_at"), key.remove("updated_at"));
    let expected = json!({
        "name": "bare", "description": "", "is_active": true, "allow_all_providers": true, "provider_configs": [],
        "mcp_configs": [], "keys": [], "budgets": [], "calendar_aligned": false, "config_hash": "",
        "delete_after_expire": false, "disable_content_logging": null,
    });
    assert_eq!(Value::Object(key), expected);
}

/// Clients in Go write null for what they do not set.
#[tokio::test(flavor = "multi_thread")]
async fn null_is_as_absent() {
    let app = App::start().await;
    let nulls = json!({
        "name": "nulls", "description": null, "is_active": null, "provider_configs": null, "mcp_configs": null, "team_id": null,
        "customer_id": null, "budget": null, "budgets": null, "rate_limit": null, "key_ids": null, "calendar_aligned": null,
        "expires_at": null, "metadata": null,
    });
    let key = &done(&app, "POST", VIRTUAL_KEYS, nulls).await["virtual_key"];
    assert_eq!(
        (&key["description"], &key["allow_all_providers"], &key["budgets"]),
        (&json!(""), &json!(true), &json!([]))
    );
    let rule = json!({
        "name": "nulls", "description": null, "chain_rule": null, "cel_expression": null, "priority": null,
        "targets": [{"provider": "demo", "weight": 1}],
    });
    let rule = &done(&app, "POST", "/api/governance/routing-rules", rule).await["rule"];
    assert_eq!((&rule["priority"], &rule["cel_expression"]), (&json!(0), &json!("")));
    let provider = json!({"provider": "groq", "network_config": null, "keys": null, "description": null});
    done(&app, "POST", "/api/providers", provider).await;
    let both = json!({"name": "both", "budget": null, "budgets": [{"max_limit": 1, "reset_duration": "Daily"}]});
    let key = &done(&app, "POST", VIRTUAL_KEYS, both).await["virtual_key"];
    assert_eq!(key["budget"]["reset_duration"], "1d");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_budget_or_many_and_the_single_view_is_the_shortest() {
    let app = App::start().await;
    let one = app.key(CreateVirtualKey { budget: budget("2", "1h").into(), ..CreateVirtualKey::default() }).await;
    assert_eq!((one.budgets.len(), one.budget.as_ref()), (1, Some(&one.budgets[0])));
    let many = vec![budget("30", "1M"), budget("1", "24h"), budget("7", "1w")];
    let many = app.key(CreateVirtualKey { budgets: many.into(), ..CreateVirtualKey::default() }).await;
    let durations: Vec<_> = many.budgets.iter().map(|budget| budget.reset_duration.as_str()).collect();
    assert_eq!(durations, ["24h", "1w", "1M"]);
    assert_eq!((many.budget.as_ref(), many.budget_id.as_ref()), (Some(&many.budgets[0]), Some(&many.budgets[0].id)));
    let none = CreateVirtualKey { budgets: Vec::new().into(), ..CreateVirtualKey::default() };
    assert!(app.key(none).await.budget.is_none());
    for shape in [json!({ "budget": null }), json!({ "budgets": null }), json!({ "rate_limit": {} })] {
        let mut body = shape.clone();
        body["name"] = json!(shape.to_string());
        let key = &done(&app, "POST", VIRTUAL_KEYS, body).await["virtual_key"];
        assert_eq!((&key["budgets"], &key["rate_limit"]), (&json!([]), &Value::Null), "{shape}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_caps_tokens_requests_or_both() {
    let app = App::start().await;
    let rate_limit = RateLimitInput {
        token_max_limit: i64::MAX.into(),
        token_reset_duration: duration("1h30m").into(),
        ..RateLimitInput::default()
    };
    let key = app.key(CreateVirtualKey { rate_limit: rate_limit.into(), ..CreateVirtualKey::default() }).await;
    let shown = key.rate_limit.unwrap();
    assert_eq!((shown.token_max_limit, shown.request_max_limit), (Some(i64::MAX), None));
    assert_eq!(shown.token_reset_duration.unwrap().as_str(), "1h30m");
    assert_eq!((shown.token_current_usage, shown.request_current_usage), (0, 0));
    assert_eq!(key.rate_limit_id, Some(shown.id));
}

/// Absent is unrestricted, `[]` is nothing, `["*"]` is everything, and the answer always says which.
#[tokio::test(flavor = "multi_thread")]
async fn absent_and_empty_lists_are_told_apart() {
    let app = App::start().await;
    let id = demo_key(&app, "second").await;
    let (everything, nothing) = (json!(["*"]), json!([]));
    for (members, all_providers, configs) in [
        (json!({}), true, json!([])),
        (json!({ "provider_configs": [] }), false, json!([])),
        (json!({ "provider_configs": [], "allow_all_providers": true }), true, json!([])),
        (json!({ "provider_configs": [{ "provider": "demo" }] }), false, json!([[everything, nothing, true, 1.0, []]])),
        (
            json!({ "provider_configs": [
                { "provider": "demo", "allowed_models": [], "key_ids": [], "weight": null },
            ] }),
            false,
            json!([[nothing, nothing, false, null, []]]),
        ),
        (
            json!({ "provider_configs": [
                { "provider": "demo", "allowed_models": ["*"], "key_ids": ["*"], "weight": 0 },
            ] }),
            false,
            json!([[everything, nothing, true, 0.0, []]]),
        ),
        (
            json!({ "provider_configs": [
                { "provider": "demo", "blacklisted_models": ["slow"], "key_ids": [id, id] },
            ] }),
            false,
            json!([[everything, ["slow"], false, 1.0, [id]]]),
        ),
        (json!({ "key_ids": [id] }), false, json!([[everything, nothing, false, 1.0, [id]]])),
        (
            json!({ "provider_configs": [{ "provider": "demo", "weight": 3 }], "key_ids": [id] }),
            false,
            json!([[everything, nothing, false, 3.0, [id]]]),
        ),
    ] {
        let mut body = members.clone();
        body["name"] = json!(members.to_string());
        let key = &done(&app, "POST", VIRTUAL_KEYS, body).await["virtual_key"];
        let found: Vec<Value> = key["provider_configs"].as_array().unwrap().iter().map(summary).collect();
        assert_eq!((&key["allow_all_providers"], json!(found)), (&json!(all_providers), configs), "{members}");
    }
}

/// Allowed models, blocked models, every key, weight, and keys.
fn summary(config: &Value) -> Value {
    let keys: Vec<&Value> = config["keys"].as_array().unwrap().iter().map(|key| &key["key_id"]).collect();
    json!([config["allowed_models"], config["blacklisted_models"], config["allow_all_keys"], config["weight"], keys])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_config_carries_its_own_limits_and_keys() {
    let app = App::start().await;
    let id = demo_key(&app, "second").await;
    let request = CreateVirtualKey { provider_configs: Some(vec![dressed(id.clone())]), ..CreateVirtualKey::default() };
    let key = app.key(request).await;
    let [config] = key.provider_configs.as_slice() else { panic!("{:?}", key.provider_configs) };
    assert_eq!((&config.virtual_key_id, config.weight), (&key.id, Some(2.5)));
    assert_eq!(config.budget.as_ref().unwrap().max_limit, "1".parse::<NanoUsd>().unwrap());
    assert_eq!(config.rate_limit.as_ref().unwrap().request_max_limit, Some(100));
    assert_eq!((&config.keys[0].key_id, config.keys[0].name.as_str()), (&id, "second"));
    assert_eq!((key.keys.len(), &key.keys[0].key_id), (1, &id));
    // The key's own caps are others.
    assert!(key.budgets.is_empty() && key.rate_limit.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_a_team_or_to_a_customer() {
    let app = App::start().await;
    let team = team(&app, "red").await;
    let customer = CreateCustomer { name: "acme".to_owned(), ..CreateCustomer::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer.id;
    let of_team = app.key(CreateVirtualKey { team_id: Some(team.clone()), ..named("") }).await;
    assert_eq!((of_team.team_id, of_team.customer_id), (Some(team.clone()), None));
    let of_customer = app.key(CreateVirtualKey { customer_id: Some(customer.clone()), ..named("") }).await;
    assert_eq!((of_customer.team_id, of_customer.customer_id), (None, Some(customer.clone())));
    assert_eq!(app.client.team_get(&team).await.unwrap().virtual_key_count, 1);
    assert_eq!(app.client.customer_get(&customer).await.unwrap().virtual_key_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_lies_in_the_future_and_is_shown_in_utc() {
    let app = App::start().await;
    for (given, message) in [
        ("2020-01-01T00:00:00Z", "expires_at must be a future timestamp"),
        ("tomorrow", "expires_at must be an RFC3339 timestamp"),
        ("2099-01-01T00:00:00", "expires_at must be an RFC3339 timestamp"),
        ("", "expires_at must be an RFC3339 timestamp"),
    ] {
        let request = CreateVirtualKey { expires_at: Some(given.to_owned()), ..named("expiring") };
        let error = refused(app.client.virtual_key_create(&request).await);
        assert_eq!(told(&error), (400, "/expires_at", message), "{given}");
    }
    let body = json!({ "name": "expiring", "expires_at": "2099-06-01T12:00:00.5+02:00" });
    let key = &done(&app, "POST", VIRTUAL_KEYS, body).await["virtual_key"];
    assert_eq!(key["expires_at"], "2099-06-01T10:00:00.5Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn aligned_budgets_begin_at_midnight_of_their_zone() {
    let app = App::start().await;
    let zone = Zone::try_from("Pacific/Kiritimati".to_owned()).unwrap();
    let mut aligned = budget("1", "1d");
    (aligned.calendar_aligned, aligned.timezone) = (Some(true), Some(zone));
    let request = CreateVirtualKey { budgets: vec![aligned, budget("1", "1h")].into(), ..named("") };
    let key = app.key(request).await;
    let [hourly, daily] = key.budgets.as_slice() else { panic!("{:?}", key.budgets) };
    // Kiritimati is 14 hours ahead all year round.
    assert!(daily.last_reset.to_string().ends_with("T10:00:00Z"), "{}", daily.last_reset);
    assert!(daily.resets_at > Some(daily.created_at) && daily.last_reset <= daily.created_at);
    assert_eq!((hourly.calendar_aligned, hourly.last_reset), (false, hourly.created_at));

    let budgets = vec![budget("1", "1w"), budget("1", "90m")];
    let request = CreateVirtualKey { calendar_aligned: Some(true), budgets: budgets.into(), ..named("") };
    let key = app.key(request).await;
    let aligned: Vec<bool> = key.budgets.iter().map(|budget| budget.calendar_aligned).collect();
    assert_eq!((key.calendar_aligned, aligned), (true, vec![false, true]));
    assert_eq!(key.budgets[1].timezone, Zone::default());
    assert!(key.budgets[1].last_reset.to_string().ends_with("T00:00:00Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_exact_from_the_request_to_the_answer() {
    let app = App::start().await;
    for (given, shown) in [
        ("0.1", "0.1"),
        ("1e-9", "0.000000001"),
        ("9223372036.854775807", "9223372036.854775807"),
        ("100", "100"),
        ("1.50", "1.5"),
        ("25E1", "250"),
    ] {
        let body = format!(r#"{{"name":"{given}","budget":{{"max_limit":{given},"reset_duration":"1d"}}}}"#);
        let created = app.raw("POST", VIRTUAL_KEYS).body(body).send().await;
        let id = created.json()["virtual_key"]["id"].as_str().unwrap().to_owned();
        let read = app.raw("GET", &format!("{VIRTUAL_KEYS}/{id}")).send().await;
        for body in [created.body, read.body] {
            let text = String::from_utf8(body).unwrap();
            assert!(text.contains(&format!(r#""max_limit":{shown},"#)), "{given}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_unique_until_their_key_is_deleted() {
    let app = App::start().await;
    let first = app.client.virtual_key_create(&named("one")).await.unwrap().virtual_key;
    let error = refused(app.client.virtual_key_create(&named("one")).await);
    assert_eq!(error.raw_code, "already_exists");
    assert_eq!(told(&error), (409, "/name", "A virtual key with this name already exists"));
    app.client.virtual_key_delete(&first.id).await.unwrap();
    let second = app.client.virtual_key_create(&named("one")).await.unwrap().virtual_key;
    assert!(first.id != second.id && first.value != second.value);
}

/// Names are text as it is: nothing is trimmed, folded or lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_has_up_to_256_characters_of_any_script() {
    let app = App::start().await;
    for name in ["é".repeat(256), " padded ".to_owned(), "🦀 <script>&amp; \"'\\".to_owned()] {
        let created = app.client.virtual_key_create(&named(&name)).await.unwrap().virtual_key;
        assert_eq!(app.client.virtual_key_get(&created.id).await.unwrap().name, name);
    }
    let error = send(&app, "POST", VIRTUAL_KEYS, &json!({ "name": "é".repeat(257) })).await.error();
    assert_eq!(error, (400, "invalid_request".to_owned(), "/name".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_on_create_the_secret_is_seen_once() {
    let app = App::builder().settings(|settings| settings.reveal_virtual_keys = RevealVirtualKeys::OnCreate);
    let app = app.start().await;
    let created = app.key(named("")).await;
    let secret = created.value.expose();
    assert!(secret.strip_prefix("sk-bf-").unwrap().parse::<Uuid>().is_ok());
    app.caller(&created).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let path = format!("{VIRTUAL_KEYS}/{}", created.id);
    for reply in [
        app.raw("GET", VIRTUAL_KEYS).send().await,
        app.raw("GET", &path).send().await,
        send(&app, "PUT", &path, &json!({ "description": "edited" })).await,
    ] {
        let text = String::from_utf8(reply.body.clone()).unwrap();
        assert!(reply.status == 200 && !text.contains(secret), "{text}");
        assert!(
            text.contains(&format!("\"value\":\"sk-b{}{}\"", "*".repeat(24), &secret[secret.len() - 4..])),
            "{text}"
        );
    }
}

/// Every maker of keys at once: each gets a key of its own, and the names decide who comes too late.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_keys_made_at_once_each_name_wins_once() {
    let app = App::start().await;
    let requests: Vec<CreateVirtualKey> = (0..24).map(|index| named(&format!("name {}", index % 8))).collect();
    let answers = futures_util::future::join_all(requests.iter().map(|request| app.client.virtual_key_create(request)));
    let (made, late): (Vec<_>, Vec<_>) = answers.await.into_iter().partition(Result::is_ok);
    assert!(late.into_iter().all(|answer| refused(answer).status == 409));
    let mut made: Vec<VirtualKey> = made.into_iter().map(|answer| answer.unwrap().virtual_key).collect();
    made.sort_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<_> = made.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["name 0", "name 1", "name 2", "name 3", "name 4", "name 5", "name 6", "name 7"]);
    made.dedup_by(|one, other| one.value == other.value || one.id == other.id);
    assert_eq!(made.len(), 8);
}
