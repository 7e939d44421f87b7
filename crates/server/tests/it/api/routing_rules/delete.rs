//! `DELETE /api/routing/rules/{rule_id}`

use serde_json::json;

use super::{EARLIER, RULES, made, simple, told};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_rule_is_gone_and_both_are_in_the_audit_log() {
    let app = App::start().await;
    for path in [RULES, EARLIER] {
        let id = made(&app, simple("r")).await;
        let path = format!("{path}/{id}");
        let stale = app.raw("DELETE", &path).header("if-match", "\"0\"").send().await;
        assert_eq!(stale.status, 412);
        let answer = app.raw("DELETE", &path).send().await;
        assert_eq!(answer.json(), json!({ "message": "Routing rule deleted successfully" }));
        for method in ["GET", "DELETE"] {
            assert_eq!(
                told(&app, method, &path, &json!({})).await,
                (404, String::new(), "Routing rule not found".to_owned())
            );
        }
        let log = app.raw("GET", &format!("/api/audit?resource=routing_rule&resource_id={id}")).send().await.json();
        let actions: Vec<_> = log["entries"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
        assert_eq!(actions, ["routing_rule_delete", "routing_rule_create"]);
    }
}
