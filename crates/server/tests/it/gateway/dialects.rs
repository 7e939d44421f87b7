//! Every dialect goes its way: to the provider's own path with the provider's own credential, and its errors are told as its clients
//! expect them.

use keyward_client::{CreateVirtualKey, ProviderConfigInput};
use serde_json::{Value, json};

use crate::gateway::with_budget;
use crate::harness::{App, Reply, Scripted};

const CHAT: &str =
    r#"{"id":"a","model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;
const RESPONSE: &str = r#"{"id":"r","usage":{"input_tokens":2,"output_tokens":1,"total_tokens":3}}"#;
const MESSAGE: &str = r#"{"id":"m","type":"message","usage":{"input_tokens":2,"output_tokens":1}}"#;
const CONTENT: &str =
    r#"{"candidates":[],"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":1,"totalTokenCount":3}}"#;
const EMBEDDING: &str = r#"{"data":[],"usage":{"prompt_tokens":2,"total_tokens":2}}"#;

/// Asks a provider that answers with `answer`, and returns what it got: its request line, its head, and its body.
async fn asked(provider: &str, path: &str, body: &str, answer: &str) -> (Reply, String, String) {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", answer).await;
    app.provider(provider, upstream.base_url()).await;
    let key = app.key(with_budget("1")).await;
    let reply = app.raw("POST", path).header("x-api-key", key.value.expose()).body(body.to_owned()).send().await;
    let request = upstream.requests().first().cloned().unwrap_or_default();
    let (head, sent) = request.split_once("\r\n\r\n").unwrap_or_default();
    (reply, head.to_owned(), sent.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_goes_to_the_providers_own_path_with_its_own_credential() {
    let bearer = "authorization: Bearer fake-provider-secret";
    for (provider, path, body, answer, upstream, credential, sent) in [
        (
            "openai",
            "/openai/v1/chat/completions",
            r#"{"model":"gpt-4o-mini","messages":[]}"#,
            CHAT,
            "/v1/chat/completions",
            bearer,
            r#"{"model":"gpt-4o-mini","messages":[]}"#,
        ),
        (
            "openai",
            "/v1/completions",
            r#"{"model":"openai/gpt-3.5-turbo","prompt":"a","max_tokens":5}"#,
            CHAT,
            "/v1/completions",
            bearer,
            r#"{"model":"gpt-3.5-turbo","prompt":"a","max_tokens":5}"#,
        ),
        (
            "openai",
            "/v1/responses",
            r#"{"model":"openai/gpt-4o-mini","input":"a"}"#,
            RESPONSE,
            "/v1/responses",
            bearer,
            r#"{"model":"gpt-4o-mini","input":"a"}"#,
        ),
        (
            "openai",
            "/v1/embeddings",
            r#"{"model":"openai/text-embedding-3-small","input":"a"}"#,
            EMBEDDING,
            "/v1/embeddings",
            bearer,
            r#"{"model":"text-embedding-3-small","input":"a"}"#,
        ),
        (
            "openai",
            "/v1/moderations",
            r#"{"input":"a"}"#,
            r#"{"results":[]}"#,
            "/v1/moderations",
            bearer,
            r#"{"model":"omni-moderation-latest","input":"a"}"#,
        ),
        (
            "openai",
            "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21",
            r#"{"messages":[]}"#,
            CHAT,
            "/v1/chat/completions",
            bearer,
            r#"{"model":"gpt-4o-mini","messages":[]}"#,
        ),
        (
            "gemini",
            "/v1/chat/completions",
            r#"{"model":"gemini/gemini-2.5-flash","messages":[]}"#,
            CHAT,
            "/v1beta/openai/chat/completions",
            bearer,
            r#"{"model":"gemini-2.5-flash","messages":[]}"#,
        ),
        (
            "anthropic",
            "/v1/messages",
            r#"{"model":"claude-haiku-4-5","max_tokens":5,"messages":[]}"#,
            MESSAGE,
            "/v1/messages",
            "x-api-key: fake-provider-secret",
            r#"{"model":"claude-haiku-4-5","max_tokens":5,"messages":[]}"#,
        ),
        (
            "anthropic",
            "/anthropic/v1/messages/count_tokens",
            r#"{"model":"anthropic/claude-haiku-4-5","messages":[]}"#,
            r#"{"input_tokens":2}"#,
            "/v1/messages/count_tokens",
            "x-api-key: fake-provider-secret",
            r#"{"model":"claude-haiku-4-5","messages":[]}"#,
        ),
        (
            "gemini",
            "/genai/v1beta/models/gemini-2.5-flash:generateContent",
            r#"{"contents":[]}"#,
            CONTENT,
            "/v1beta/models/gemini-2.5-flash:generateContent",
            "x-goog-api-key: fake-provider-secret",
            r#"{"contents":[]}"#,
        ),
        (
            "gemini",
            "/v1beta/models/gemini-2.5-flash:countTokens",
            r#"{"contents":[]}"#,
            r#"{"totalTokens":2}"#,
            "/v1beta/models/gemini-2.5-flash:countTokens",
            "x-goog-api-key: fake-provider-secret",
            r#"{"contents":[]}"#,
        ),
    ] {
        let (reply, head, reached) = asked(provider, path, body, answer).await;
        assert_eq!(reply.body, answer.as_bytes(), "{path}: {}", String::from_utf8_lossy(&reply.body));
        assert!(head.starts_with(&format!("POST {upstream} HTTP/1.1\r\n")), "{path}: {head}");
        assert!(head.contains(credential), "{path}: {head}");
        assert!(!head.contains("sk-bf-"), "{path}: {head}");
        assert_eq!(reached, sent, "{path}");
        assert_ne!(reply.header("x-keyward-cost"), "", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialect_has_a_version_also_when_its_client_does_not_say() {
    let body = r#"{"model":"claude-haiku-4-5","max_tokens":5,"messages":[]}"#;
    let (_, head, _) = asked("anthropic", "/v1/messages", body, MESSAGE).await;
    assert!(head.contains("anthropic-version: 2023-06-01"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_told_in_the_voice_of_their_path() {
    let app = App::start().await;
    let nobody = |path: &str| app.raw("POST", path).header("x-bf-vk", "sk-bf-nobody").body("{}").send();
    let anthropic = nobody("/v1/messages").await;
    assert_eq!(anthropic.status, 401);
    assert_eq!(
        (&anthropic.json()["type"], &anthropic.json()["error"]["type"]),
        (&json!("error"), &json!("authentication_error"))
    );
    let gemini = nobody("/v1beta/models/m:generateContent").await;
    assert_eq!((gemini.status, &gemini.json()["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    assert_eq!(gemini.json()["error"]["details"][0]["reason"], "invalid_api_key");
    assert_eq!(nobody("/v1/embeddings").await.json()["error"]["code"], "invalid_api_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_refuses_in_every_dialect() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", CHAT).await;
    app.provider("anthropic", upstream.base_url()).await;
    app.provider("gemini", upstream.base_url()).await;
    let key = app.key(with_budget("0.000000001")).await;
    let refused = async |path: &str, body: Value| {
        let reply = app.raw("POST", path).header("x-bf-vk", key.value.expose()).body(body.to_string()).send().await;
        assert_eq!((reply.status, reply.header("x-should-retry")), (402, "false"), "{path}");
        reply.json()
    };
    let message =
        refused("/v1/messages", json!({ "model": "claude-haiku-4-5", "max_tokens": 5, "messages": [] })).await;
    assert_eq!(message["error"]["type"], "billing_error");
    assert_eq!(message["error"]["details"]["scope"]["kind"], "virtual_key");
    let content = refused("/v1beta/models/gemini-2.5-flash:generateContent", json!({ "contents": [] })).await;
    assert_eq!(content["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(content["error"]["details"][0]["reason"], "budget_exceeded");
    assert!(upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_has_not_is_refused() {
    let (reply, head, _) =
        asked("openai", "/v1/messages", r#"{"model":"openai/gpt-4o","max_tokens":1,"messages":[]}"#, MESSAGE).await;
    assert_eq!((reply.status, head.as_str()), (400, ""));
    assert_eq!(reply.json()["error"]["code"], "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_door_without_a_meter() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", CHAT).await;
    app.provider("openai", upstream.base_url()).await;
    let key = app.key(CreateVirtualKey::default()).await;
    for path in [
        "/v1/fine_tuning/jobs",
        "/v1/realtime",
        "/v1/assistants",
        "/openai/v1/vector_stores",
        "/v1beta/cachedContents",
        "/v1",
    ] {
        let reply = app.raw("POST", path).header("x-bf-vk", key.value.expose()).body("{}").send().await;
        assert_eq!(reply.status, 404, "{path}");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_as_far_as_they_may_be_used() {
    let app = App::start().await;
    let upstream = Scripted::answering("200 OK", "application/json", CHAT).await;
    for provider in ["openai", "anthropic", "gemini"] {
        app.provider(provider, upstream.base_url()).await;
    }
    let allowed = |provider: &str, models: &[&str]| ProviderConfigInput {
        provider: Some(provider.into()),
        allowed_models: Some(models.iter().map(|model| (*model).to_owned()).collect::<Vec<_>>().try_into().unwrap()),
        ..ProviderConfigInput::default()
    };
    let configs = vec![
        allowed("openai", &["gpt-4o-mini"]),
        allowed("anthropic", &["claude-haiku-4-5"]),
        allowed("gemini", &["gemini-2.5-flash"]),
    ];
    let key = app.key(CreateVirtualKey { provider_configs: configs.into(), ..CreateVirtualKey::default() }).await;
    let get = async |path: &str, version: bool| {
        let request = app.raw("GET", path).header("x-goog-api-key", key.value.expose());
        let request = if version { request.header("anthropic-version", "2023-06-01") } else { request };
        request.send().await.json()
    };
    let ids = |list: &Value, member: &str, id: &str| {
        list[member].as_array().unwrap().iter().map(|model| model[id].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let listed = get("/v1/models", false).await;
    assert_eq!(
        ids(&listed, "data", "id"),
        ["anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash", "openai/gpt-4o-mini"]
    );
    for (path, version) in [("/v1/models", true), ("/anthropic/v1/models", false)] {
        let listed = get(path, version).await;
        assert_eq!(ids(&listed, "data", "id"), ["claude-haiku-4-5"]);
        assert_eq!(listed["has_more"], false);
    }
    assert_eq!(ids(&get("/v1beta/models", false).await, "models", "name"), ["models/gemini-2.5-flash"]);
    assert_eq!(get("/v1/models/openai/gpt-4o-mini", false).await["owned_by"], "openai");
    assert_eq!(get("/v1/models/openai/gpt-4o", false).await["error"]["code"], "not_found");
}
