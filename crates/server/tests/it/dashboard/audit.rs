//! The audit log, by kind of thing.

use keyward_client::AuditQuery;
use serde_json::json;

use super::{Browser, text};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_narrowed_to_a_kind_of_thing() {
    let app = App::start().await;
    app.client.provider_create(&serde_json::from_value(json!({ "name": "openai" })).unwrap()).await.unwrap();
    app.client.team_create(&serde_json::from_value(json!({ "name": "t" })).unwrap()).await.unwrap();
    app.client.customer_create(&serde_json::from_value(json!({ "name": "c" })).unwrap()).await.unwrap();
    app.client.virtual_key_create(&serde_json::from_value(json!({ "name": "k" })).unwrap()).await.unwrap();
    let rule = json!({ "name": "r", "targets": [{ "provider": "openai", "weight": 1 }] });
    app.client.routing_rule_create(&serde_json::from_value(rule).unwrap()).await.unwrap();
    let browser = Browser::at(&app);
    let all = text(&browser.get("/audit").await);
    let entries = app.client.audit_list(&AuditQuery::default()).await.unwrap().entries;
    assert!(entries.len() >= 5);
    for entry in entries {
        assert!(
            all.contains(&format!(r#"<option value="{}">"#, entry.resource)),
            "{} cannot be chosen",
            entry.resource
        );
    }
    let teams = text(&browser.get("/audit?resource=team").await);
    assert!(teams.contains(r#"<option value="team" selected>"#) && teams.contains("team_create"), "{teams}");
    assert!(!teams.contains("customer_create") && !teams.contains("provider_create"), "{teams}");
}
