//! Clouds: each kind of credential, through the real server, to a provider and a token endpoint that follow a script.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use keyward_client::{CreatePricingOverride, CreateProvider, VirtualKey};
use keyward_core::base_url::BaseUrl;
use serde_json::{Value, json};

use super::{called, with_budget};
use crate::harness::{App, Reply, Scripted, Step};

const PRIVATE_KEY: &str = include_str!("../../../src/credentials/google/fake-private-key.pem");
/// A model of every cloud here.
const MODEL: &str = "fake-model-v1:0";
/// 10 tokens in, 5 out, 100 read from the cache and 30 written to it, at $1, $10, $0.1 and $2 for a million.
const COST: &str = "0.00013";

/// A server whose tokens come from there.
async fn app(tokens: &Scripted) -> App {
    let origin = tokens.base_url();
    App::builder()
        .settings(move |settings| {
            settings.token_sources.entra_authority = Some(origin.clone());
            settings.token_sources.sts_endpoint = Some(origin);
        })
        .start()
        .await
}

/// Makes a cloud with one key, the model's price, and a virtual key with a budget.
async fn cloud(app: &App, name: &str, base_url: Option<BaseUrl>, mut key: Value) -> VirtualKey {
    key["name"] = json!("k");
    let provider: CreateProvider = serde_json::from_value(json!({
        "name": name, "network_config": { "base_url": base_url }, "keys": [key],
    }))
    .unwrap();
    app.client.provider_create(&provider).await.unwrap();
    let price = CreatePricingOverride {
        name: "price".to_owned(),
        scope_kind: "global".to_owned(),
        match_type: "exact".to_owned(),
        pattern: MODEL.to_owned(),
        request_types: vec!["chat_completion".to_owned()],
        patch: Some(
            serde_json::from_value(json!({
                "input_cost_per_token": 0.000_001, "output_cost_per_token": 0.000_01,
                "cache_read_input_token_cost": 0.000_000_1, "cache_creation_input_token_cost": 0.000_002,
            }))
            .unwrap(),
        ),
        ..CreatePricingOverride::default()
    };
    app.client.pricing_override_create(&price).await.unwrap();
    app.key(with_budget("100")).await
}

/// A key of Bedrock, and what else it has.
fn bedrock_key(more: Value) -> Value {
    let mut key = json!({ "access_key": "AKIAFAKE", "secret_key": "fake-secret", "region": "eu-west-1" });
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "bedrock_key_config": key })
}

const USAGE: &str =
    r#"{"inputTokens":10,"outputTokens":5,"totalTokens":145,"cacheReadInputTokens":100,"cacheWriteInputTokens":30}"#;

fn converse_answer() -> String {
    format!(
        r#"{{"output":{{"message":{{"role":"assistant","content":[{{"text":"Hello"}}]}}}},"stopReason":"end_turn","usage":{USAGE}}}"#
    )
}

/// An answer in OpenAI's dialect that has used the same.
fn openai_answer() -> String {
    r#"{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":140,"completion_tokens":5,"total_tokens":145,
        "prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":30}}}"#
        .to_owned()
}

fn frame(kind: &str, payload: &str) -> Vec<u8> {
    let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let headers = vec![header(":message-type", "event"), header(":event-type", kind)];
    let mut frame = Vec::new();
    write_message_to(&Message::new_from_parts(headers, payload.to_owned().into_bytes()), &mut frame).unwrap();
    frame
}

async fn token_server() -> Scripted {
    let body = json!({ "access_token": "fake-token", "expires_in": 3600 }).to_string();
    Scripted::answering("200 OK", "application/json", &body).await
}

async fn answering(body: &str) -> Scripted {
    Scripted::answering("200 OK", "application/json", body).await
}

fn answered(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.header("x-keyward-cost"))
}

#[tokio::test(flavor = "multi_thread")]
async fn bedrock_with_keys_answers_and_charges() {
    let (tokens, upstream) = (token_server().await, answering(&converse_answer()).await);
    let app = app(&tokens).await;
    let key = cloud(&app, "bedrock", Some(upstream.base_url()), bedrock_key(json!({}))).await;
    let reply = called(&app, &key, &format!("bedrock/{MODEL}")).await;
    assert_eq!(answered(&reply), (200, COST), "{:?}", reply.json());
    let completion = reply.json();
    assert_eq!(completion["object"], "chat.completion");
    assert_eq!(completion["choices"][0]["message"]["content"], "Hello");
    let request = &upstream.requests()[0];
    assert!(request.starts_with("POST /model/fake-model-v1%3A0/converse HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date,"),
        "{request}"
    );
    assert!(request.contains(r#""messages":[{"role":"user","content":[{"text":"hi"}]}]"#), "{request}");
    assert!(tokens.requests().is_empty());
    let (store, _database) = app.stopped().await;
    let totals = store.ledger_totals(key.id).await.unwrap();
    assert_eq!((totals.entries, totals.cost.to_string().as_str()), (1, COST));
}

#[tokio::test(flavor = "multi_thread")]
async fn bedrock_streams_and_charges() {
    let frames = [
        frame("messageStart", r#"{"role":"assistant"}"#),
        frame("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hello"}}"#),
        frame("messageStop", r#"{"stopReason":"end_turn"}"#),
        frame("metadata", &format!(r#"{{"usage":{USAGE}}}"#)),
    ]
    .concat();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n";
    let steps = frames.chunks(50).map(|piece| Step::Send(piece.to_vec()));
    let upstream = Scripted::start([Step::Send(head.into())].into_iter().chain(steps).collect()).await;
    let (tokens, model) = (token_server().await, format!("bedrock/{MODEL}"));
    let app = app(&tokens).await;
    let key = cloud(&app, "bedrock", Some(upstream.base_url()), bedrock_key(json!({}))).await;
    let body = json!({ "model": model, "stream": true, "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    let reply = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose()).body(body).send().await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/event-stream"));
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert!(text.contains(r#""content":"Hello""#) && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(!text.contains("prompt_tokens"), "nobody asked for the usage: {text}");
    assert!(upstream.requests()[0].starts_with("POST /model/fake-model-v1%3A0/converse-stream HTTP/1.1\r\n"));
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().cost.to_string(), COST);
}

#[tokio::test(flavor = "multi_thread")]
async fn bedrock_in_a_role_signs_with_its_session() {
    let session = "<r><Credentials><AccessKeyId>ASIAFAKE</AccessKeyId><SecretAccessKey>fake-secret</SecretAccessKey>\
                   <SessionToken>fake-session</SessionToken><Expiration>9998-01-01T00:00:00Z</Expiration></Credentials></r>";
    let (tokens, upstream) =
        (Scripted::answering("200 OK", "text/xml", session).await, answering(&converse_answer()).await);
    let app = app(&tokens).await;
    let role = bedrock_key(json!({ "arn": "arn:aws:iam::000000000000:role/fake" }));
    let key = cloud(&app, "bedrock", Some(upstream.base_url()), role).await;
    for _ in 0..2 {
        assert_eq!(answered(&called(&app, &key, &format!("bedrock/{MODEL}")).await), (200, COST));
    }
    let request = &upstream.requests()[1];
    assert!(request.contains("Credential=ASIAFAKE/") && request.contains("x-amz-security-token: fake-session\r\n"));
    assert_eq!(tokens.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bedrock_refuses_what_cannot_be_translated_and_passes_errors_on() {
    let body = r#"{"message":"Too many requests."}"#;
    let tokens = token_server().await;
    let upstream = Scripted::answering("429 Too Many Requests", "application/json", body).await;
    let app = app(&tokens).await;
    let key = cloud(&app, "bedrock", Some(upstream.base_url()), bedrock_key(json!({}))).await;
    let model = format!("bedrock/{MODEL}");
    let body = json!({ "model": model, "seed": 1, "messages": [{ "role": "user", "content": "hi" }] }).to_string();
    let reply = app.raw("POST", "/v1/chat/completions").header("x-bf-vk", key.value.expose()).body(body).send().await;
    assert_eq!((reply.status, reply.json()["error"]["param"].as_str()), (400, Some("/seed")));
    assert!(upstream.requests().is_empty());
    let reply = called(&app, &key, &model).await;
    assert_eq!((reply.status, reply.json()["error"]["message"].as_str()), (429, Some("Too many requests.")));
    let left = app.client.virtual_key_get(&key.id).await.unwrap();
    assert_eq!(left.budgets[0].current_usage.nanos(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_with_a_key_or_a_client() {
    let (tokens, upstream) = (token_server().await, answering(&openai_answer()).await);
    let app = app(&tokens).await;
    let config = json!({ "endpoint": upstream.base_url(), "api_version": "2024-10-21" });
    let key = cloud(&app, "azure", None, json!({ "value": "fake-key", "azure_key_config": config })).await;
    assert_eq!(answered(&called(&app, &key, &format!("azure/{MODEL}")).await), (200, COST));
    let client = json!({
        "endpoint": upstream.base_url(), "api_version": "v1", "client_id": "fake-client", "client_secret": "fake-secret", "tenant_id": "fake-tenant",
    });
    let edit = json!({ "keys": [{ "name": "k", "value": null, "azure_key_config": client }] }).to_string();
    assert_eq!(app.raw("PUT", "/api/providers/azure").body(edit).send().await.status, 200);
    assert_eq!(answered(&called(&app, &key, &format!("azure/{MODEL}")).await), (200, COST));
    let requests = upstream.requests();
    assert!(requests[0].starts_with(
        "POST /openai/deployments/fake-model-v1%3A0/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
    ));
    assert!(requests[0].contains("\r\napi-key: fake-key\r\n") && !requests[0].contains("\r\nauthorization:"));
    assert!(requests[1].starts_with("POST /openai/v1/chat/completions HTTP/1.1\r\n"), "{}", requests[1]);
    assert!(requests[1].contains("\r\nauthorization: Bearer fake-token\r\n"), "{}", requests[1]);
    assert!(tokens.requests()[0].starts_with("POST /fake-tenant/oauth2/v2.0/token HTTP/1.1\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn vertex_with_a_service_account() {
    let (tokens, upstream) = (token_server().await, answering(&openai_answer()).await);
    let app = app(&tokens).await;
    let account = json!({
        "type": "service_account", "client_email": "fake@fake-project.iam.gserviceaccount.com",
        "private_key": PRIVATE_KEY, "token_uri": format!("{}/token", tokens.base_url().as_str()),
    });
    let config =
        json!({ "project_id": "fake-project", "region": "europe-west1", "auth_credentials": account.to_string() });
    let key = cloud(&app, "vertex", Some(upstream.base_url()), json!({ "vertex_key_config": config })).await;
    assert_eq!(answered(&called(&app, &key, &format!("vertex/{MODEL}")).await), (200, COST));
    let request = &upstream.requests()[0];
    let path = "POST /v1/projects/fake-project/locations/europe-west1/endpoints/openapi/chat/completions HTTP/1.1\r\n";
    assert!(request.starts_with(path), "{request}");
    assert!(request.contains("\r\nauthorization: Bearer fake-token\r\n"), "{request}");
    assert!(request.contains(r#""model":"google/fake-model-v1:0""#), "{request}");
    assert!(tokens.requests()[0].contains("assertion=ey"));

    // Google's name before it makes no other model of it.
    assert_eq!(answered(&called(&app, &key, &format!("vertex/google/{MODEL}")).await), (200, COST));
    let blocked =
        |model: &str| json!({ "provider_configs": [{ "provider": "vertex", "blacklisted_models": [model] }] });
    let path = format!("/api/governance/virtual-keys/{}", key.id);
    let edit = async |body: Value| app.raw("PUT", &path).body(body.to_string()).send().await;
    let misnamed = edit(blocked(&format!("google/{MODEL}"))).await;
    assert_eq!((misnamed.status, misnamed.error().2.as_str()), (400, "/provider_configs/0/blacklisted_models"));
    assert_eq!(edit(blocked(MODEL)).await.status, 200);
    for model in [format!("vertex/{MODEL}"), format!("vertex/google/{MODEL}")] {
        assert_eq!(called(&app, &key, &model).await.error().1, "model_blocked", "{model}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_to_be_had_costs_nothing() {
    let refusal = json!({ "error": "invalid_client", "error_description": "fake-secret is wrong" }).to_string();
    let tokens = Scripted::answering("401 Unauthorized", "application/json", &refusal).await;
    let upstream = answering(&openai_answer()).await;
    let app = app(&tokens).await;
    let client = json!({
        "endpoint": upstream.base_url(), "api_version": "v1", "client_id": "fake-client", "client_secret": "fake-secret", "tenant_id": "fake-tenant",
    });
    let key = cloud(&app, "azure", None, json!({ "azure_key_config": client })).await;
    let reply = called(&app, &key, &format!("azure/{MODEL}")).await;
    assert_eq!((reply.status, reply.error().1.as_str()), (503, "provider_key_unavailable"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("fake-secret"));
    assert!(upstream.requests().is_empty());
    let (store, _database) = app.stopped().await;
    assert_eq!(store.ledger_totals(key.id).await.unwrap().entries, 0);
}
