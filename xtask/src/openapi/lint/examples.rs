//! Examples: whether they are there. That they are true is shown by the server's tests, which send them.

use serde_json::Value;

use crate::openapi::document::{Document, members};

/// Every body of a request has one, and every success in JSON. Texts, events and sounds are described in words.
pub(super) fn missing(document: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    for operation in document.operations() {
        if operation.bodies().any(|(_, body)| !has_example(body)) {
            wrong.push(format!("{operation} shows no request"));
        }
        let successes = operation.responses().filter(|(status, _)| status.starts_with('2'));
        let mut bodies = successes.flat_map(|(_, said)| members(document.resolve(said), "/content"));
        if bodies.any(|(media, body)| media == "application/json" && !has_example(body)) {
            wrong.push(format!("{operation} shows no answer"));
        }
    }
    wrong
}

fn has_example(body: &Value) -> bool {
    ["example", "examples"].iter().any(|name| body.get(name).is_some_and(|example| !example.is_null()))
}
