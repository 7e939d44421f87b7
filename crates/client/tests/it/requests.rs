//! What is sent: addresses, credentials, bodies, and all of it through the transport.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use keyward_client::reqwest::{self, Request, Response};
use keyward_client::{
    BudgetInput, ChatCompletionRequest, ChatMessage, HttpTransport, Patch, TeamQuery, Transport, UpdateVirtualKey,
};

use crate::loopback::Loopback;

async fn nothing_found() -> Loopback {
    Loopback::answering("404 Not Found", "", "").await
}

fn question() -> ChatCompletionRequest {
    ChatCompletionRequest {
        model: "demo/echo".to_owned(),
        messages: vec![ChatMessage::user("Hello")],
        ..ChatCompletionRequest::default()
    }
}

#[tokio::test]
async fn list_parameters_are_encoded() {
    let mut server = nothing_found().await;
    let query = TeamQuery { limit: Some("5".to_owned()), search: Some("a&b c".to_owned()), ..TeamQuery::default() };
    assert!(server.client().team_list(&query).await.is_err());
    assert_eq!(server.received().await.line(), "GET /api/governance/teams?limit=5&search=a%26b+c");
}

#[tokio::test]
async fn each_credential_goes_only_where_it_belongs() {
    let mut server = nothing_found().await;
    let client = server.builder().admin("admin", "secret").virtual_key("sk-bf-1").user_agent("test").build().unwrap();
    let client = client.with_virtual_key("sk-bf-2").unwrap();

    assert!(client.provider_list().await.is_err());
    let management = server.received().await;
    assert_eq!(management.header("authorization"), Some("Basic YWRtaW46c2VjcmV0"));
    assert_eq!((management.header("x-bf-vk"), management.header("user-agent")), (None, Some("test")));

    assert!(client.virtual_key_quota().await.is_err());
    let quota = server.received().await;
    assert_eq!((quota.header("authorization"), quota.header("x-bf-vk")), (None, Some("sk-bf-2")));

    assert!(client.chat_completion_create(&question()).await.is_err());
    let inference = server.received().await;
    assert_eq!((inference.header("authorization"), inference.header("x-bf-vk")), (Some("Bearer sk-bf-2"), None));
}

#[tokio::test]
async fn a_token_goes_to_the_management_api_only() {
    let mut server = nothing_found().await;
    let client = server.builder().management_token("sk-kw-1").virtual_key("sk-bf-1").build().unwrap();
    assert!(client.provider_list().await.is_err());
    assert_eq!(server.received().await.header("authorization"), Some("Bearer sk-kw-1"));
    assert!(client.chat_completion_create(&question()).await.is_err());
    assert_eq!(server.received().await.header("authorization"), Some("Bearer sk-bf-1"));
}

#[tokio::test]
async fn without_a_credential_none_is_sent() {
    let mut server = nothing_found().await;
    let client = server.client();
    assert!(client.provider_list().await.is_err());
    assert_eq!(server.received().await.header("authorization"), None);
    assert!(client.chat_completion_create(&question()).await.is_err());
    assert_eq!(server.received().await.header("authorization"), None);
}

#[tokio::test]
async fn an_update_says_what_to_keep_to_clear_and_to_set() {
    let mut server = nothing_found().await;
    let budget = BudgetInput::new("0.010000001".parse().unwrap(), "1d".parse().unwrap());
    let request =
        UpdateVirtualKey { rate_limit: Patch::Null, budget: Patch::Value(budget), ..UpdateVirtualKey::default() };
    assert!(server.client().virtual_key_update(&"k".into(), &request).await.is_err());
    let received = server.received().await;
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.body, r#"{"budget":{"max_limit":0.010000001,"reset_duration":"1d"},"rate_limit":null}"#);
}

#[tokio::test]
async fn streaming_is_a_matter_of_the_method() {
    let mut server = nothing_found().await;
    let client = server.client();
    assert!(client.chat_completion_stream(&question()).await.is_err());
    let received = server.received().await;
    assert!(received.body.contains(r#""stream":true"#), "{}", received.body);
    assert_eq!(received.header("accept"), Some("text/event-stream"));

    let streamed = ChatCompletionRequest { stream: Some(true), ..question() };
    let error = client.chat_completion_create(&streamed).await.unwrap_err();
    assert_eq!((error.status(), error.is_retryable()), (None, false));
    assert!(server.has_no_more());
}

#[tokio::test]
async fn an_id_that_no_path_can_carry_is_not_sent() {
    let mut server = nothing_found().await;
    for id in ["", ".", ".."] {
        assert!(server.client().virtual_key_delete(&id.into()).await.is_err());
    }
    assert!(server.has_no_more());
}

/// Notes what passes, as a tracing middleware would.
struct Noting {
    inner: HttpTransport,
    noted: Mutex<Vec<String>>,
}

impl Transport for Noting {
    fn execute(&self, request: Request) -> Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + '_>> {
        self.noted.lock().unwrap().push(format!("{request:?}"));
        self.inner.execute(request)
    }
}

#[tokio::test]
async fn every_request_goes_through_the_transport_which_sees_no_credential_in_debug_output() {
    let mut server = nothing_found().await;
    let noting = Arc::new(Noting { inner: HttpTransport::new().unwrap(), noted: Mutex::default() });
    let client = server.builder().admin("admin", "secret").virtual_key("sk-bf-1").transport(noting.clone());
    let client = client.build().unwrap();
    assert!(client.provider_list().await.is_err());
    assert!(client.virtual_key_quota().await.is_err());
    assert!(client.chat_completion_stream(&question()).await.is_err());
    server.received().await;

    let noted = noting.noted.lock().unwrap();
    assert_eq!(noted.len(), 3);
    assert!(noted.iter().all(|text| text.contains("Sensitive")), "{noted:?}");
    assert!(!noted.iter().any(|text| text.contains("sk-bf-1") || text.contains("YWRtaW4")), "{noted:?}");
}

/// Adds a word to a header.
struct Adding {
    word: &'static str,
    inner: Arc<dyn Transport>,
}

impl Transport for Adding {
    fn execute(&self, mut request: Request) -> Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + '_>> {
        let before = request.headers().get("x-words").map_or("", |words| words.to_str().unwrap()).to_owned();
        request.headers_mut().insert("x-words", format!("{before}{}", self.word).parse().unwrap());
        self.inner.execute(request)
    }
}

#[tokio::test]
async fn the_last_middleware_sees_a_request_first() {
    let mut server = nothing_found().await;
    let one = server.builder().middleware(|inner| Adding { word: "inner", inner });
    let client = one.middleware(|inner| Adding { word: "outer ", inner }).build().unwrap();
    assert!(client.provider_list().await.is_err());
    assert_eq!(server.received().await.header("x-words"), Some("outer inner"));
}
