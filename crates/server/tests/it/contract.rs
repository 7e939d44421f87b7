//! The documents themselves; and below `contract/`, the server that is held to them.

mod kept;
mod liar;
mod lies;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

use crate::harness::Contract;

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| references(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_in_the_documents_leads_somewhere() {
    for document in Contract::new().documents() {
        let mut found = Vec::new();
        references(document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }
}

#[test]
fn every_operation_is_named_tagged_and_described() {
    for document in Contract::new().documents() {
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for member in ["operationId", "summary", "tags", "responses"] {
                    assert!(!operation[member].is_null(), "{method} {path} has no {member}");
                }
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.values().all(|response| response["description"] != ""), "{method} {path}");
            }
        }
    }
}

fn json() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

#[test]
#[should_panic(expected = "not as documented")]
fn an_undocumented_member_is_noticed() {
    let body = br#"{"message":"live","extra":1}"#;
    Contract::new().check("GET", "/livez", 200, &json(), body);
}

#[test]
#[should_panic(expected = "status is not documented")]
fn an_undocumented_status_is_noticed() {
    Contract::new().check("GET", "/livez", 418, &json(), b"{}");
}

#[test]
#[should_panic(expected = "the documented header ETag is missing")]
fn a_missing_header_is_noticed() {
    Contract::new().check("GET", "/api/providers/openai", 200, &json(), b"{}");
}

#[test]
#[should_panic(expected = "not as documented")]
fn an_event_of_the_wrong_shape_is_noticed() {
    Contract::new().check_event("POST", "/v1/chat/completions", r#"{"id":1}"#);
}
