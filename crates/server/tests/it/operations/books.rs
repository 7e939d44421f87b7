//! Books that cannot be kept: nothing is admitted, nothing is lost, and it recovers by itself.

use keyward_client::RoutingRuleQuery;
use serde_json::json;

use crate::gateway::{chat, with_budget};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn while_the_ledger_cannot_be_written_nothing_is_admitted() {
    let app = App::start().await;
    if !app.database.is_postgres() {
        // Only a database server can be broken and mended from outside while it is in use.
        return;
    }
    let key = app.key(with_budget("1")).await;
    let caller = app.caller(&key);
    app.database.execute("ALTER TABLE ledger RENAME TO ledger_away").await;
    let mut served = 0;
    let refused = loop {
        match caller.chat_completion_create(&chat("demo/echo", "hi")).await {
            Ok(_) => served += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((refused.status(), refused.code()), (Some(503), Some("governance_unavailable")));
    assert!(served > 0 && refused.is_retryable());
    assert_eq!(app.raw("GET", "/readyz").send().await.error().1, "governance_unavailable");

    app.database.execute("ALTER TABLE ledger_away RENAME TO ledger").await;
    while caller.chat_completion_create(&chat("demo/echo", "hi")).await.is_err() {}
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, served + 1);
}

/// What the gateway keeps is older than what is configured while the database cannot be read after an edit.
#[tokio::test(flavor = "multi_thread")]
async fn while_an_edit_cannot_be_read_again_nothing_is_admitted() {
    let app = App::start().await;
    if !app.database.is_postgres() {
        // Only a database server can be broken and mended from outside while it is in use.
        return;
    }
    let key = app.key(with_budget("1")).await;
    let caller = app.caller(&key);
    let rule = |name: &str| {
        let target = json!({ "provider": "demo", "model": "echo", "weight": 1 });
        json!({ "name": name, "cel_expression": "false", "targets": [target] }).to_string()
    };
    let create = async |name: &str| app.raw("POST", "/api/routing/rules").body(rule(name)).send().await.status;
    assert_eq!(create("one").await, 200);
    app.database.execute("UPDATE routing_rules SET fallbacks = 'unreadable' WHERE name = 'one'").await;
    assert_eq!(create("two").await, 500);
    let refused = caller.chat_completion_create(&chat("demo/echo", "hi")).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (Some(503), Some("governance_unavailable")));
    assert_eq!(app.raw("GET", "/readyz").send().await.error().1, "governance_unavailable");

    app.database.execute("UPDATE routing_rules SET fallbacks = '[]' WHERE name = 'one'").await;
    while caller.chat_completion_create(&chat("demo/echo", "hi")).await.is_err() {}
    let rules = app.client.routing_rule_list(&RoutingRuleQuery::default()).await.unwrap();
    assert_eq!(rules.total_count, 2, "the edit was stored");
}
