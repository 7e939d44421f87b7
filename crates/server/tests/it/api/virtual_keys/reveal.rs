//! `GET /api/governance/virtual-keys/{vk_id}/reveal` and `/copy`

use keyward_client::{AuditQuery, CreateVirtualKey, ErrorCode};
use keyward_server::config::RevealVirtualKeys;

use super::super::refused;
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_shown_and_that_is_recorded() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    assert_eq!(app.client.virtual_key_reveal(&key.id).await.unwrap().value, key.value);
    assert_eq!(app.client.virtual_key_copy(&key.id).await.unwrap().value, key.value);
    let log = app.client.audit_list(&AuditQuery::default()).await.unwrap().entries;
    let told: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.resource_id.as_str())).collect();
    assert_eq!(told[..2], [("virtual_key_copy", key.id.as_str()), ("virtual_key_reveal", key.id.as_str())]);
    assert_eq!(refused(app.client.virtual_key_reveal(&"nobody".into()).await).status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_secrets_stay_hidden() {
    let hidden = |settings: &mut keyward_server::config::Settings| {
        settings.reveal_virtual_keys = RevealVirtualKeys::OnCreate;
    };
    let app = App::builder().settings(hidden).start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let error = refused(app.client.virtual_key_reveal(&key.id).await);
    assert_eq!((error.status, error.code), (403, Some(ErrorCode::SecretHidden)));
    let rotated = app.client.virtual_key_rotate(&key.id).await.unwrap().virtual_key;
    assert!(
        rotated.value.expose().starts_with("sk-bf-") && !rotated.value.expose().contains('*'),
        "a new one is shown"
    );
}
