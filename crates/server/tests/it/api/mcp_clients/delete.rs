//! `DELETE /api/mcp/client/{client_id}`

use serde_json::json;

use super::{actions, files, key, made, path, simple, told};
use crate::api::VIRTUAL_KEYS;
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_client_takes_its_configs_along_and_each_key_is_recorded() {
    let app = App::start().await;
    let client = made(&app, files()).await;
    made(&app, simple("other")).await;
    let both = json!([{ "mcp_client_name": "files" }, { "mcp_client_name": "other", "tools_to_execute": ["read"] }]);
    let (touched, untouched) = (key(&app, "touched", both).await, key(&app, "untouched", json!([])).await);
    let at = format!("{VIRTUAL_KEYS}/{}", touched["id"].as_str().unwrap());
    let tag = app.raw("GET", &at).send().await.header("etag").to_owned();
    let stale = app.raw("DELETE", &path(&client)).header("if-match", "\"0\"").send().await;
    assert_eq!(stale.status, 412);
    let answer = app.raw("DELETE", &path(&client)).send().await;
    assert_eq!(answer.json(), json!({ "status": "success", "message": "MCP client removed successfully" }));
    for method in ["GET", "DELETE"] {
        assert_eq!(
            told(&app, method, &path(&client), &json!({})).await,
            (404, String::new(), "MCP client not found".to_owned())
        );
    }
    let now = app.raw("GET", &at).send().await;
    assert_eq!(now.json()["mcp_configs"].as_array().unwrap().len(), 1);
    assert_eq!(now.json()["mcp_configs"][0]["mcp_client_name"], "other");
    assert!(now.header("etag") != tag && now.json()["updated_at"] != touched["updated_at"], "it has another version");
    assert_eq!(
        actions(&app, "mcp_client", &client["config"]["client_id"]).await,
        ["mcp_client_delete", "mcp_client_create"]
    );
    assert_eq!(actions(&app, "virtual_key", &touched["id"]).await, ["mcp_client_delete", "virtual_key_create"]);
    assert_eq!(actions(&app, "virtual_key", &untouched["id"]).await, ["virtual_key_create"]);
    let log = app.raw("GET", "/api/audit?resource=virtual_key&action=mcp_client_delete").send().await.json();
    let count = |state: &str| log["entries"][0][state]["mcp_configs"].as_array().unwrap().len();
    assert_eq!((count("before"), count("after")), (2, 1));
}
