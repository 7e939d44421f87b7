//! The two published pages that the API must serve: every member of their bodies is documented and answered.

use keyward_client::{CreateVirtualKey, ProviderKeyId, RateLimitInput};
use keyward_contract::seeds::{CREATED, ERROR, NOT_OF_A_TEAMS_KEY, READ, missing, undocumented};
use serde_json::{Value, json};

use super::{VIRTUAL_KEYS, budget, duration, requests};
use crate::harness::{App, Contract};

/// A provider key with a setting for each of the pages' members.
async fn clouds(app: &App) -> ProviderKeyId {
    let seed: Value = serde_json::from_str(CREATED).unwrap();
    let members = seed["virtual_key"]["provider_configs"][0]["keys"][0].as_object().unwrap().clone();
    let flat = members
        .into_iter()
        .filter(|(name, _)| ["azure_", "vertex_", "bedrock_"].iter().any(|cloud| name.starts_with(cloud)));
    let mut body = json!({ "name": "clouds", "value": "fake-secret", "aliases": { "gpt-4o": "gpt-4o-deployment" } });
    for (name, _) in flat {
        let text = if name == "azure_endpoint" { "https://fake.openai.azure.com" } else { "fake-setting" };
        body[name] = json!({ "value": text, "env_var": "", "from_env": false });
    }
    let key = super::done(app, "POST", "/api/providers/demo/keys", body).await;
    key["id"].as_str().unwrap().into()
}

/// The schema of an operation's answer.
fn answer<'a>(document: &'a Value, path: &str, method: &str, status: &str) -> &'a Value {
    &document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
}

#[test]
fn every_member_of_the_seeds_is_documented() {
    let contract = Contract::new();
    let document = contract.documents()[0];
    for (seed, path, method, status) in [
        (CREATED, VIRTUAL_KEYS, "post", "200"),
        (ERROR, VIRTUAL_KEYS, "post", "400"),
        (ERROR, VIRTUAL_KEYS, "post", "500"),
        (READ, "/api/governance/virtual-keys/{vk_id}", "get", "200"),
    ] {
        let seed = serde_json::from_str(seed).unwrap();
        let found = undocumented(document, answer(document, path, method, status), &seed);
        assert_eq!(found, [""; 0], "{method} {path} -> {status}");
    }
}

#[test]
fn what_is_not_documented_is_noticed() {
    let contract = Contract::new();
    let document = contract.documents()[0];
    for (member, value, expected) in [
        ("extra", json!(1), ".virtual_key.extra (integer)"),
        ("name", json!(1), ".virtual_key.name (integer)"),
        ("keys", json!([{ "weight": "heavy" }]), ".virtual_key.keys[].weight (string)"),
    ] {
        let mut seed: Value = serde_json::from_str(CREATED).unwrap();
        seed["virtual_key"][member] = value;
        let found = undocumented(document, answer(document, VIRTUAL_KEYS, "post", "200"), &seed);
        assert_eq!(found, [expected]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fully_dressed_key_is_answered_with_every_member_of_the_seeds() {
    let app = App::start().await;
    let team = keyward_client::CreateTeam { name: "red".to_owned(), ..Default::default() };
    let team = app.client.team_create(&team).await.unwrap().team;
    let tokens_and_requests = RateLimitInput {
        token_max_limit: 1000.into(),
        token_reset_duration: duration("1m").into(),
        ..requests(10, "1m")
    };
    let config = keyward_client::ProviderConfigInput {
        provider: Some("demo".into()),
        allowed_models: Some(vec!["echo".to_owned()].try_into().unwrap()),
        key_ids: Some(vec![clouds(&app).await]),
        budget: budget("1", "1d").into(),
        rate_limit: tokens_and_requests.clone().into(),
        ..Default::default()
    };
    super::mcp_clients::made(&app, super::mcp_clients::files()).await;
    let files = keyward_client::McpConfigInput {
        mcp_client_name: Some("files".to_owned()),
        tools_to_execute: Some(vec!["read".to_owned()]),
        ..Default::default()
    };
    let request = CreateVirtualKey {
        name: "dressed".to_owned(),
        description: "for the seeds".to_owned(),
        team_id: Some(team.id),
        budget: budget("1", "1d").into(),
        rate_limit: tokens_and_requests.into(),
        provider_configs: Some(vec![config]),
        mcp_configs: Some(vec![files]),
        ..CreateVirtualKey::default()
    };
    let body = serde_json::to_value(request).unwrap();
    let created = super::done(&app, "POST", VIRTUAL_KEYS, body).await;
    let id = created["virtual_key"]["id"].as_str().unwrap();
    let read = app.raw("GET", &format!("{VIRTUAL_KEYS}/{id}")).send().await.json();
    for (seed, answer, excepted) in [(CREATED, &created, &[][..]), (READ, &read, &NOT_OF_A_TEAMS_KEY[..])] {
        let found = missing(answer, &serde_json::from_str(seed).unwrap());
        // Both ways: what is missing is excepted, and what is excepted is missing.
        assert_eq!(found, excepted);
    }
}

/// A key of a customer has the one member that the key above cannot have.
#[tokio::test(flavor = "multi_thread")]
async fn a_customers_key_shows_its_customer() {
    let app = App::start().await;
    let customer = keyward_client::CreateCustomer { name: "acme".to_owned(), ..Default::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer;
    let key = app.key(CreateVirtualKey { customer_id: Some(customer.id.clone()), ..CreateVirtualKey::default() }).await;
    let read = app.raw("GET", &format!("{VIRTUAL_KEYS}/{}", key.id)).send().await.json();
    assert_eq!(read["customer_id"], json!(customer.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_every_member_of_the_seed() {
    let app = App::start().await;
    let seed = serde_json::from_str(ERROR).unwrap();
    for reply in [
        app.raw("POST", VIRTUAL_KEYS).body("{").send().await,
        app.raw("GET", &format!("{VIRTUAL_KEYS}/nobody")).send().await,
        app.raw("GET", "/nowhere").send().await,
    ] {
        let found = missing(&reply.json(), &seed);
        assert_eq!(found, [""; 0], "{}", reply.json());
    }
}

/// The create page's own example: no credential, a content type, and a name.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_create_page_works_as_it_is_printed() {
    let app = App::start().await;
    let example = app.raw("POST", VIRTUAL_KEYS).header("content-type", "application/json");
    let reply = example.body(r#"{ "name": "string" }"#).send().await;
    assert_eq!((reply.status, &reply.json()["virtual_key"]["name"]), (200, &json!("string")));
    assert!(reply.header("content-type").starts_with("application/json"));
}
