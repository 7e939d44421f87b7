//! The two published pages that the API must serve, and the error body that both have: every member of them is documented, and
//! answered.

use serde_json::Value;

/// The answer of the page that makes a virtual key.
pub const CREATED: &str = include_str!("../seeds/virtual_key_create.json");
/// The answer of the page that reads one.
pub const READ: &str = include_str!("../seeds/virtual_key_get.json");
/// The body of errors on both pages.
pub const ERROR: &str = include_str!("../seeds/error.json");

/// Members of the page that reads a virtual key which a key of a team cannot have.
pub const NOT_OF_A_TEAMS_KEY: [&str; 1] = [".customer_id"];

/// The seed's members, with their paths, that an answer does not have with the same type.
#[must_use]
pub fn missing(answer: &Value, seed: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look_for(Some(answer), seed, "", &mut found);
    found
}

/// The seed's members, with their paths, that the schema does not have with a type that admits the seed's value.
#[must_use]
pub fn undocumented(document: &Value, schema: &Value, seed: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look_up(document, schema, seed, "", &mut found);
    found
}

fn look_for(answer: Option<&Value>, seed: &Value, path: &str, found: &mut Vec<String>) {
    match answer {
        Some(answer) if kind(answer) == kind(seed) || (answer.is_number() && seed.is_number()) => {}
        Some(_) | None => return found.push(path.to_owned()),
    }
    for (member, value) in seed.as_object().into_iter().flatten() {
        look_for(answer.and_then(|answer| answer.get(member)), value, &format!("{path}.{member}"), found);
    }
    for value in seed.as_array().into_iter().flatten() {
        look_for(answer.and_then(|answer| answer.get(0)), value, &format!("{path}[]"), found);
    }
}

fn look_up(document: &Value, schema: &Value, seed: &Value, path: &str, found: &mut Vec<String>) {
    let Some(schema) = alternatives(document, schema).into_iter().find(|schema| admits(schema, seed)) else {
        return found.push(format!("{path} ({})", kind(seed)));
    };
    for (member, value) in seed.as_object().into_iter().flatten() {
        let named = schema.get("properties").and_then(|properties| properties.get(member));
        let other = schema.get("additionalProperties").filter(|schema| schema.is_object());
        look_up(document, named.or(other).unwrap_or(&Value::Null), value, &format!("{path}.{member}"), found);
    }
    for value in seed.as_array().into_iter().flatten() {
        look_up(document, schema.get("items").unwrap_or(&Value::Null), value, &format!("{path}[]"), found);
    }
}

/// The schemas that a schema stands for: references followed, alternatives side by side.
fn alternatives<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
    let there = reference.and_then(|pointer| document.pointer(pointer));
    let listed = ["oneOf", "anyOf", "allOf"].iter().filter_map(|kind| schema.get(*kind)?.as_array()).flatten();
    let behind: Vec<&Value> = there.into_iter().chain(listed).collect();
    match behind.is_empty() {
        true => vec![schema],
        false => behind.into_iter().flat_map(|schema| alternatives(document, schema)).collect(),
    }
}

fn admits(schema: &Value, seed: &Value) -> bool {
    let is_of = |name: &Value| *name == kind(seed) || (kind(seed) == "integer" && *name == "number");
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(is_of),
        Some(name) => is_of(name),
        None => false,
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
