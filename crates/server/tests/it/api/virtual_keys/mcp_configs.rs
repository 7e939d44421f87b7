//! `mcp_configs` of virtual keys: on create, on edit, in every view.

use serde_json::{Value, json};

use crate::api::mcp_clients::{files, made, simple};
use crate::api::{VIRTUAL_KEYS, done, send};
use crate::harness::App;

async fn with_clients() -> App {
    let app = App::start().await;
    made(&app, files()).await;
    made(&app, simple("search")).await;
    made(&app, simple("mail")).await;
    app
}

async fn key(app: &App, mcp_configs: Value) -> Value {
    done(app, "POST", VIRTUAL_KEYS, json!({ "name": "k", "mcp_configs": mcp_configs })).await["virtual_key"].clone()
}

fn path(key: &Value) -> String {
    format!("{VIRTUAL_KEYS}/{}", key["id"].as_str().unwrap())
}

async fn put(app: &App, key: &Value, mcp_configs: Value) -> Value {
    done(app, "PUT", &path(key), json!({ "mcp_configs": mcp_configs })).await["virtual_key"]["mcp_configs"].clone()
}

/// What each config allows: its id, its client, its tools.
fn told(configs: &Value) -> Vec<(i64, String, Value)> {
    let configs = configs.as_array().unwrap().iter();
    configs
        .map(|config| {
            let name = config["mcp_client_name"].as_str().unwrap();
            assert_eq!(
                (&config["mcp_client"]["name"], &config["mcp_client"]["id"]),
                (&json!(name), &config["mcp_client_id"])
            );
            (config["id"].as_i64().unwrap(), name.to_owned(), config["tools_to_execute"].clone())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn configs_are_made_by_the_name_of_the_client_and_shown_in_every_view() {
    let app = with_clients().await;
    let configs = json!([
        { "mcp_client_name": "files", "tools_to_execute": ["read"] }, { "mcp_client_name": "search" },
        { "mcp_client_name": "mail", "tools_to_execute": [] },
    ]);
    let created = key(&app, configs).await;
    let shown: Vec<_> = told(&created["mcp_configs"]).into_iter().map(|(_, name, tools)| (name, tools)).collect();
    let expected = [("files", json!(["read"])), ("search", json!(["*"])), ("mail", json!([]))];
    assert_eq!(shown, expected.map(|(name, tools)| (name.to_owned(), tools)));
    let first = &created["mcp_configs"][0];
    assert_eq!(first["virtual_key_id"], created["id"]);
    assert_eq!(first["mcp_client"]["headers"]["authorization"]["value"], "Bear************************cret");
    let read = app.raw("GET", &path(&created)).send().await.json();
    let listed = app.raw("GET", VIRTUAL_KEYS).send().await.json();
    let exported = app.raw("GET", &format!("{VIRTUAL_KEYS}?export=true")).send().await.json();
    for view in [
        &read["mcp_configs"],
        &read["virtual_key"]["mcp_configs"],
        &listed["virtual_keys"][0]["mcp_configs"],
        &exported["virtual_keys"][0]["mcp_configs"],
    ] {
        assert_eq!(*view, created["mcp_configs"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_a_difference_by_id_or_client() {
    let app = with_clients().await;
    let key = key(
        &app,
        json!([{ "mcp_client_name": "files", "tools_to_execute": ["read"] }, { "mcp_client_name": "search" }]),
    )
    .await;
    let [files, search] = told(&key["mcp_configs"]).try_into().unwrap();
    done(&app, "PUT", &path(&key), json!({ "description": "absent keeps" })).await;
    assert_eq!(app.raw("GET", &path(&key)).send().await.json()["mcp_configs"], key["mcp_configs"]);
    // By id without anything, by client with tools, and a new one.
    let after = put(
        &app,
        &key,
        json!([{ "id": files.0 }, { "mcp_client_name": "search", "tools_to_execute": ["find"] }, { "mcp_client_name": "mail" }]),
    );
    let after = told(&after.await);
    assert_eq!(after[..2], [files.clone(), (search.0, "search".to_owned(), json!(["find"]))]);
    assert_eq!((after[2].1.as_str(), &after[2].2), ("mail", &json!(["*"])));
    // What is not named goes.
    let after = told(&put(&app, &key, json!([{ "id": search.0, "tools_to_execute": [] }])).await);
    assert_eq!(after, [(search.0, "search".to_owned(), json!([]))]);
    // For another client it is another config, with the same tools.
    let after = told(&put(&app, &key, json!([{ "id": search.0, "mcp_client_name": "mail" }])).await);
    assert_eq!((after[0].1.as_str(), &after[0].2), ("mail", &json!([])));
    assert_ne!(after[0].0, search.0);
    for nothing in [json!([]), json!(null)] {
        put(&app, &key, json!([{ "mcp_client_name": "files" }])).await;
        assert_eq!(put(&app, &key, nothing).await, json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_configs_can_exchange_their_clients() {
    let app = with_clients().await;
    let key = key(&app, json!([{ "mcp_client_name": "files", "tools_to_execute": ["a"] }, { "mcp_client_name": "search", "tools_to_execute": ["b"] }])).await;
    let [one, two] = told(&key["mcp_configs"]).try_into().unwrap();
    let after = json!([{ "id": one.0, "mcp_client_name": "search" }, { "id": two.0, "mcp_client_name": "files" }]);
    let after: Vec<_> = told(&put(&app, &key, after).await).into_iter().map(|(_, name, tools)| (name, tools)).collect();
    assert_eq!(after, [("search".to_owned(), json!(["a"])), ("files".to_owned(), json!(["b"]))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_carried_out_is_refused_in_the_published_words() {
    let app = with_clients().await;
    let own = key(&app, json!([{ "mcp_client_name": "files" }])).await;
    let other = json!({ "name": "other", "mcp_configs": [{ "mcp_client_name": "files" }] });
    let other = done(&app, "POST", VIRTUAL_KEYS, other).await["virtual_key"]["mcp_configs"][0]["id"].clone();
    let foreign = format!("MCP config {other} does not belong to this virtual key");
    for (configs, param, message) in [
        (
            json!([{ "mcp_client_name": "files" }, { "mcp_client_name": "files", "tools_to_execute": [] }]),
            "/mcp_configs/1/mcp_client_name",
            "duplicate mcp_client_name: files",
        ),
        (
            json!([{ "mcp_client_name": "nobody" }]),
            "/mcp_configs/0/mcp_client_name",
            "failed to get MCP client: 'nobody' not found",
        ),
        (
            json!([{ "mcp_client_name": "files", "tools_to_execute": ["*", "read"] }]),
            "/mcp_configs/0/tools_to_execute",
            "invalid tools_to_execute for mcp client files: wildcard '*' cannot be used with other values in the whitelist",
        ),
        (
            json!([{ "mcp_client_name": "files", "tools_to_execute": ["read", "Read"] }]),
            "/mcp_configs/0/tools_to_execute",
            "invalid tools_to_execute for mcp client files: duplicate value 'Read' in whitelist",
        ),
        (
            json!(vec![json!({ "mcp_client_name": "files" }); 1_001]),
            "/mcp_configs",
            "mcp_configs has more than 1000 elements",
        ),
        (json!([{ "id": other }]), "/mcp_configs/0/id", &foreign),
        (json!([{ "tools_to_execute": [] }]), "/mcp_configs/0/mcp_client_name", "mcp_client_name is required"),
        (
            json!([{ "mcp_client": {} }]),
            "/mcp_configs/0/mcp_client",
            "unknown field 'mcp_client'; did you mean 'mcp_client_name'?",
        ),
    ] {
        for (method, path) in [("POST", VIRTUAL_KEYS.to_owned()), ("PUT", path(&own))] {
            let body = json!({ "name": "new", "mcp_configs": configs });
            let reply = send(&app, method, &path, &body).await;
            let (status, _, at) = reply.error();
            let told = &reply.json()["error"]["message"];
            assert_eq!((status, at.as_str(), told), (400, param, &json!(message)), "{method} {configs}");
        }
    }
    let id = &own["mcp_configs"][0]["id"];
    let twice = send(&app, "PUT", &path(&own), &json!({ "mcp_configs": [{ "id": id }, { "id": id }] })).await;
    assert_eq!(twice.json()["error"]["message"], format!("MCP config {id} stands in the list twice"));
    assert_eq!(
        app.raw("GET", &path(&own)).send().await.json()["mcp_configs"],
        own["mcp_configs"],
        "nothing is changed"
    );
    assert_eq!(app.raw("GET", VIRTUAL_KEYS).send().await.json()["total_count"], 2, "and nothing is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_takes_its_configs_along_and_leaves_the_client() {
    let app = with_clients().await;
    let key = key(&app, json!([{ "mcp_client_name": "files" }])).await;
    app.raw("DELETE", &path(&key)).send().await;
    let clients = app.raw("GET", "/api/mcp/clients").send().await.json();
    assert_eq!((&clients["count"], &clients["clients"][0]["vk_configs"]), (&json!(3), &json!([])));
}
