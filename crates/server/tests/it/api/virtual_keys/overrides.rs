//! `PUT`, `DELETE /api/governance/virtual-keys/{vk_id}/budgets/{budget_id}/override`

use keyward_client::{OverrideBudget, OverrideMode};
use serde_json::json;

use super::super::{VIRTUAL_KEYS, refused, send};
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
