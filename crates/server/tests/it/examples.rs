//! The examples of the documents are true: each is sent, and answered as it says.
//!
//! An example stands for any run: its ids, secrets and instants are stand-ins for those of the run (`stand_ins.rs`). Everything else is
//! compared as it is. `KEYWARD_EXAMPLES=write` writes the answers of this run down, with the stand-ins that are there already.

mod call;
mod gateway;
mod stand_ins;

use std::collections::BTreeSet;

use keyward_client::{CreateVirtualKey, RateLimitInput, UpdateVirtualKey};
use keyward_server::AdminCredential;
use keyward_server::openapi::Document;
use serde_json::json;

use crate::gateway::called;
use crate::harness::App;
use call::Examples;

/// The operations of the management document; in this order each finds what it is about.
const ORDER: &[&str] = &[
    "livez",
    "readyz",
    "health",
    "metrics",
    "session_status",
    "config_update",
    "config_get",
    "customer_create",
    "customer_update",
    "team_create",
    "team_update",
    "audit_list",
    "audit_verify",
    "team_get",
    "team_list",
    "provider_create",
    "provider_update",
    "provider_get",
    "provider_list",
    "provider_key_create",
    "provider_key_update",
    "provider_key_get",
    "provider_key_list",
    "key_list",
    "mcp_client_create",
    "mcp_client_update",
    "mcp_client_get",
    "mcp_client_list",
    "virtual_key_create",
    "virtual_key_update",
    "virtual_key_get",
    "virtual_key_list",
    "virtual_key_quota",
    "virtual_key_reveal",
    "virtual_key_copy",
    "budget_override_set",
    "budget_override_remove",
    "budget_list",
    "rate_limit_list",
    "usage_report",
    "usage_forecast",
    "ledger_list",
    "request_explain",
    "customer_get",
    "customer_list",
    "model_config_create",
    "model_config_update",
    "model_config_get",
    "model_config_list",
    "provider_governance_update",
    "provider_governance_list",
    "pricing_override_create",
    "pricing_override_update",
    "pricing_override_patch",
    "pricing_override_get",
    "pricing_override_list",
    "routing_rule_create",
    "routing_rule_update",
    "routing_rule_get",
    "routing_rule_list",
    "management_key_create",
    "management_key_update",
    "management_key_get",
    "management_key_list",
    "management_key_rotate",
    "virtual_key_rotate",
    "virtual_keys_rotate",
    "event_list",
    "session_login",
    "session_list",
    "session_delete",
    "session_logout",
    "management_key_delete",
    "routing_rule_delete",
    "pricing_override_delete",
    "provider_governance_delete",
    "model_config_delete",
    "virtual_key_delete",
    "mcp_client_delete",
    "provider_key_delete",
    "provider_delete",
    "team_delete",
    "customer_delete",
];

const PASSWORD: &str = "not-a-real-password";

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_management_document_is_what_the_server_does() {
    let credential = AdminCredential::new("admin", &PASSWORD.into());
    let app = App::builder().settings(|settings| settings.admin = Some(credential)).start().await;
    let mut examples = Examples::of(Document::Management, "management");
    let ordered: BTreeSet<&str> = ORDER.iter().copied().collect();
    assert_eq!(ordered, examples.operations(), "an operation that is not in the order, or the other way round");
    for id in ORDER {
        if *id == "event_list" {
            reach_a_cap(&app).await;
        }
        let call = examples.call(id);
        let reply = call.send(&app).await;
        examples.compare(id, &reply);
    }
    examples.finish();
}

/// Brings an event about, and waits until it is in the books.
async fn reach_a_cap(app: &App) {
    let admin = app.client_builder().admin("admin", PASSWORD.to_owned()).build().unwrap();
    let rate_limit: RateLimitInput =
        serde_json::from_value(json!({ "request_max_limit": 1, "request_reset_duration": "1d" })).unwrap();
    let request = CreateVirtualKey { name: "one call".to_owned(), rate_limit: rate_limit.into(), ..Default::default() };
    let key = admin.virtual_key_create(&request).await.unwrap().virtual_key;
    assert_eq!(called(app, &key, "demo/echo").await.status, 200);
    let settled = UpdateVirtualKey { reset_budget_usage: Some(true), ..Default::default() };
    admin.virtual_key_update(&key.id, &settled).await.unwrap();
}
