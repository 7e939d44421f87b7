//! `GET /api/mcp/clients`

use serde_json::json;

use super::{CLIENTS, key, made, simple};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_listed_oldest_first_paged_searched_and_filtered() {
    let app = App::start().await;
    let mut one = simple("one");
    one["client_id"] = json!("first");
    made(&app, one).await;
    made(
        &app,
        json!({ "name": "two", "connection_type": "stdio", "stdio_config": { "command": "a" }, "disabled": true }),
    )
    .await;
    let mut three = simple("three");
    three["headers"] = json!({ "x-token": "fake-secret" });
    three["is_code_mode_client"] = json!(true);
    three["allow_on_all_virtual_keys"] = json!(true);
    made(&app, three).await;
    let owner = key(&app, "k", json!([{ "mcp_client_name": "one" }])).await;
    let id = owner["id"].as_str().unwrap();
    for (query, names, total) in [
        ("", &["one", "two", "three"][..], 3),
        ("?limit=1&offset=1", &["two"], 3),
        ("?search=T", &["two", "three"], 2),
        ("?server=first", &["one"], 1),
        ("?connection_type=stdio,sse", &["two"], 1),
        ("?auth_type=headers", &["three"], 1),
        ("?code_mode=true", &["three"], 1),
        ("?disabled=false", &["one", "three"], 2),
        ("?state=healthy", &[], 0),
        ("?state=unstable", &["one", "two", "three"], 3),
        ("?state=healthy,unstable", &["one", "two", "three"], 3),
        ("?all_virtual_keys=true", &["three"], 1),
        (&format!("?virtual_keys={id}"), &["one"], 1),
        (&format!("?virtual_keys={id}&all_virtual_keys=true"), &["one", "three"], 2),
        ("?virtual_keys=nobody", &[], 0),
    ] {
        let page = app.raw("GET", &format!("{CLIENTS}{query}")).send().await.json();
        let found: Vec<_> = page["clients"].as_array().unwrap().iter().map(|entry| &entry["config"]["name"]).collect();
        assert_eq!(
            (found, &page["total_count"]),
            (names.iter().map(|n| json!(n)).collect::<Vec<_>>().iter().collect(), &json!(total)),
            "{query}"
        );
        assert_eq!(page["count"], names.len(), "{query}");
    }
    for (query, param) in [
        ("?limit=-1", "/limit"),
        ("?state=well", "/state"),
        ("?connection_type=tcp", "/connection_type"),
        ("?disabled=maybe", "/disabled"),
        ("?code_mode=", "/code_mode"),
        ("?serch=x", "/serch"),
    ] {
        let (status, _, at) = app.raw("GET", &format!("{CLIENTS}{query}")).send().await.error();
        assert_eq!((status, at.as_str()), (400, param), "{query}");
    }
}
