//! The contract: every answer must be documented, with its status, its content type, and every member of its body.

use keyward_server::openapi::Document;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// Both OpenAPI documents, closed: a member that is not documented is an error.
pub struct Contract {
    documents: [Value; 2],
}

impl Contract {
    pub fn new() -> Self {
        let closed = |document: Document| {
            let mut document = serde_json::to_value(document.collect()).unwrap();
            close(&mut document);
            document
        };
        Self { documents: [closed(Document::Management), closed(Document::Gateway)] }
    }

    pub fn documents(&self) -> &[Value; 2] {
        &self.documents
    }

    /// Panics unless the answer is documented.
    pub fn check(&self, method: &str, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        let from_provider = header("x-keyward-error-source") == Some("provider");
        let content_type = header("content-type").unwrap_or_default();
        let called = format!("{method} {path} -> {status}");
        let Some((document, operation)) = self.operation(method, path) else {
            assert!([404, 405].contains(&status), "{called}: nothing is documented there");
            let schema = json!({ "$ref": format!("#/components/schemas/{}", error_at(path)) });
            return validate(&self.documents[1], &schema, body, &called);
        };
        let key = if from_provider { format!("{}XX", status / 100) } else { status.to_string() };
        let response = &operation["responses"][&key];
        assert!(response.is_object(), "{called}: the status is not documented");
        if from_provider {
            return;
        }
        for (name, _) in response["headers"].as_object().into_iter().flatten() {
            assert!(header(name).is_some(), "{called}: the documented header {name} is missing");
        }
        let content_type = content_type.split(';').next().unwrap_or_default();
        let schema = &response["content"][content_type]["schema"];
        assert!(schema.is_object(), "{called}: the content type {content_type} is not documented");
        match content_type {
            "application/json" => validate(document, schema, body, &called),
            "text/event-stream" | "text/plain" | "text/csv" | "audio/mpeg" => {}
            other => panic!("{called}: nobody checks {other}"),
        }
    }

    /// Panics unless the data of an event is documented: a piece of the answer, or an error.
    pub fn check_event(&self, method: &str, path: &str, data: &[u8]) {
        let called = format!("{method} {path}, an event");
        let (document, operation) = self.operation(method, path).unwrap();
        let value: Value = serde_json::from_slice(data).unwrap_or_default();
        // An error in the voice of its path; in the events of responses, which have a form of their own, our envelope is within.
        let is_within = value["error"]["event_id"].is_string() && value["event_id"].is_null();
        let is_error = value.get("error").is_some_and(Value::is_object);
        let schema = match is_error {
            true => &operation["responses"]["500"]["content"]["application/json"]["schema"],
            false => &operation["responses"]["200"]["content"]["text/event-stream"]["schema"],
        };
        if is_within {
            return validate(document, schema, value["error"].to_string().as_bytes(), &called);
        }
        validate(document, schema, data, &called);
    }

    /// The operation at a path; one whose template has no parameter there wins.
    fn operation(&self, method: &str, path: &str) -> Option<(&Value, &Value)> {
        let path = path.split('?').next().unwrap_or_default();
        let candidates = self.documents.iter().flat_map(|document| {
            let paths = document["paths"].as_object().unwrap().iter();
            paths.map(move |(template, item)| (document, template, &item[method.to_lowercase()]))
        });
        let matching = candidates.filter(|(_, template, operation)| operation.is_object() && matches(template, path));
        matching
            .min_by_key(|(_, template, _)| template.contains('{'))
            .map(|(document, _, operation)| (document, operation))
    }
}

/// The schema of errors where nothing is.
fn error_at(path: &str) -> &'static str {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    match path {
        _ if begins(&["/anthropic/", "/v1/messages"]) => "AnthropicError",
        _ if begins(&["/genai/", "/v1beta/"]) => "GeminiError",
        _ => "ErrorBody",
    }
}

fn matches(template: &str, path: &str) -> bool {
    let template: Vec<_> = template.split('/').collect();
    // The name of a model may have slashes.
    let segments =
        if template.last().is_some_and(|last| last.starts_with("{model}")) { template.len() } else { usize::MAX };
    let path: Vec<_> = path.splitn(segments, '/').collect();
    // What stands behind a parameter in its segment is a verb.
    let equal = |(expected, found): (&&str, &&str)| match expected.split_once('}') {
        Some((_, verb)) => found.ends_with(verb) && (!verb.is_empty() || !found.contains(':')),
        None => expected == found,
    };
    template.len() == path.len() && template.iter().zip(&path).all(equal)
}

fn validate(document: &Value, schema: &Value, body: &[u8], called: &str) {
    let body: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{called}: not JSON: {error}"));
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    let validator = options.build(&schema).unwrap_or_else(|error| panic!("{called}: the schema is broken: {error}"));
    let errors: Vec<String> =
        validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{called}: not as documented: {errors:#?}\n{body:#}");
}

/// Forbids members that no schema names, wherever a schema does not say otherwise.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
