//! Expiry: a key is refused from that instant on, and deleted if it shall be.

use std::time::Duration;

use jiff::ToSpan as _;
use keyward_client::{AuditQuery, CreateVirtualKey};

use crate::gateway::chat;
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_key_is_deleted_only_when_it_shall_be() {
    let app = App::builder().settings(|settings| settings.expiry_interval = Duration::from_millis(5)).start().await;
    // The server's own clock, a little later.
    let now = app.key(CreateVirtualKey::default()).await.created_at;
    let soon = now.checked_add(1_500.milliseconds()).unwrap().to_string();
    let expiring = |delete| CreateVirtualKey {
        expires_at: Some(soon.clone()),
        delete_after_expire: Some(delete),
        ..CreateVirtualKey::default()
    };
    let (going, staying) = (app.key(expiring(true)).await, app.key(expiring(false)).await);
    assert!(going.delete_after_expire && !staying.delete_after_expire);
    while app.client.virtual_key_get(&going.id).await.is_ok() {}
    let kept = app.client.virtual_key_get(&staying.id).await.unwrap();
    let error = app.caller(&kept).chat_completion_create(&chat("demo/echo", "hi")).await.unwrap_err();
    assert_eq!(error.code(), Some("virtual_key_expired"));
    let query = AuditQuery { action: Some("virtual_key_expire".to_owned()), ..AuditQuery::default() };
    let log = app.client.audit_list(&query).await.unwrap().entries;
    assert_eq!(log.iter().map(|entry| entry.resource_id.as_str()).collect::<Vec<_>>(), [going.id.as_str()]);
}
