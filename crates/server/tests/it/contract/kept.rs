//! The server keeps its contract: the whole of it, and what may be asked of any server.

use std::future::pending;

use keyward_contract::{Credential, Options, Report, verify};
use keyward_server::AdminCredential;

use crate::harness::App;

/// What verifying this server comes to.
pub async fn verified(url: &str, credential: Credential, disposable: bool) -> Report {
    let options = Options { url: url.parse().unwrap(), credential, disposable };
    verify(&options, pending()).await.unwrap()
}

/// Panics unless nothing was wrong.
fn passed(report: &Report) {
    assert!(report.is_passed(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_and_every_status_is_as_documented() {
    let seed = AdminCredential::new("admin", &"not-a-real-password".into()).as_seed();
    let app = App::builder().settings(|settings| settings.admin = Some(seed)).start().await;
    let report = verified(&app.url, Credential::user("admin:not-a-real-password").unwrap(), true).await;
    passed(&report);
    assert!(report.operations.iter().all(|operation| operation.skipped().is_none()), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_any_server_leaves_nothing_behind() {
    let app = App::start().await;
    let before = everything(&app).await;
    let report = verified(&app.url, Credential::Nothing, false).await;
    passed(&report);
    assert_eq!(everything(&app).await, before);
    let mut xml = Vec::new();
    keyward_contract::write_junit(&report, &mut xml).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert!(xml.contains(r#"name="customer_create""#) && xml.contains(r#"failures="0""#), "{xml}");
}

/// Whoever may not do everything verifies what they may.
#[tokio::test(flavor = "multi_thread")]
async fn a_management_key_verifies_what_it_may_do() {
    let app = App::start().await;
    let permissions = serde_json::json!([{ "resource": "customers", "access": "write" }]);
    let body = serde_json::json!({ "name": "mine", "permissions": permissions });
    let made = app.raw("POST", "/api/management-keys").body(body.to_string()).send().await.json();
    let token = made["value"].as_str().unwrap().to_owned();
    let report = verified(&app.url, Credential::Token(token), false).await;
    passed(&report);
    let of = |id: &str| report.operations.iter().find(|operation| operation.id == id).unwrap();
    assert!(of("customer_create").reached.statuses.contains_key(&200));
    assert_eq!(of("team_create").skipped(), Some("the credential may not do this"));
}

/// All that the run makes and must remove.
async fn everything(app: &App) -> Vec<serde_json::Value> {
    let mut lists = Vec::new();
    for path in [
        "/api/governance/customers",
        "/api/governance/teams",
        "/api/governance/virtual-keys",
        "/api/governance/model-configs",
        "/api/governance/pricing-overrides",
        "/api/governance/budgets",
        "/api/governance/rate-limits",
        "/api/governance/providers",
        "/api/routing/rules",
        "/api/management-keys",
        "/api/mcp/clients",
        "/api/providers",
        "/api/keys",
        "/api/config",
    ] {
        lists.push(app.raw("GET", path).send().await.json());
    }
    lists
}
