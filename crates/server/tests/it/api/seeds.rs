//! The two published pages that the API must serve: every member of their bodies is documented and answered.

use keyward_client::{CreateVirtualKey, ProviderKeyId, RateLimitInput};
use serde_json::{Value, json};

use super::{VIRTUAL_KEYS, budget, duration, requests};
use crate::harness::{App, Contract};

const CREATED: &str = include_str!("../../seeds/virtual_key_create.json");
const READ: &str = include_str!("../../seeds/virtual_key_get.json");
const ERROR: &str = include_str!("../../seeds/error.json");

/// Members of the read page that the test's key cannot have, each with the reason. They are documented all the same.
const NOT_READ: [(&str, &str); 1] =
    [(".customer_id", "a key belongs to a team or to a customer, and this one to a team")];

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

/// The schemas that a schema stands for: references followed, alternatives side by side.
fn alternatives<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let reference = schema["$ref"].as_str().map(|text| document.pointer(text.strip_prefix('#').unwrap()).unwrap());
    let listed = ["oneOf", "anyOf", "allOf"].iter().filter_map(|kind| schema[*kind].as_array()).flatten();
    let behind: Vec<&Value> = reference.into_iter().chain(listed).collect();
    match behind.is_empty() {
        true => vec![schema],
        false => behind.into_iter().flat_map(|schema| alternatives(document, schema)).collect(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The seed's members, with their paths, that the schema does not have with a type that admits the seed's value.
fn undocumented(document: &Value, schema: &Value, seed: &Value, path: &str, found: &mut Vec<String>) {
    let admits = |schema: &&Value| {
        let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
        types.iter().any(|name| *name == kind(seed) || (kind(seed) == "integer" && *name == "number"))
    };
    let Some(schema) = alternatives(document, schema).into_iter().find(admits) else {
        return found.push(format!("{path} ({})", kind(seed)));
    };
    for (member, value) in seed.as_object().into_iter().flatten() {
        let named = schema["properties"].get(member);
        let schema = named.or(schema.get("additionalProperties").filter(|schema| schema.is_object()));
        undocumented(document, schema.unwrap_or(&Value::Null), value, &format!("{path}.{member}"), found);
    }
    for value in seed.as_array().into_iter().flatten() {
        undocumented(document, &schema["items"], value, &format!("{path}[]"), found);
    }
}

/// The seed's members, with their paths, that an answer does not have with the same type.
fn missing(answer: Option<&Value>, seed: &Value, path: &str, found: &mut Vec<String>) {
    let number = |value: &Value| value.is_number();
    match answer {
        Some(answer) if kind(answer) == kind(seed) || (number(answer) && number(seed)) => {}
        Some(_) | None => return found.push(path.to_owned()),
    }
    for (member, value) in seed.as_object().into_iter().flatten() {
        missing(answer.and_then(|answer| answer.get(member)), value, &format!("{path}.{member}"), found);
    }
    for value in seed.as_array().into_iter().flatten() {
        missing(answer.and_then(|answer| answer.get(0)), value, &format!("{path}[]"), found);
    }
}

#[test]
fn every_member_of_the_seeds_is_documented() {
    let contract = Contract::new();
    let document = &contract.documents()[0];
    for (seed, path, method, status) in [
        (CREATED, VIRTUAL_KEYS, "post", "200"),
        (ERROR, VIRTUAL_KEYS, "post", "400"),
        (ERROR, VIRTUAL_KEYS, "post", "500"),
        (READ, "/api/governance/virtual-keys/{vk_id}", "get", "200"),
    ] {
        let mut found = Vec::new();
        let seed = serde_json::from_str(seed).unwrap();
        undocumented(document, answer(document, path, method, status), &seed, "", &mut found);
        assert_eq!(found, [""; 0], "{method} {path} -> {status}");
    }
}

#[test]
fn what_is_not_documented_is_noticed() {
    let contract = Contract::new();
    let document = &contract.documents()[0];
    for (member, value, expected) in [
        ("extra", json!(1), ".virtual_key.extra (integer)"),
        ("name", json!(1), ".virtual_key.name (integer)"),
        ("keys", json!([{ "weight": "heavy" }]), ".virtual_key.keys[].weight (string)"),
    ] {
        let mut seed: Value = serde_json::from_str(CREATED).unwrap();
        seed["virtual_key"][member] = value;
        let mut found = Vec::new();
        undocumented(document, answer(document, VIRTUAL_KEYS, "post", "200"), &seed, "", &mut found);
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
    for (seed, answer, excepted) in [(CREATED, &created, &[][..]), (READ, &read, &NOT_READ[..])] {
        let mut found = Vec::new();
        missing(Some(answer), &serde_json::from_str(seed).unwrap(), "", &mut found);
        let mut excepted: Vec<&str> = excepted.iter().map(|(path, _)| *path).collect();
        found.sort_unstable();
        excepted.sort_unstable();
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
        let mut found = Vec::new();
        missing(Some(&reply.json()), &seed, "", &mut found);
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
