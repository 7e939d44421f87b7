//! Parameters: what they are, and between which bounds.

use serde_json::Value;

use crate::openapi::document::Document;

pub(super) fn bounds(document: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    for operation in document.operations() {
        for parameter in operation.parameters() {
            let parameter = document.resolve(parameter);
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            let mut lacks = |what: &str| wrong.push(format!("{operation}: {name} {what}"));
            if parameter.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
                lacks("has no description");
            }
            let schema = parameter.get("schema").map(|schema| document.resolve(schema));
            if !schema.is_some_and(is_bounded) {
                lacks("has no bounds");
            }
            if parameter.get("in").is_some_and(|place| place == "path") && is_absent(parameter, "example") {
                lacks("has no example");
            }
        }
    }
    wrong
}

fn is_bounded(schema: &Value) -> bool {
    let is = |kind: &str| match schema.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
        _ => false,
    };
    if is("integer") || is("number") {
        return !is_absent(schema, "minimum") && !is_absent(schema, "maximum");
    }
    if is("string") {
        return ["maxLength", "enum", "const", "format"].iter().any(|bound| !is_absent(schema, bound));
    }
    is("boolean")
}

fn is_absent(value: &Value, name: &str) -> bool {
    value.get(name).is_none_or(Value::is_null)
}
