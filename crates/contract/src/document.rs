//! An OpenAPI document, made for looking things up: its operations, and schemas that admit nothing that they do not name.

use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An OpenAPI document, closed: a member that no schema names is an error, wherever a schema does not say otherwise.
#[derive(Debug)]
pub struct Document {
    name: String,
    value: Value,
    operations: Vec<Operation>,
}

/// One operation of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// Its method, in capitals.
    pub method: String,
    /// Its path, with parameters in braces.
    pub template: String,
    /// Everything that the document says of it.
    pub value: Value,
}

impl Document {
    /// Reads a document, which is called `name` in reports.
    #[must_use]
    pub fn new(name: &str, mut value: Value) -> Self {
        close(&mut value);
        let paths = value.get("paths").and_then(Value::as_object).into_iter().flatten();
        let operations = paths.flat_map(|(template, item)| {
            METHODS.iter().filter_map(move |method| Operation::read(method, template, item.get(method)?))
        });
        Self { name: name.to_owned(), operations: operations.collect(), value }
    }

    /// What reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// Its operations, in its order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation at a path; one whose template has no parameter there wins.
    #[must_use]
    pub fn operation_at(&self, method: &str, path: &str) -> Option<&Operation> {
        let path = path.split('?').next().unwrap_or_default();
        let there = self.operations.iter().filter(|operation| operation.method == method && operation.is_at(path));
        there.min_by_key(|operation| operation.template.contains('{'))
    }
}

impl Operation {
    fn read(method: &str, template: &str, value: &Value) -> Option<Self> {
        let id = value.get("operationId")?.as_str()?.to_owned();
        Some(Self { id, method: method.to_uppercase(), template: template.to_owned(), value: value.clone() })
    }

    /// The statuses that it documents, and what it says of each. A class of statuses is `4XX`.
    pub fn responses(&self) -> impl Iterator<Item = (&str, &Value)> {
        let responses = self.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        responses.map(|(status, response)| (status.as_str(), response))
    }

    /// What it says of a status.
    #[must_use]
    pub fn response(&self, status: &str) -> Option<&Value> {
        self.value.get("responses")?.get(status)
    }

    /// Whether it documents a status by its number.
    #[must_use]
    pub fn documents(&self, status: u16) -> bool {
        self.response(&status.to_string()).is_some()
    }

    /// Whether it takes a body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.value.get("requestBody").is_some()
    }

    /// Whether it has parameters of a kind: `path`, `query`, `header`.
    #[must_use]
    pub fn has_parameters(&self, kind: &str) -> bool {
        let parameters = self.value.get("parameters").and_then(Value::as_array).into_iter().flatten();
        parameters.filter_map(|parameter| parameter.get("in")).any(|place| place == kind)
    }

    fn is_at(&self, path: &str) -> bool {
        let template: Vec<_> = self.template.split('/').collect();
        // The name of a model may have slashes.
        let is_model = template.last().is_some_and(|last| last.starts_with("{model}"));
        let path: Vec<_> = path.splitn(if is_model { template.len() } else { usize::MAX }, '/').collect();
        template.len() == path.len() && template.iter().zip(&path).all(|(expected, found)| is_segment(expected, found))
    }
}

/// Whether a segment of a path is one of a template. What stands behind a parameter in its segment is a verb.
fn is_segment(expected: &str, found: &str) -> bool {
    match expected.split_once('}') {
        Some((_, verb)) => found.ends_with(verb) && (!verb.is_empty() || !found.contains(':')),
        None => expected == found,
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Document {
        let operation = |id: &str| json!({ "operationId": id, "responses": { "200": {} } });
        let paths = json!({
            "/keys/{id}": { "get": operation("one") },
            "/keys/quota": { "get": operation("quota") },
            "/models/{model}": { "get": operation("model") },
            "/models/{model}:count": { "post": operation("count") },
        });
        Document::new("test", json!({ "paths": paths }))
    }

    #[test]
    fn a_path_without_parameters_wins_and_verbs_are_no_part_of_a_name() {
        let document = document();
        let at = |method: &str, path: &str| document.operation_at(method, path).map(|operation| operation.id.as_str());
        assert_eq!(at("GET", "/keys/quota"), Some("quota"));
        assert_eq!(at("GET", "/keys/1?limit=1"), Some("one"));
        assert_eq!(at("GET", "/models/vendor/a"), Some("model"));
        assert_eq!(at("POST", "/models/a:count"), Some("count"));
        assert_eq!(at("POST", "/keys/1"), None);
        assert_eq!(at("GET", "/keys/1/more"), None);
    }

    #[test]
    fn schemas_are_closed_unless_they_say_otherwise() {
        let schemas = json!({ "a": { "properties": {} }, "b": { "properties": {}, "additionalProperties": {} } });
        let document = Document::new("test", json!({ "components": { "schemas": schemas } }));
        let said = |name: &str| document.value()["components"]["schemas"][name]["additionalProperties"].clone();
        assert_eq!((said("a"), said("b")), (json!(false), json!({})));
    }
}
