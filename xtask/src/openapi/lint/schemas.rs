//! Schemas: what their members mean, in which unit, and whether others may stand beside them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::openapi::document::{Document, elements, members};

/// Which document's bodies are those of the providers, which Keyward passes on.
const PASSING: &str = "gateway";

/// Units, and the words of what is counted.
const UNITS: [&str; 18] = [
    "dollar",
    "token",
    "request",
    "second",
    "1970",
    "percent",
    "byte",
    "character",
    "pixel",
    "image",
    "how many",
    "how often",
    "window",
    "hour",
    "minute",
    "day",
    "month",
    "attempt",
];
/// What says that a number measures nothing: what identifies, what ranks, what weighs, what is a code.
const NO_MEASURE: [&str; 9] = [
    "identifies",
    "row number",
    "existing",
    "place in the log",
    "which of",
    "status",
    "share",
    "evaluated first",
    "not looked at",
];

pub(super) fn descriptions(document: &Document) -> Vec<String> {
    let mut wrong: Vec<String> = Vec::new();
    for (name, schema) in document.schemas() {
        if is_silent(schema) {
            wrong.push(format!("{name} has no description"));
        }
        let silent = properties(schema).filter(|(_, property)| is_silent(property));
        wrong.extend(silent.map(|(property, _)| format!("{name}.{property} has no description")));
    }
    wrong
}

fn is_silent(schema: &Value) -> bool {
    schema.get("description").and_then(Value::as_str).is_none_or(str::is_empty)
}

pub(super) fn units(document: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, schema) in document.schemas() {
        for (property, said) in properties(schema).filter(|(_, property)| is_number(document, property)) {
            let text = said.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            if !UNITS.iter().chain(&NO_MEASURE).any(|word| text.contains(word)) {
                wrong.push(format!("{name}.{property}: {text:?} names no unit"));
            }
        }
    }
    wrong
}

fn is_number(document: &Document, schema: &Value) -> bool {
    let schema = document.resolve(schema);
    let is = |kind: &Value| kind == "integer" || kind == "number";
    let of_type = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => false,
    };
    of_type || ["/oneOf", "/anyOf"].iter().any(|choice| elements(schema, choice).any(|one| is_number(document, one)))
}

/// Requests of the management API name every member that they may have: anything else is a typo.
pub(super) fn closed(document: &Document) -> Vec<String> {
    if document.name == PASSING {
        return Vec::new();
    }
    let open = objects_of_requests(document).filter(|(_, schema)| !is_false(schema));
    open.map(|(name, _)| format!("{name} takes unknown members")).collect()
}

/// Requests of the gateway are the providers': Keyward reads what it must know and passes on what it has never heard of.
pub(super) fn open(document: &Document) -> Vec<String> {
    if document.name != PASSING {
        return Vec::new();
    }
    let closed = objects_of_requests(document).filter(|(_, schema)| is_false(schema));
    closed.map(|(name, _)| format!("{name} takes no unknown members")).collect()
}

fn is_false(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

/// Every object that a request has in it and that names its members; a map names none.
fn objects_of_requests(document: &Document) -> impl Iterator<Item = (&str, &Value)> {
    let mut reached = BTreeSet::new();
    for (_, body) in document.operations().flat_map(|operation| operation.bodies()) {
        document.reached(body.get("schema").unwrap_or(&Value::Null), &mut reached);
    }
    let named = document.schemas().filter(move |(name, _)| reached.contains(name.as_str()));
    named.flat_map(|(name, schema)| objects(schema).into_iter().map(move |object| (name.as_str(), object)))
}

/// The objects with named members in a schema, itself included.
fn objects(schema: &Value) -> Vec<&Value> {
    let own = schema.get("properties").map(|_| schema);
    let choices = ["/oneOf", "/anyOf", "/allOf"].into_iter().flat_map(|choice| elements(schema, choice));
    own.into_iter().chain(choices.flat_map(objects)).collect()
}

/// The members that a schema names, in its alternatives too.
fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    objects(schema).into_iter().flat_map(|object| members(object, "/properties"))
}
