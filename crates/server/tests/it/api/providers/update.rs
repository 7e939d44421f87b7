//! `PUT /api/providers/{provider}`

use keyward_client::{NetworkConfigInput, UpdateProvider};
use serde_json::{Value, json};

use super::at;
use crate::api::{PROVIDERS, done, refused, send, told};
use crate::harness::App;

const OWN: &str = "/api/providers/own";

async fn own(app: &App) -> Value {
    let body = json!({
        "name": "own", "description": "d", "send_back_raw_request": true,
        "network_config": { "base_url": "https://llm.example", "default_request_timeout_in_seconds": 60,
                            "extra_headers": { "x-team": "red" }, "max_retries": 3 },
        "concurrency_and_buffer_size": { "concurrency": 1, "buffer_size": 2 },
        "keys": [{ "name": "a", "value": "fake-secret-a" }, { "name": "b", "value": "fake-secret-b" }],
    });
    done(app, "POST", PROVIDERS, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays_and_null_clears() {
    let app = App::start().await;
    let mut made = own(&app).await;
    let after = done(&app, "PUT", OWN, json!({})).await;
    made["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, made);
    let after = done(&app, "PUT", OWN, json!({ "network_config": { "max_retries": null } })).await;
    assert_eq!(
        after["network_config"],
        json!({ "base_url": "https://llm.example", "default_request_timeout_in_seconds": 60,
                "extra_headers": { "x-team": "red" } })
    );
    let cleared = json!({
        "description": null, "concurrency_and_buffer_size": null,
        "network_config": { "extra_headers": null, "default_request_timeout_in_seconds": null },
    });
    let after = done(&app, "PUT", OWN, cleared).await;
    assert_eq!((&after["description"], &after["concurrency_and_buffer_size"]), (&json!(""), &Value::Null));
    assert_eq!(after["network_config"], json!({ "base_url": "https://llm.example" }));
    assert_eq!(after["send_back_raw_request"], true);
    let request = UpdateProvider {
        network_config: NetworkConfigInput::at("https://other.example".parse().unwrap()).into(),
        ..UpdateProvider::default()
    };
    let after = app.client.provider_update(&"own".into(), &request).await.unwrap();
    assert_eq!(after.network_config.base_url.unwrap().as_str(), "https://other.example");
    assert_eq!(after.keys.len(), 2, "absent keys stay");
}

/// The full set: by id, else by name; what is not named goes, what is new comes.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_edited_by_id_or_by_name() {
    let app = App::start().await;
    let made = own(&app).await;
    let [a, b] = [&made["keys"][0], &made["keys"][1]];
    let keys = json!([
        { "id": a["id"], "name": "renamed" },
        { "name": "b", "weight": 0.5 },
        { "name": "c", "value": "fake-secret-c" },
    ]);
    let after = done(&app, "PUT", OWN, json!({ "keys": keys })).await;
    let seen: Vec<_> = after["keys"].as_array().unwrap().iter().map(|key| (&key["name"], &key["weight"])).collect();
    let expected = [(&json!("renamed"), &json!(1.0)), (&json!("b"), &json!(0.5)), (&json!("c"), &json!(1.0))];
    assert_eq!(seen, expected);
    assert_eq!((&after["keys"][0]["id"], &after["keys"][1]["id"]), (&a["id"], &b["id"]));
    assert_eq!(after["keys"][0]["value"], a["value"]);
    // A name that goes is free at once.
    let after = done(&app, "PUT", OWN, json!({ "keys": [{ "id": b["id"], "name": "c" }] })).await;
    assert_eq!(after["keys"].as_array().unwrap().len(), 1);
    assert_eq!((&after["keys"][0]["id"], &after["keys"][0]["name"]), (&b["id"], &json!("c")));
    let after = done(&app, "PUT", OWN, json!({ "keys": [] })).await;
    assert_eq!(after["keys"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let app = App::start().await;
    let made = own(&app).await;
    let network = |name: &str, value: Value| json!({ "network_config": { name: value } });
    let key = |key: Value| json!({ "keys": [key] });
    for (body, status, param) in [
        (json!({ "name": "other" }), 400, "/name"),
        (json!({ "nmae": "own" }), 400, "/nmae"),
        (network("base_url", json!(null)), 400, "/network_config/base_url"),
        (json!({ "network_config": null }), 400, "/network_config/base_url"),
        (network("base_url", json!("http://169.254.169.254")), 400, "/network_config/base_url"),
        (
            network("default_request_timeout_in_seconds", json!(0)),
            400,
            "/network_config/default_request_timeout_in_seconds",
        ),
        (network("max_retries", json!(11)), 400, "/network_config/max_retries"),
        (network("retry_backoff_initial", json!("soon")), 400, "/network_config/retry_backoff_initial"),
        (network("retry_backoff_max", json!(-1)), 400, "/network_config/retry_backoff_max"),
        (network("insecure_skip_verify", json!(true)), 400, "/network_config/insecure_skip_verify"),
        (network("ca_cert_pem", json!("-----BEGIN")), 400, "/network_config/ca_cert_pem"),
        (
            network("extra_headers", json!({ "Authorization": "Bearer x" })),
            400,
            "/network_config/extra_headers/Authorization",
        ),
        (network("extra_headers", json!({ "host": "x" })), 400, "/network_config/extra_headers/host"),
        (network("extra_headers", json!({ "x-a": "env.NOBODY_SETS_THIS" })), 400, "/network_config/extra_headers/x-a"),
        (network("extra_headers", json!({ "x-a": "*".repeat(8) })), 400, "/network_config/extra_headers/x-a"),
        (
            json!({ "concurrency_and_buffer_size": { "concurrency": 0, "buffer_size": 1 } }),
            400,
            "/concurrency_and_buffer_size/concurrency",
        ),
        (
            json!({ "concurrency_and_buffer_size": { "concurrency": 2, "buffer_size": 1 } }),
            400,
            "/concurrency_and_buffer_size/buffer_size",
        ),
        (json!({ "proxy_config": { "type": "http", "url": "http://proxy.example" } }), 400, "/proxy_config/type"),
        (
            json!({ "custom_provider_config": { "base_provider_type": "bedrock" } }),
            400,
            "/custom_provider_config/base_provider_type",
        ),
        (key(json!({ "id": "nobody", "name": "x", "value": "s" })), 400, "/keys/0/id"),
        (key(json!({ "name": "new" })), 400, "/keys/0/value"),
        (key(json!({ "name": "demo-key", "value": "s" })), 409, "/name"),
        (json!({ "keys": [{ "name": "a" }, { "name": "a", "weight": 2 }] }), 400, "/keys/1"),
        (
            json!({ "keys": [{ "name": "a" }, { "name": "b", "vertex_region": "env.NOBODY_SETS_THIS" }] }),
            400,
            "/keys/1/vertex_region",
        ),
    ] {
        let reply = send(&app, "PUT", OWN, &body).await;
        assert_eq!((reply.status, reply.error().2.as_str()), (status, param), "{body}: {}", reply.json());
    }
    assert_eq!(app.raw("GET", OWN).send().await.json(), made);
    let error = refused(app.client.provider_update(&"nobody".into(), &UpdateProvider::default()).await);
    assert_eq!(told(&error), (404, "", "Provider not found"));
    let known = json!({ "name": "openai", "custom_provider_config": { "base_provider_type": "openai" } });
    assert_eq!(send(&app, "POST", PROVIDERS, &known).await.error().2, "/custom_provider_config");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_stays_blocked() {
    let app = App::builder().settings(|settings| settings.block_private_upstreams = true).start().await;
    app.client.provider_create(&at("own", "https://llm.example")).await.unwrap();
    let request = UpdateProvider {
        network_config: NetworkConfigInput::at("http://10.0.0.1".parse().unwrap()).into(),
        ..UpdateProvider::default()
    };
    let error = refused(app.client.provider_update(&"own".into(), &request).await);
    assert_eq!((error.status, error.param.as_deref()), (400, Some("/network_config/base_url")));
}
