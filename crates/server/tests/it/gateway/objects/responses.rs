//! Responses: kept where they were made, and found by whoever made them.

use keyward_client::{CreateProvider, CreateProviderKey, CreateVirtualKey, NetworkConfigInput};

use super::call;
use crate::harness::{App, Routed};

const ASK: &str = r#"{"model":"openai/gpt-4o-mini","input":"a"}"#;
const ANSWER: &str = r#"{"id":"resp_1","usage":{"input_tokens":2,"output_tokens":1,"total_tokens":3}}"#;
const KEPT: &str = r#"{"id":"resp_1","object":"response"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_there_for_the_key_that_made_it_and_for_no_other() {
    let app = App::start().await;
    let upstream = Routed::start(&[
        ("POST /v1/responses ", ANSWER),
        ("GET /v1/responses/resp_1 ", KEPT),
        ("GET /v1/responses/resp_1/input_items?limit=1 ", r#"{"data":[]}"#),
        ("POST /v1/responses/resp_1/cancel ", KEPT),
        ("DELETE /v1/responses/resp_1 ", r#"{"deleted":true}"#),
    ])
    .await;
    app.provider("openai", upstream.base_url()).await;
    let (key, other) = (app.key(CreateVirtualKey::default()).await, app.key(CreateVirtualKey::default()).await);
    assert_eq!(call(&app, &key, "POST", "/v1/responses", ASK).await.status, 200);
    let got = call(&app, &key, "GET", "/v1/responses/resp_1", "").await;
    assert_eq!((got.status, got.body.as_slice(), got.header("x-keyward-provider")), (200, KEPT.as_bytes(), "openai"));
    let items = call(&app, &key, "GET", "/openai/v1/responses/resp_1/input_items?limit=1", "").await;
    assert_eq!(items.json()["data"].as_array().map(Vec::len), Some(0));
    assert_eq!(call(&app, &key, "POST", "/v1/responses/resp_1/cancel", "").await.status, 200);

    let before = upstream.requests().len();
    for (method, path) in [
        ("GET", "/v1/responses/resp_1"),
        ("GET", "/v1/responses/resp_1/input_items"),
        ("POST", "/v1/responses/resp_1/cancel"),
        ("DELETE", "/v1/responses/resp_1"),
        ("GET", "/v1/responses/resp_2"),
    ] {
        let refused = call(&app, &other, method, path, "").await.error();
        assert_eq!(refused, (404, "not_found".to_owned(), String::new()), "{method} {path}");
    }
    assert_eq!(upstream.requests().len(), before, "nobody was asked");

    assert_eq!(call(&app, &key, "DELETE", "/v1/responses/resp_1", "").await.status, 200);
    assert_eq!(call(&app, &key, "GET", "/v1/responses/resp_1", "").await.status, 404);
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.entries, totals.tokens), (5, 3), "each request has an entry, and only one used tokens");
    assert_eq!(store.ledger_totals(other.id).await.unwrap().entries, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_asked_for_and_gone_on_with_where_it_was_made() {
    let app = App::start().await;
    let upstream = Routed::start(&[("GET /v1/responses/", KEPT)]).await;
    let keys = [("one", "fake-secret-1"), ("two", "fake-secret-2")];
    let provider = CreateProvider {
        name: "openai".to_owned(),
        network_config: NetworkConfigInput::at(upstream.base_url()),
        keys: keys.map(|(name, secret)| CreateProviderKey::new(name, secret)).to_vec(),
        ..CreateProvider::default()
    };
    app.client.provider_create(&provider).await.unwrap();
    let (key, other) = (app.key(CreateVirtualKey::default()).await, app.key(CreateVirtualKey::default()).await);
    let credential =
        |request: &str| request.lines().find(|line| line.starts_with("authorization: ")).map(str::to_owned);
    let last = || credential(upstream.requests().last().unwrap());
    for turn in 0..8 {
        let (id, next) = (format!("resp_{turn}"), format!("resp_next_{turn}"));
        let stream = format!(
            "event: response.created\ndata: {{\"type\":\"response.created\",\"response\":{{\"id\":\"{id}\"}}}}\n\n\
             event: response.completed\ndata: {{\"type\":\"response.completed\",\"response\":{{\"id\":\"{id}\",\
             \"usage\":{{\"input_tokens\":2,\"output_tokens\":1,\"total_tokens\":3}}}}}}\n\n"
        );
        upstream.answer("POST /v1/responses ", &stream);
        let ask = r#"{"model":"openai/gpt-4o-mini","input":"a","stream":true}"#;
        assert_eq!(call(&app, &key, "POST", "/v1/responses", ask).await.status, 200);
        let made_with = last();
        assert_eq!(call(&app, &key, "GET", &format!("/v1/responses/{id}"), "").await.status, 200);
        assert_eq!(last(), made_with);
        upstream.answer("POST /v1/responses ", &ANSWER.replace("resp_1", &next));
        let ask = format!(r#"{{"model":"gpt-4o-mini","input":"a","previous_response_id":"{id}"}}"#);
        assert_eq!(call(&app, &key, "POST", "/v1/responses", &ask).await.status, 200);
        assert_eq!(last(), made_with);
        let refused = call(&app, &other, "POST", "/v1/responses", &ask).await.error();
        assert_eq!(refused, (404, "not_found".to_owned(), "/previous_response_id".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_keeps_is_not_there_and_what_was_written_down_survives_a_restart() {
    let app = App::start().await;
    let upstream = Routed::start(&[("POST /v1/responses ", ANSWER), ("GET /v1/responses/resp_1 ", KEPT)]).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(CreateVirtualKey::default()).await;
    let ask = r#"{"model":"openai/gpt-4o-mini","input":"a","store":false}"#;
    assert_eq!(call(&app, &key, "POST", "/v1/responses", ask).await.status, 200);
    assert_eq!(call(&app, &key, "GET", "/v1/responses/resp_1", "").await.status, 404);
    assert_eq!(call(&app, &key, "POST", "/v1/responses", ASK).await.status, 200);
    let app = app.restarted().await;
    assert_eq!(call(&app, &key, "GET", "/v1/responses/resp_1", "").await.status, 200);
}
