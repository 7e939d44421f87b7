//! Every operation of the documents has a method of the client, which sends what the document says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use keyward_client::{
    AuditQuery, ChatCompletionRequest, CreateCustomer, CreateManagementKey, CreateMcpClient, CreateModelConfig,
    CreatePricingOverride, CreateProvider, CreateProviderKey, CreateRoutingRule, CreateTeam, CreateVirtualKey,
    EmbeddingsRequest, EventQuery, ExplainRequest, ForecastQuery, LedgerQuery, ListQuery, Login, McpClientQuery,
    ModelConfigQuery, OverrideBudget, OverrideMode, PageQuery, PricingOverrideQuery, ResponsesRequest,
    RotateVirtualKeys, RoutingRuleQuery, TeamQuery, UpdateConfig, UpdateCustomer, UpdateManagementKey, UpdateMcpClient,
    UpdateModelConfig, UpdatePricingOverride, UpdateProvider, UpdateProviderGovernance, UpdateProviderKey,
    UpdateRoutingRule, UpdateTeam, UpdateVirtualKey, UsageReportQuery, VirtualKeyQuery,
};
use serde_json::Value;

use crate::loopback::Loopback;

/// The methods, and what each of them sends: HTTP method and path, below a prefix.
async fn calls() -> BTreeMap<&'static str, &'static str> {
    let mut server = Loopback::answering("404 Not Found", "", "").await;
    let url = format!("{}/prefix/", server.url);
    let client = server.builder().base_url(&url).build().unwrap();
    let all = ListQuery::default();
    let raise = OverrideBudget { amount: "1".parse().unwrap(), mode: OverrideMode::Forever, cycles: None };
    let login = Login { username: "admin".to_owned(), password: "not-a-secret".to_owned() };
    let question = ChatCompletionRequest::default();
    let explain = ExplainRequest::of_chat("k".into(), &question).unwrap();
    let mut calls = BTreeMap::new();
    macro_rules! sends {
        ($($operation:ident($($argument:expr),*) => $line:literal;)+) => {$(
            assert!(is_send(client.$operation($($argument),*)).await.is_err());
            assert_eq!(server.received().await.line(), $line, stringify!($operation));
            calls.insert(stringify!($operation), $line);
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
        team_list(&TeamQuery::default()) => "GET /prefix/api/governance/teams";
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
        session_login(&login) => "POST /prefix/api/session/login";
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
        chat_completion_create(&question) => "POST /prefix/v1/chat/completions";
        chat_completion_stream(&question) => "POST /prefix/v1/chat/completions";
        response_create(&ResponsesRequest::default()) => "POST /prefix/v1/responses";
        response_stream(&ResponsesRequest::default()) => "POST /prefix/v1/responses";
        embedding_create(&EmbeddingsRequest::default()) => "POST /prefix/v1/embeddings";
        model_list() => "GET /prefix/v1/models";
        model_retrieve("openai/gpt-4o") => "GET /prefix/v1/models/openai/gpt-4o";
        event_list(&EventQuery::default()) => "GET /prefix/api/governance/events";
        ledger_list(&LedgerQuery::default()) => "GET /prefix/api/governance/ledger";
        usage_report(&UsageReportQuery::default()) => "GET /prefix/api/governance/usage";
        usage_forecast(&ForecastQuery::default()) => "GET /prefix/api/governance/usage/forecast";
        request_explain(&explain) => "POST /prefix/api/governance/explain";
        model_config_create(&CreateModelConfig::default()) => "POST /prefix/api/governance/model-configs";
        model_config_list(&ModelConfigQuery::default()) => "GET /prefix/api/governance/model-configs";
        model_config_get(&"m".into()) => "GET /prefix/api/governance/model-configs/m";
        model_config_update(&"m".into(), &UpdateModelConfig::default()) => "PUT /prefix/api/governance/model-configs/m";
        model_config_delete(&"m".into()) => "DELETE /prefix/api/governance/model-configs/m";
        provider_governance_list() => "GET /prefix/api/governance/providers";
        provider_governance_update(&"p".into(), &UpdateProviderGovernance::default())
            => "PUT /prefix/api/governance/providers/p";
        provider_governance_delete(&"p".into()) => "DELETE /prefix/api/governance/providers/p";
        pricing_override_create(&CreatePricingOverride::default()) => "POST /prefix/api/governance/pricing-overrides";
        pricing_override_list(&PricingOverrideQuery::default()) => "GET /prefix/api/governance/pricing-overrides";
        pricing_override_get(&"o".into()) => "GET /prefix/api/governance/pricing-overrides/o";
        pricing_override_update(&"o".into(), &UpdatePricingOverride::default())
            => "PUT /prefix/api/governance/pricing-overrides/o";
        pricing_override_patch(&"o".into(), &UpdatePricingOverride::default())
            => "PATCH /prefix/api/governance/pricing-overrides/o";
        pricing_override_delete(&"o".into()) => "DELETE /prefix/api/governance/pricing-overrides/o";
        mcp_client_create(&CreateMcpClient::default()) => "POST /prefix/api/mcp/client";
        mcp_client_list(&McpClientQuery::default()) => "GET /prefix/api/mcp/clients";
        mcp_client_get(&"c".into()) => "GET /prefix/api/mcp/client/c";
        mcp_client_update(&"c".into(), &UpdateMcpClient::default()) => "PUT /prefix/api/mcp/client/c";
        mcp_client_delete(&"c".into()) => "DELETE /prefix/api/mcp/client/c";
        livez() => "GET /prefix/livez";
        readyz() => "GET /prefix/readyz";
        health() => "GET /prefix/health";
        metrics() => "GET /prefix/metrics";
    }
    calls
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The operations of a document by id: HTTP method and path.
fn documented(document: &str) -> BTreeMap<String, String> {
    let document: Value = serde_json::from_str(&read(&format!("../../openapi/{document}.json"))).unwrap();
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            operations.insert(id.to_owned(), format!("{} {path}", method.to_uppercase()));
        }
    }
    operations
}

/// The lines of `operations.txt` about one document: operation id, and method or reason.
fn listed(document: &str) -> Vec<(String, String)> {
    let list = read("operations.txt");
    let section = list.split(&format!("[{document}]\n")).nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once(' ')).map(|(id, method)| (id.to_owned(), method.to_owned())).collect()
}

/// The id without what marks it as another path of the same operation.
fn canonical(id: &str) -> &str {
    id.split("_alias").next().unwrap()
}

/// Whether a request line is one of an operation; its last parameter may have slashes in it.
fn is_of(sent: &str, documented: &str) -> bool {
    let sent = sent.replacen("/prefix/", "/", 1);
    let (mut sent, mut wanted) = (sent.split('/'), documented.split('/').peekable());
    while let Some(segment) = wanted.next() {
        match sent.next() {
            Some(_) if segment.starts_with('{') && wanted.peek().is_none() => return true,
            Some(found) if found == segment || segment.starts_with('{') => {}
            Some(_) | None => return false,
        }
    }
    sent.next().is_none()
}

#[tokio::test]
async fn every_operation_of_the_documents_has_its_method_or_a_reason() {
    let calls = calls().await;
    for document in ["management", "gateway"] {
        let (documented, listed) = (documented(document), listed(document));
        let ids: BTreeSet<_> = listed.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, documented.keys().map(String::as_str).collect(), "{document}.json against operations.txt");
        assert_eq!(ids.len(), listed.len(), "an operation is listed twice");
        for (id, method) in &listed {
            match method.strip_prefix("- ") {
                Some(reason) => assert!(document != "management" && !reason.is_empty(), "{id} has no method"),
                None => {
                    let sent = calls.get(method.as_str()).unwrap_or_else(|| panic!("{id}: what does {method} send?"));
                    assert!(is_of(sent, &documented[canonical(id)]), "{method} sends {sent}, which is not {id}");
                    assert_eq!(method, canonical(id), "a method has the name of its operation");
                }
            }
        }
    }
}
