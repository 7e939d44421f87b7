//! Books that cannot be kept: nothing is admitted, nothing is lost, and it recovers by itself.

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
