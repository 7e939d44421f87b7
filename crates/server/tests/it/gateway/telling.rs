//! What answers say of limits, in headers.

use keyward_client::{CreateVirtualKey, VirtualKey};
use serde_json::{Value, json};

use super::demo_cost;
use crate::harness::{App, Reply, Scripted};

/// A key that has a limit of every kind, in a team whose own limit only watches.
async fn limited(app: &App, budget: f64) -> VirtualKey {
    let team = json!({ "name": "watched", "budget": {
        "max_limit": 0.000_001, "reset_duration": "1d", "enforcement": "shadow",
    }});
    let team = app.client.team_create(&serde_json::from_value(team).unwrap()).await.unwrap().team;
    let key = json!({
        "name": "limited",
        "team_id": team.id,
        "max_parallel_requests": 3,
        "budgets": [
            { "max_limit": budget, "reset_duration": "1d" },
            { "max_limit": 100, "reset_duration": "never" },
        ],
        "rate_limit": {
            "request_max_limit": 100, "request_reset_duration": "1h",
            "token_max_limit": 9000, "token_reset_duration": "90m",
        },
    });
    let request: CreateVirtualKey = serde_json::from_value(key).unwrap();
    app.client.virtual_key_create(&request).await.unwrap().virtual_key
}

async fn called(app: &App, key: &VirtualKey, more: Value) -> Reply {
    let mut body = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": "hi" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    raw.body(body.to_string()).send().await
}

/// The names and parameters of a list of structured fields, with figures that depend on the clock left out.
fn without_clock(list: &str) -> Vec<&str> {
    list.split(", ").map(|item| item.split(";t=").next().unwrap()).collect()
}

const POLICIES: [&str; 5] = [
    "\"virtual_key.parallel_requests\";q=3;qu=\"concurrent-requests\"",
    "\"virtual_key.requests\";q=100;qu=\"requests\";w=3600",
    "\"virtual_key.tokens\";q=9000;qu=\"tokens\";w=5400",
    "\"virtual_key.cost\";q=5000000;qu=\"micro-usd\";w=86400",
    "\"virtual_key.cost.2\";q=100000000;qu=\"micro-usd\"",
];

/// After settlement: a whole answer says what is left when it has been paid.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_says_what_it_cost_and_what_is_left() {
    let app = App::start().await;
    let key = limited(&app, 5.0).await;
    let reply = called(&app, &key, json!({})).await;
    assert_eq!(reply.status, 200);
    let usage = &reply.json()["usage"];
    let tokens = |name: &str| usage[name].as_u64().unwrap();
    let (total, cost) = (tokens("total_tokens"), demo_cost(tokens("prompt_tokens"), tokens("completion_tokens")));
    assert_eq!(reply.header("x-keyward-cost"), cost.to_string());
    let left = 5_000_000_000 - cost.nanos();
    assert_eq!(reply.header("x-keyward-budget-remaining"), keyward_client::NanoUsd::from_nanos(left).to_string());
    assert_eq!(reply.header("x-ratelimit-limit-requests"), "100");
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), "99");
    assert_eq!(reply.header("x-ratelimit-limit-tokens"), "9000");
    assert_eq!(reply.header("x-ratelimit-remaining-tokens"), (9_000 - total).to_string());
    assert!(reply.header("x-ratelimit-reset-requests").starts_with("59m"));
    assert!(reply.header("x-ratelimit-reset-tokens").starts_with("1h29m"));
    assert_eq!(without_clock(reply.header("ratelimit-policy")), POLICIES);
    let standings = [
        "\"virtual_key.parallel_requests\";r=3".to_owned(),
        "\"virtual_key.requests\";r=99".to_owned(),
        format!("\"virtual_key.tokens\";r={}", 9_000 - total),
        format!("\"virtual_key.cost\";r={}", left / 1_000),
        format!("\"virtual_key.cost.2\";r={}", (100_000_000_000 - cost.nanos()) / 1_000),
    ];
    assert_eq!(without_clock(reply.header("ratelimit")), standings);
}

/// The headers of a stream leave before it is paid: they say what is left beside what it holds, and no cost.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_what_is_left_beside_its_hold() {
    let app = App::start().await;
    let key = limited(&app, 5.0).await;
    let reply = called(&app, &key, json!({ "stream": true, "max_tokens": 10 })).await;
    assert_eq!((reply.status, reply.header("x-keyward-cost")), (200, ""));
    assert_eq!(without_clock(reply.header("ratelimit-policy")), POLICIES);
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), "99");
    let spent = app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage;
    let told: keyward_client::NanoUsd = reply.header("x-keyward-budget-remaining").parse().unwrap();
    assert!(told.nanos() <= 5_000_000_000 - spent.nanos(), "{told}");
}

/// A refusal says what is left too, as far as the place was known that it is about.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_is_left() {
    let app = App::start().await;
    let key = limited(&app, 0.000_002).await;
    let reply = called(&app, &key, json!({})).await;
    assert_eq!((reply.status, reply.header("x-keyward-cost")), (402, ""));
    assert_eq!(reply.header("x-keyward-budget-remaining"), "0.000002");
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), "100");
    assert!(reply.header("ratelimit").contains("\"virtual_key.cost\";r=2;t="));
    let unknown = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", "sk-bf-unknown").body("{}").send().await;
    assert_eq!((unknown.status, unknown.header("ratelimit"), unknown.header("ratelimit-policy")), (401, "", ""));
}

/// A failure that is charged says so: what was held may have been used.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_answer_says_what_was_charged() {
    for (status, content, charged) in
        [("500 Oh No", r#"{"error":{"message":"no"}}"#, "0"), ("200 OK", "rubbish", "0.00")]
    {
        let app = App::start().await;
        let upstream = Scripted::answering(status, "application/json", content).await;
        app.provider("openai", upstream.base_url()).await;
        let key = limited(&app, 5.0).await;
        let reply = called(&app, &key, json!({ "model": "openai/gpt-4o-mini", "max_tokens": 5000 })).await;
        assert!(reply.header("x-keyward-cost").starts_with(charged), "{status}: {}", reply.header("x-keyward-cost"));
        let left = 5_000_000_000 - reply.header("x-keyward-cost").parse::<keyward_client::NanoUsd>().unwrap().nanos();
        assert_eq!(reply.header("x-keyward-budget-remaining").parse(), Ok(keyward_client::NanoUsd::from_nanos(left)));
        assert_eq!(reply.header("x-ratelimit-remaining-requests"), "99");
        assert_eq!(reply.header("x-upstream-ratelimit-remaining-requests"), if charged == "0" { "7" } else { "" });
    }
}

/// A key without limits is told nothing of any.
#[tokio::test(flavor = "multi_thread")]
async fn without_limits_there_is_nothing_to_say() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let reply = called(&app, &key, json!({})).await;
    assert_eq!(reply.status, 200);
    for name in reply.headers.keys() {
        let name = name.as_str();
        assert!(!name.contains("ratelimit") && name != "x-keyward-budget-remaining", "{name}");
    }
    assert_ne!(reply.header("x-keyward-cost"), "");
}
