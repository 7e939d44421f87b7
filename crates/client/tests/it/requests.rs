//! What is sent: addresses, credentials, bodies, and all of it through the transport.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use keyward_client::reqwest::{self, Request, Response};
use keyward_client::{
    AuditQuery, BudgetInput, ChatCompletionRequest, ChatMessage, Client, CreateCustomer, CreateManagementKey,
    CreateProvider, CreateProviderKey, CreateRoutingRule, CreateTeam, CreateVirtualKey, HttpTransport, ListQuery,
    Login, OverrideBudget, OverrideMode, PageQuery, Patch, RotateVirtualKeys, RoutingRuleQuery, Transport,
    UpdateConfig, UpdateCustomer, UpdateManagementKey, UpdateProvider, UpdateProviderKey, UpdateRoutingRule,
    UpdateTeam, UpdateVirtualKey, VirtualKeyQuery,
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

fn login() -> Login {
    Login { username: "admin".to_owned(), password: "not-a-secret".to_owned() }
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

#[tokio::test]
async fn every_operation_has_its_method_and_path() {
    let mut server = nothing_found().await;
    let url = format!("{}/prefix/", server.url);
    let client = Client::builder().base_url(&url).build().unwrap();
    let all = ListQuery::default();
    let raise = OverrideBudget { amount: "1".parse().unwrap(), mode: OverrideMode::Forever, cycles: None };
    macro_rules! sends {
        ($($operation:ident($($argument:expr),*) => $line:literal;)+) => {$(
            assert!(is_send(client.$operation($($argument),*)).await.is_err());
            assert_eq!(server.received().await.line(), $line, stringify!($operation));
        )+};
    }
    sends! {
        virtual_key_create(&CreateVirtualKey::default()) => "POST /prefix/api/governance/virtual-keys";
        virtual_key_list(&VirtualKeyQuery::default()) => "GET /prefix/api/governance/virtual-keys";
        virtual_key_get(&"a/b c".into()) => "GET /prefix/api/governance/virtual-keys/a%2Fb%20c";
        virtual_key_update(&"k".into(), &UpdateVirtualKey::default()) => "PUT /prefix/api/governance/virtual-keys/k";
        virtual_key_delete(&"k".into()) => "DELETE /prefix/api/governance/virtual-keys/k";
        virtual_key_rotate(&"k".into()) => "POST /prefix/api/governance/virtual-keys/k/rotate";
        virtual_keys_rotate(&RotateVirtualKeys::default()) => "POST /prefix/api/governance/virtual-keys/rotate";
        virtual_key_reveal(&"k".into()) => "GET /prefix/api/governance/virtual-keys/k/reveal";
        virtual_key_copy(&"k".into()) => "GET /prefix/api/governance/virtual-keys/k/copy";
        budget_override_set(&"k".into(), &"b".into(), &raise) => "PUT /prefix/api/governance/virtual-keys/k/budgets/b/override";
        budget_override_remove(&"k".into(), &"b".into()) => "DELETE /prefix/api/governance/virtual-keys/k/budgets/b/override";
        budget_list(&PageQuery::default()) => "GET /prefix/api/governance/budgets";
        rate_limit_list(&PageQuery::default()) => "GET /prefix/api/governance/rate-limits";
        audit_list(&AuditQuery::default()) => "GET /prefix/api/audit";
        audit_verify() => "GET /prefix/api/audit/verify";
        virtual_key_quota() => "GET /prefix/api/governance/virtual-keys/quota";
        routing_rule_create(&CreateRoutingRule::default()) => "POST /prefix/api/routing/rules";
        routing_rule_list(&RoutingRuleQuery::default()) => "GET /prefix/api/routing/rules";
        routing_rule_get(&"r".into()) => "GET /prefix/api/routing/rules/r";
        routing_rule_update(&"r".into(), &UpdateRoutingRule::default()) => "PUT /prefix/api/routing/rules/r";
        routing_rule_delete(&"r".into()) => "DELETE /prefix/api/routing/rules/r";
        team_create(&CreateTeam::default()) => "POST /prefix/api/governance/teams";
        team_list(&all) => "GET /prefix/api/governance/teams";
        team_get(&"t".into()) => "GET /prefix/api/governance/teams/t";
        team_update(&"t".into(), &UpdateTeam::default()) => "PUT /prefix/api/governance/teams/t";
        team_delete(&"t".into()) => "DELETE /prefix/api/governance/teams/t";
        customer_create(&CreateCustomer::default()) => "POST /prefix/api/governance/customers";
        customer_list(&all) => "GET /prefix/api/governance/customers";
        customer_get(&"c".into()) => "GET /prefix/api/governance/customers/c";
        customer_update(&"c".into(), &UpdateCustomer::default()) => "PUT /prefix/api/governance/customers/c";
        customer_delete(&"c".into()) => "DELETE /prefix/api/governance/customers/c";
        provider_create(&CreateProvider::default()) => "POST /prefix/api/providers";
        provider_list() => "GET /prefix/api/providers";
        provider_get(&"p".into()) => "GET /prefix/api/providers/p";
        provider_update(&"p".into(), &UpdateProvider::default()) => "PUT /prefix/api/providers/p";
        provider_delete(&"p".into()) => "DELETE /prefix/api/providers/p";
        provider_key_create(&"p".into(), &CreateProviderKey::new("n", "v")) => "POST /prefix/api/providers/p/keys";
        provider_key_list(&"p".into()) => "GET /prefix/api/providers/p/keys";
        provider_key_get(&"p".into(), &"?".into()) => "GET /prefix/api/providers/p/keys/%3F";
        provider_key_update(&"p".into(), &"a/b c".into(), &UpdateProviderKey::default())
            => "PUT /prefix/api/providers/p/keys/a%2Fb%20c";
        key_list() => "GET /prefix/api/keys";
        provider_key_delete(&"p".into(), &"k".into()) => "DELETE /prefix/api/providers/p/keys/k";
        config_get() => "GET /prefix/api/config";
        config_update(&UpdateConfig::default()) => "PUT /prefix/api/config";
        session_login(&login()) => "POST /prefix/api/session/login";
        session_logout() => "POST /prefix/api/session/logout";
        session_status() => "GET /prefix/api/session/is-auth-enabled";
        session_list() => "GET /prefix/api/sessions";
        session_delete(&"s".into()) => "DELETE /prefix/api/sessions/s";
        management_key_create(&CreateManagementKey::default()) => "POST /prefix/api/management-keys";
        management_key_list(&all) => "GET /prefix/api/management-keys";
        management_key_get(&"m".into()) => "GET /prefix/api/management-keys/m";
        management_key_update(&"m".into(), &UpdateManagementKey::default()) => "PUT /prefix/api/management-keys/m";
        management_key_rotate(&"m".into()) => "POST /prefix/api/management-keys/m/rotate";
        management_key_delete(&"m".into()) => "DELETE /prefix/api/management-keys/m";
        chat_completion_create(&question()) => "POST /prefix/v1/chat/completions";
        chat_completion_stream(&question()) => "POST /prefix/v1/chat/completions";
    }
}

#[tokio::test]
async fn list_parameters_are_encoded() {
    let mut server = nothing_found().await;
    let query = ListQuery { limit: Some("5".to_owned()), search: Some("a&b c".to_owned()), ..ListQuery::default() };
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
