//! How limits are held and when their windows end, for every owner: strictness, clamps, prepaid balances, fiscal quarters.

use serde_json::{Value, json};

use super::{CUSTOMERS, MODEL_CONFIGS, PROVIDER_GOVERNANCE, TEAMS, VIRTUAL_KEYS, done, send};
use crate::gateway::{chat, with_budget};
use crate::harness::App;

/// An owner of limits: where it is edited, how an edit holds its limits, and where they are in the answer.
struct Owner {
    path: String,
    wrap: fn(Value) -> Value,
    found: &'static str,
}

impl Owner {
    async fn edit(&self, app: &App, limits: Value) -> Value {
        let answer = done(app, "PUT", &self.path, (self.wrap)(limits)).await;
        answer.pointer(self.found).unwrap().clone()
    }

    /// Status, and the member at fault inside the owner's limits.
    async fn refused(&self, app: &App, limits: Value) -> (u16, String) {
        let (status, _, param) = send(app, "PUT", &self.path, &(self.wrap)(limits)).await.error();
        (status, param)
    }
}

/// One owner of every kind.
async fn owners(app: &App) -> Vec<Owner> {
    let made = async |path: &str, body: Value, id: &str| {
        let answer = done(app, "POST", path, body).await;
        format!("{path}/{}", answer.pointer(id).unwrap().as_str().unwrap())
    };
    let named = json!({ "name": "one" });
    let key = made(VIRTUAL_KEYS, named.clone(), "/virtual_key/id").await;
    let in_config = |limits: Value| {
        let mut config = json!({ "provider": "demo" });
        config.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        json!({ "provider_configs": [config] })
    };
    let in_model = |limits: Value| {
        let mut model = json!({ "model": "echo" });
        model.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        json!({ "provider_configs": [{ "provider": "demo", "model_budgets": [model] }] })
    };
    let itself = |limits| limits;
    let model_config = json!({ "model_name": "echo" });
    vec![
        Owner { path: key.clone(), wrap: itself, found: "/virtual_key" },
        Owner { path: key.clone(), wrap: in_config, found: "/virtual_key/provider_configs/0" },
        Owner { path: key, wrap: in_model, found: "/virtual_key/provider_configs/0/model_budgets/0" },
        Owner { path: made(TEAMS, named.clone(), "/team/id").await, wrap: itself, found: "/team" },
        Owner { path: made(CUSTOMERS, named, "/customer/id").await, wrap: itself, found: "/customer" },
        Owner {
            path: made(MODEL_CONFIGS, model_config, "/model_config/id").await,
            wrap: itself,
            found: "/model_config",
        },
        Owner { path: format!("{PROVIDER_GOVERNANCE}/demo"), wrap: itself, found: "/provider" },
    ]
}

/// Absent keeps, null clears, and other edits leave them alone: for budgets and rate limits of every owner.
#[tokio::test(flavor = "multi_thread")]
async fn every_owner_says_how_strictly_its_limits_are_held() {
    let app = App::start().await;
    for owner in owners(&app).await {
        let shown = |limits: &Value| {
            ["/budgets/0", "/rate_limit"].map(|limit| {
                let limit = limits.pointer(limit).unwrap();
                [limit.get("enforcement").cloned(), limit.get("output_clamp").cloned()]
            })
        };
        let made = json!({
            "budget": { "max_limit": 1, "reset_duration": "1d", "enforcement": "shadow", "output_clamp": "always" },
            "rate_limit": { "token_max_limit": 9, "token_reset_duration": "1m", "enforcement": "hard", "output_clamp": "never" },
        });
        let set = [[Some(json!("shadow")), Some(json!("always"))], [Some(json!("hard")), Some(json!("never"))]];
        assert_eq!(shown(&owner.edit(&app, made).await), set, "{}", owner.found);
        let kept = json!({ "budget": { "max_limit": 2 }, "rate_limit": { "token_max_limit": 8 } });
        assert_eq!(shown(&owner.edit(&app, kept).await), set, "{}", owner.found);
        let cleared = json!({
            "budget": { "enforcement": null, "output_clamp": "when_absent" },
            "rate_limit": { "enforcement": "soft", "output_clamp": null },
        });
        let expected = [[None, Some(json!("when_absent"))], [Some(json!("soft")), None]];
        assert_eq!(shown(&owner.edit(&app, cleared).await), expected, "{}", owner.found);
        for (limits, member) in [
            (json!({ "budget": { "enforcement": "strict" } }), "budget/enforcement"),
            (json!({ "rate_limit": { "output_clamp": "sometimes" } }), "rate_limit/output_clamp"),
            (json!({ "rate_limit": { "token_reset_duration": "never" } }), "rate_limit/token_reset_duration"),
            (json!({ "rate_limit": { "request_reset_duration": "never" } }), "rate_limit/request_reset_duration"),
        ] {
            let (status, param) = owner.refused(&app, limits).await;
            assert!(status == 400 && param.ends_with(member), "{}: {status} {param}", owner.found);
        }
    }
}

/// A window that does not end: nothing says that it resets, not even a refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_prepaid_balance_never_resets() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let caller = app.caller(&key);
    caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let path = format!("{VIRTUAL_KEYS}/{}", key.id);
    let edit = async |body: Value| done(&app, "PUT", &path, body).await["virtual_key"]["budgets"][0].clone();
    let daily = edit(json!({})).await;
    let spent = &daily["current_usage"];
    let prepaid = edit(json!({ "budget": { "reset_duration": "never", "max_limit": spent } })).await;
    assert_eq!((&prepaid["resets_at"], &prepaid["last_reset"]), (&Value::Null, &daily["created_at"]));
    assert_eq!(&prepaid["current_usage"], spent);

    let raw = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose());
    let reply = raw.body(r#"{"model":"demo/echo","messages":[{"role":"user","content":"hi"}]}"#).send().await;
    assert_eq!((reply.status, reply.header("retry-after"), reply.header("x-should-retry")), (402, "", "false"));
    let details = &reply.json()["error"]["details"];
    assert_eq!((&details["resets_at"], &details["used"]), (&Value::Null, spent));

    let app = app.restarted().await;
    let edit = async |body: Value| done(&app, "PUT", &path, body).await["virtual_key"]["budgets"][0].clone();
    assert_eq!(edit(json!({})).await["current_usage"], *spent, "also after a restart");
    let back = edit(json!({ "budget": { "reset_duration": "1d" } })).await;
    assert_eq!((&back["current_usage"], &back["resets_at"]), (spent, &daily["resets_at"]));
    // A balance is topped up when that is asked for.
    let again = edit(json!({ "budget": { "reset_duration": "never" }, "reset_budget_usage": true })).await;
    assert_eq!((&again["current_usage"], &again["resets_at"]), (&json!(0), &Value::Null));
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap_err();
    edit(json!({ "budget": { "max_limit": 1 } })).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    assert_eq!(edit(json!({})).await["current_usage"], *spent);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_balance_cannot_be_is_named() {
    let app = App::start().await;
    let key = app.key(with_budget("1")).await;
    let path = format!("{VIRTUAL_KEYS}/{}", key.id);
    let budget = done(&app, "PUT", &path, json!({ "budget": { "reset_duration": "never" } })).await;
    let budget = budget["virtual_key"]["budget"]["id"].as_str().unwrap().to_owned();
    let raise = format!("{path}/budgets/{budget}/override");
    for (path, body, param) in [
        (&path, json!({ "budget": { "calendar_aligned": true } }), "/budget/calendar_aligned"),
        (
            &path,
            json!({ "budget": { "reset_config": { "quarter_start_month": 4 } } }),
            "/budget/reset_config/quarter_start_month",
        ),
        (&raise, json!({ "amount": 1, "mode": "cycles", "cycles": 1 }), "/mode"),
    ] {
        let (status, _, at) = send(&app, "PUT", path, &body).await.error();
        assert_eq!((status, at.as_str()), (400, param), "{body}");
    }
    done(&app, "PUT", &raise, json!({ "amount": 1, "mode": "forever" })).await;
    // The owner's setting reaches what can follow it.
    let aligned = done(&app, "PUT", &path, json!({ "calendar_aligned": true })).await;
    assert_eq!(aligned["virtual_key"]["budget"]["calendar_aligned"], false);
    let rules = json!({ "model_name": "m", "rate_limits": [{ "metric": "tokens", "max_limit": 1, "reset_duration": "never" }] });
    let (status, _, at) = send(&app, "POST", MODEL_CONFIGS, &rules).await.error();
    assert_eq!((status, at.as_str()), (400, "/rate_limits/0/reset_duration"));
}

/// Quarters begin with the month that is said, as long as they are aligned quarters.
#[tokio::test(flavor = "multi_thread")]
async fn fiscal_quarters_begin_with_their_month() {
    let app = App::start().await;
    for owner in owners(&app).await {
        let month = |budget: &Value| budget["last_reset"].as_str().unwrap()[5..7].parse::<u32>().unwrap();
        let edit = async |budget: Value| owner.edit(&app, json!({ "budget": budget })).await["budgets"][0].clone();
        let quarter = json!({ "max_limit": 1, "reset_duration": "1Q", "calendar_aligned": true });
        let plain = edit(quarter).await;
        assert_eq!((month(&plain) % 3, plain.get("reset_config")), (1, None), "{}", owner.found);
        let fiscal = edit(json!({ "reset_config": { "quarter_start_month": 2 } })).await;
        assert_eq!((month(&fiscal) % 3, &fiscal["reset_config"]), (2, &json!({ "quarter_start_month": 2 })));
        for kept in [json!({ "max_limit": 2 }), json!({ "reset_config": {} }), json!({ "reset_duration": "2Q" })] {
            assert_eq!(edit(kept).await["reset_config"], json!({ "quarter_start_month": 2 }), "{}", owner.found);
        }
        // What has no quarters any more does not remember where they began.
        assert_eq!(edit(json!({ "reset_duration": "1M" })).await.get("reset_config"), None);
        for bad in [json!(0), json!(13), json!(1)] {
            let (status, param) =
                owner.refused(&app, json!({ "budget": { "reset_config": { "quarter_start_month": bad } } })).await;
            assert!(status == 400 && param.ends_with("/reset_config/quarter_start_month"), "{bad}: {status} {param}");
        }
        let again = edit(json!({ "reset_duration": "1Q", "reset_config": { "quarter_start_month": 12 } })).await;
        assert_eq!(month(&again) % 3, 0);
        assert_eq!(edit(json!({ "reset_config": null })).await.get("reset_config"), None);
    }
}

/// The owner's setting reaches rate limits, new limits too, and not what cannot be aligned.
#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_follow_the_calendar_of_their_owner() {
    let app = App::start().await;
    for owner in owners(&app).await {
        let limit = async |limits: Value| owner.edit(&app, limits).await["rate_limit"].clone();
        let both = json!({
            "token_max_limit": 9, "token_reset_duration": "1d", "request_max_limit": 9, "request_reset_duration": "1m",
        });
        let rolling = limit(json!({ "rate_limit": both })).await;
        assert_eq!(
            (&rolling["calendar_aligned"], &rolling["token_last_reset"]),
            (&json!(false), &rolling["created_at"])
        );
        let aligned = limit(json!({ "rate_limit": { "calendar_aligned": true } })).await;
        assert_eq!(aligned["calendar_aligned"], true, "{}", owner.found);
        assert!(aligned["token_last_reset"].as_str().unwrap().ends_with("T00:00:00Z"), "{aligned}");
        assert!(aligned["request_last_reset"].as_str() >= rolling["created_at"].as_str(), "a minute rolls: {aligned}");
        let minutes = json!({ "rate_limit": { "token_reset_duration": "5m", "calendar_aligned": true } });
        let (status, param) = owner.refused(&app, minutes).await;
        assert!(status == 400 && param.ends_with("rate_limit/calendar_aligned"), "{status} {param}");
    }
    let key = done(&app, "POST", VIRTUAL_KEYS, json!({ "name": "aligned", "calendar_aligned": true })).await;
    let path = format!("{VIRTUAL_KEYS}/{}", key["virtual_key"]["id"].as_str().unwrap());
    let day = json!({ "request_max_limit": 1, "request_reset_duration": "1d" });
    let limits = json!({ "budget": { "max_limit": 1, "reset_duration": "1d" }, "rate_limit": day });
    let mut body = limits.clone();
    let model = json!({ "model": "echo", "rate_limit": day });
    body["provider_configs"] = json!([{ "provider": "demo", "rate_limit": day, "model_budgets": [model] }]);
    let aligned = |answer: &Value, expected: bool| {
        for limit in [
            "/virtual_key/budget",
            "/virtual_key/rate_limit",
            "/virtual_key/provider_configs/0/rate_limit",
            "/virtual_key/provider_configs/0/model_budgets/0/rate_limit",
        ] {
            assert_eq!(answer.pointer(limit).unwrap()["calendar_aligned"], expected, "{limit}");
        }
    };
    aligned(&done(&app, "PUT", &path, body).await, true);
    aligned(&done(&app, "PUT", &path, json!({ "calendar_aligned": false })).await, false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_has_a_cap_on_what_runs_at_the_same_time() {
    let app = App::start().await;
    let body = json!({ "name": "two", "max_parallel_requests": 2 });
    let made = done(&app, "POST", VIRTUAL_KEYS, body).await["virtual_key"].clone();
    assert_eq!(made["max_parallel_requests"], 2);
    let path = format!("{VIRTUAL_KEYS}/{}", made["id"].as_str().unwrap());
    let edit =
        async |body: Value| done(&app, "PUT", &path, body).await["virtual_key"].get("max_parallel_requests").cloned();
    assert_eq!(edit(json!({ "description": "x" })).await, Some(json!(2)));
    assert_eq!(edit(json!({ "max_parallel_requests": 4_294_967_295_u32 })).await, Some(json!(4_294_967_295_u32)));
    assert_eq!(edit(json!({ "max_parallel_requests": null })).await, None);
    for cap in [json!(0), json!(-1), json!(4_294_967_296_u64), json!(1.5), json!("1")] {
        let body = json!({ "max_parallel_requests": cap });
        let (status, _, at) = send(&app, "PUT", &path, &body).await.error();
        assert_eq!((status, at.as_str()), (400, "/max_parallel_requests"), "{body}");
    }
}
