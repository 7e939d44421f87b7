//! `PUT`, `DELETE /api/governance/virtual-keys/{vk_id}/budgets/{budget_id}/override`

use keyward_client::{OverrideBudget, OverrideMode};
use serde_json::json;

use super::super::{VIRTUAL_KEYS, done, refused, send};
use crate::gateway::{chat, with_budget};
use crate::harness::App;

fn more(dollars: &str, mode: OverrideMode, cycles: Option<u32>) -> OverrideBudget {
    OverrideBudget { amount: dollars.parse().unwrap(), mode, cycles }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_raises_the_cap_at_once_and_goes_when_it_is_removed() {
    let app = App::start().await;
    // Pays for nothing: a call holds more.
    let key = app.key(with_budget("0.000001")).await;
    let budget = key.budgets[0].id.clone();
    let call = async || app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await;
    assert_eq!(call().await.unwrap_err().code(), Some("budget_exceeded"));

    let request = more("1", OverrideMode::Cycles, Some(3));
    let raised = app.client.budget_override_set(&key.id, &budget, &request).await.unwrap();
    assert_eq!(raised.effective_max_limit.to_string(), "1.000001");
    assert_eq!(
        (raised.budget.override_mode, raised.budget.override_cycles_left),
        (Some(OverrideMode::Cycles), Some(3))
    );
    assert_eq!(raised.budget.max_limit, key.budgets[0].max_limit, "the cap itself stays");
    call().await.unwrap();

    let app = app.restarted().await;
    let read = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!(read.budgets[0].override_cycles_left, Some(3), "also after a restart");
    let forever =
        app.client.budget_override_set(&key.id, &budget, &more("2", OverrideMode::Forever, None)).await.unwrap();
    assert_eq!((forever.budget.override_mode, forever.budget.override_expires_at), (Some(OverrideMode::Forever), None));
    let plain = app.client.budget_override_remove(&key.id, &budget).await.unwrap();
    assert_eq!((plain.budget.override_amount, plain.effective_max_limit), (None, key.budgets[0].max_limit));
    let error = app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap_err();
    assert_eq!(error.code(), Some("budget_exceeded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_overridden_is_named() {
    let app = App::start().await;
    let (key, other) = (app.key(with_budget("1")).await, app.key(with_budget("1")).await);
    let path = |budget: &str| format!("{VIRTUAL_KEYS}/{}/budgets/{budget}/override", key.id);
    let budget = key.budgets[0].id.as_str();
    for (body, param) in [
        (json!({ "amount": 0, "mode": "forever" }), "/amount"),
        (json!({ "amount": -1, "mode": "forever" }), "/amount"),
        (json!({ "amount": 9_223_372_036u64, "mode": "forever" }), "/amount"),
        (json!({ "amount": 1, "mode": "sometimes" }), "/mode"),
        (json!({ "amount": 1, "mode": "cycles" }), "/cycles"),
        (json!({ "amount": 1, "mode": "cycles", "cycles": 0 }), "/cycles"),
        (json!({ "amount": 1, "mode": "forever", "cycles": 1 }), "/cycles"),
    ] {
        let (status, _, at) = send(&app, "PUT", &path(budget), &body).await.error();
        assert_eq!((status, at.as_str()), (400, param), "{body}");
    }
    let request = more("1", OverrideMode::Forever, None);
    let foreign = refused(app.client.budget_override_set(&key.id, &other.budgets[0].id, &request).await);
    assert_eq!((foreign.status, foreign.message.as_str()), (404, "Budget not found"));
    assert_eq!(
        refused(app.client.budget_override_set(&"nobody".into(), &key.budgets[0].id, &request).await).status,
        404
    );
}

/// Edits of windows and a reset of usage leave an override as it was told: its amount, its end, and that it is in force.
#[tokio::test(flavor = "multi_thread")]
async fn an_override_outlasts_edits_of_its_budget() {
    let app = App::start().await;
    // Pays for nothing: a call holds more.
    let key = app.key(with_budget("0.000001")).await;
    let path = format!("{VIRTUAL_KEYS}/{}", key.id);
    let edit = async |body| done(&app, "PUT", &path, body).await["virtual_key"]["budget"].clone();
    edit(json!({ "budget": { "calendar_aligned": true, "timezone": "Europe/Berlin" } })).await;
    let request = more("1", OverrideMode::Cycles, Some(2));
    let raised = app.client.budget_override_set(&key.id, &key.budgets[0].id, &request).await.unwrap().budget;
    assert!(raised.override_expires_at > raised.resets_at && raised.override_cycles_left == Some(2));
    app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
    let mut spent = edit(json!({})).await["current_usage"].as_f64().unwrap();
    assert!(spent > 0.000_001, "more than the cap alone pays for");
    for body in [
        json!({ "budget": { "timezone": "Pacific/Kiritimati" } }),
        json!({ "budget": { "calendar_aligned": false } }),
        json!({ "budget": { "reset_duration": "1w" } }),
        json!({ "calendar_aligned": true }),
        json!({ "budget": { "reset_duration": "1Q", "reset_config": { "quarter_start_month": 2 } } }),
        json!({ "budget": { "reset_duration": "never" } }),
        json!({ "budget": { "reset_duration": "1d", "max_limit": 0.000_002 } }),
        json!({ "reset_budget_usage": true }),
        json!({ "budget": { "reset_duration": "2d" }, "reset_budget_usage": true }),
    ] {
        let after = edit(body.clone()).await;
        if body.get("reset_budget_usage").is_some() {
            spent = 0.0;
        }
        assert_eq!(after["current_usage"].as_f64(), Some(spent), "{body}");
        assert_eq!((&after["override_amount"], &after["override_mode"]), (&json!(1), &json!("cycles")), "{body}");
        assert_eq!(after["override_expires_at"], json!(raised.override_expires_at), "{body}");
        app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap();
        spent = edit(json!({})).await["current_usage"].as_f64().unwrap();
    }
    let app = app.restarted().await;
    let read = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!(read.budgets[0].override_expires_at, raised.override_expires_at, "also after a restart");
    app.client.budget_override_remove(&key.id, &key.budgets[0].id).await.unwrap();
    let error = app.caller(&key).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap_err();
    assert_eq!(error.code(), Some("budget_exceeded"));
}
