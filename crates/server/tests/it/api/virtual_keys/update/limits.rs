//! Limits of an update: they are edited in place, hold at once, and keep what was used.

use keyward_client::{CreateVirtualKey, NanoUsd, VirtualKey};
use serde_json::{Value, json};

use super::super::super::{budget, requests};
use super::super::team;
use super::{edited, invalid, unedited};
use crate::gateway::{chat, with_budget};
use crate::harness::App;

/// A key that has used something of its two budgets and its rate limit, and how much.
async fn used_key(app: &App) -> (VirtualKey, NanoUsd) {
    let request = CreateVirtualKey {
        budgets: vec![budget("1", "1d"), budget("5", "1w")].into(),
        rate_limit: requests(100, "1h").into(),
        ..CreateVirtualKey::default()
    };
    let key = app.key(request).await;
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let key = app.client.virtual_key_get(&key.id).await.unwrap();
    let spent = key.budgets[0].current_usage;
    assert!(spent > NanoUsd::ZERO);
    (key, spent)
}

fn used(key: &VirtualKey) -> Vec<NanoUsd> {
    key.budgets.iter().map(|budget| budget.current_usage).collect()
}

/// I8: an edit of limits changes no usage, neither what is shown nor what is enforced.
#[tokio::test(flavor = "multi_thread")]
async fn i8_edits_leave_usage_alone() {
    let app = App::start().await;
    let (key, spent) = used_key(&app).await;
    let [daily, weekly] = [&key.budgets[0].id, &key.budgets[1].id];
    let team = team(&app, "red").await;
    for body in [
        json!({ "budgets": [{ "id": daily, "max_limit": 2 }, { "id": weekly, "max_limit": 0.5 }] }),
        json!({ "budgets": [{ "max_limit": 3, "reset_duration": "1w" }, { "max_limit": 4, "reset_duration": "1d" }] }),
        json!({ "budgets": [{ "id": daily, "reset_duration": "2d" }, { "id": weekly, "reset_duration": "1Y" }] }),
        json!({ "budgets": [{ "max_limit": 1, "reset_duration": "3h" }, { "max_limit": 9, "reset_duration": "1M" }] }),
        json!({ "budgets": [{ "id": daily, "reset_duration": "1d", "calendar_aligned": true }, { "id": weekly }] }),
        json!({ "budgets": [{ "id": daily, "timezone": "Pacific/Kiritimati" }, { "id": weekly }] }),
        json!({ "calendar_aligned": true }),
        json!({ "calendar_aligned": false }),
        json!({ "rate_limit": { "request_max_limit": 50 } }),
        json!({ "rate_limit": { "request_reset_duration": "1d" } }),
        json!({ "rate_limit": { "calendar_aligned": true } }),
        json!({ "budgets": [{ "id": daily, "reset_duration": "never", "enforcement": "soft" }, { "id": weekly }] }),
        json!({ "budgets": [{ "id": daily, "reset_duration": "1d" }, { "id": weekly, "reset_duration": "1Q", "calendar_aligned": true, "reset_config": { "quarter_start_month": 3 } }] }),
        json!({ "rate_limit": { "token_max_limit": 1_000_000, "token_reset_duration": "1h" } }),
        json!({ "team_id": team.as_str() }),
        json!({ "team_id": null }),
        json!({ "is_active": false }),
        json!({ "is_active": true, "name": "renamed", "provider_configs": [{ "provider": "demo" }] }),
    ] {
        let after = edited(&app, &key, body.clone()).await;
        assert_eq!(used(&after), [spent, spent], "{body}");
        assert_eq!(after.rate_limit.unwrap().request_current_usage, 1, "{body}");
    }
    let ids: Vec<_> = app.client.virtual_key_get(&key.id).await.unwrap().budgets;
    assert_eq!([&ids[0].id, &ids[1].id], [daily, weekly]);
    // The next call is counted on top, and the database agrees.
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let twice = NanoUsd::from_nanos(2 * spent.nanos());
    let before = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!((used(&before), before.rate_limit.as_ref().unwrap().request_current_usage), (vec![twice, twice], 2));
    let app = app.restarted().await;
    assert_eq!(app.client.virtual_key_get(&key.id).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_are_made_matched_and_removed() {
    let app = App::start().await;
    let (key, spent) = used_key(&app).await;
    let [daily, weekly] = [&key.budgets[0].id, &key.budgets[1].id];
    let shown = |key: &VirtualKey| -> Vec<Value> {
        key.budgets.iter().map(|one| json!([one.id, one.max_limit, one.reset_duration, one.current_usage])).collect()
    };
    // A new one begins with nothing used.
    let body = json!({ "budgets": [{ "id": weekly }, { "id": daily }, { "max_limit": 0.1, "reset_duration": "1h" }] });
    let three = edited(&app, &key, body).await;
    assert_eq!(shown(&three)[1..], [json!([daily, 1, "1d", spent]), json!([weekly, 5, "1w", spent])]);
    assert_eq!(three.budgets[0].current_usage, NanoUsd::ZERO);
    assert_eq!(three.budget_id, Some(three.budgets[0].id.clone()));
    // Matched by duration, however it is ordered; what is not listed is removed.
    let two = edited(&app, &key, json!({ "budgets": [{ "max_limit": 6, "reset_duration": "1w" }] })).await;
    assert_eq!(shown(&two), [json!([weekly, 6, "1w", spent])]);
    // The single form edits the one there is.
    let single = edited(&app, &key, json!({ "budget": { "max_limit": 7 } })).await;
    assert_eq!(shown(&single), [json!([weekly, 7, "1w", spent])]);
    let single = edited(&app, &key, json!({ "budget": { "reset_duration": "1M" } })).await;
    assert_eq!(shown(&single), [json!([weekly, 7, "1M", spent])]);
    for remove in
        [json!({ "budget": {} }), json!({ "budget": null }), json!({ "budgets": [] }), json!({ "budgets": null })]
    {
        assert!(edited(&app, &key, remove.clone()).await.budgets.is_empty(), "{remove}");
        edited(&app, &key, json!({ "budget": { "max_limit": 1, "reset_duration": "1d" } })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_are_merged_and_removed() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey { rate_limit: requests(9, "1h").into(), ..CreateVirtualKey::default() }).await;
    let limit = |key: VirtualKey| {
        let limit = key.rate_limit.unwrap();
        (limit.request_max_limit, limit.token_max_limit, limit.id)
    };
    let id = key.rate_limit_id.clone().unwrap();
    let tokens = json!({ "rate_limit": { "token_max_limit": 5, "token_reset_duration": "1m" } });
    assert_eq!(limit(edited(&app, &key, tokens).await), (Some(9), Some(5), id.clone()));
    let no_requests = json!({ "rate_limit": { "request_max_limit": null } });
    assert_eq!(limit(edited(&app, &key, no_requests).await), (None, Some(5), id));
    assert!(edited(&app, &key, json!({ "rate_limit": {} })).await.rate_limit.is_none());
    let message = "rate limit token reset duration is required";
    let lacking = json!({ "rate_limit": { "token_max_limit": 5 } });
    assert_eq!(unedited(&app, &key, lacking).await, invalid("/rate_limit/token_reset_duration", message));
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_that_cannot_be_are_refused() {
    let app = App::start().await;
    let (key, _) = used_key(&app).await;
    let id = &key.budgets[0].id;
    for (body, expected) in [
        (
            json!({ "budgets": [{ "id": "x", "max_limit": 1, "reset_duration": "1d" }] }),
            invalid("/budgets/0/id", "budget x does not belong to this entity"),
        ),
        (
            json!({ "budgets": [{ "id": id }, { "id": id }] }),
            invalid("/budgets/1/id", &format!("budget {id} does not belong to this entity")),
        ),
        (
            json!({ "budgets": [{ "id": id }, { "max_limit": 1, "reset_duration": "24h" }] }),
            invalid("/budgets/1/reset_duration", "Duplicate reset_duration in budgets: 24h"),
        ),
        (
            json!({ "budgets": [
                { "max_limit": 1, "reset_duration": "1d" },
                { "max_limit": 1, "reset_duration": "1d" },
            ] }),
            invalid("/budgets/1/reset_duration", "Duplicate reset_duration in budgets: 1d"),
        ),
        (json!({ "budgets": [], "budget": {} }), invalid("/budgets", "only one of 'budget' or 'budgets' may be set")),
        (
            json!({ "budgets": [{ "id": id, "reset_duration": "90m", "calendar_aligned": true }] }),
            invalid(
                "/budgets/0/calendar_aligned",
                "calendar_aligned needs a reset_duration in d, w, M, Q or Y, not 90m",
            ),
        ),
    ] {
        assert_eq!(unedited(&app, &key, body.clone()).await, expected, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cap_holds_for_the_next_call() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey { rate_limit: requests(2, "1h").into(), ..with_budget("1") }).await;
    let caller = app.caller(&key);
    let request = chat("demo/echo", "hi");
    caller.chat_completion_create(&request).await.unwrap();
    let spent = app.client.virtual_key_get(&key.id).await.unwrap().budgets[0].current_usage;
    for (body, code) in [
        (json!({ "rate_limit": { "request_max_limit": 1 } }), Some("request_limited")),
        (json!({ "rate_limit": { "request_max_limit": 10 } }), None),
        (json!({ "budget": { "max_limit": spent } }), Some("budget_exceeded")),
        (json!({ "budget": { "max_limit": 1 } }), None),
        (json!({ "budgets": [{ "max_limit": spent, "reset_duration": "1h" }] }), Some("budget_exceeded")),
        (json!({ "budgets": [] }), None),
    ] {
        edited(&app, &key, body.clone()).await;
        let answer = caller.chat_completion_create(&request).await;
        assert_eq!(answer.as_ref().err().and_then(keyward_client::Error::code), code, "{body}");
    }
}

/// Usage is taken off only when that is asked for, in what is shown, in what is enforced, and in the books.
#[tokio::test(flavor = "multi_thread")]
async fn usage_is_taken_off_when_that_is_asked_for() {
    let app = App::start().await;
    let (key, spent) = used_key(&app).await;
    let kept = edited(&app, &key, json!({ "reset_budget_usage": false })).await;
    assert_eq!(used(&kept), [spent, spent]);
    let reset = edited(&app, &key, json!({ "reset_budget_usage": true })).await;
    assert_eq!(used(&reset), [NanoUsd::ZERO, NanoUsd::ZERO]);
    assert_eq!(reset.rate_limit.unwrap().request_current_usage, 1, "only budgets");
    assert_eq!(reset.budgets[0].last_reset, key.budgets[0].last_reset, "the window goes on");
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let app = app.restarted().await;
    let again = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!(used(&again), [spent, spent], "what is used since counts");
}
