//! Operations: their names, their words, who may call them, and what they answer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::openapi::document::{Document, elements, members};

/// The longest summary, in characters.
const SUMMARY: usize = 120;

pub(super) fn ids(document: &Document) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let is_name = |id: &str| !id.is_empty() && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    let wrong = document.operations().filter(|operation| {
        let id = operation.text("operationId");
        !is_name(id) || !seen.insert(id)
    });
    wrong.map(|operation| format!("{operation} is called {:?}", operation.text("operationId"))).collect()
}

pub(super) fn summaries(document: &Document) -> Vec<String> {
    let is_one = |text: &str| {
        !text.is_empty() && text.chars().count() <= SUMMARY && !text.contains('\n') && !text.ends_with('.')
    };
    let wrong = document.operations().filter(|operation| !is_one(operation.text("summary")));
    wrong.map(|operation| format!("{operation} is summarised as {:?}", operation.text("summary"))).collect()
}

pub(super) fn descriptions(document: &Document) -> Vec<String> {
    let wrong = document.operations().filter(|operation| {
        let text = operation.text("description");
        text.is_empty() || text == operation.text("summary")
    });
    wrong.map(|operation| format!("{operation} has none")).collect()
}

pub(super) fn tags(document: &Document) -> Vec<String> {
    let declared: BTreeSet<&str> =
        elements(&document.root, "/tags").filter_map(|tag| tag.get("name")?.as_str()).collect();
    let wrong = document.operations().filter(|operation| {
        let tags: Vec<&str> = elements(operation.said, "/tags").filter_map(Value::as_str).collect();
        !matches!(tags.as_slice(), [tag] if declared.contains(tag))
    });
    wrong.map(|operation| operation.to_string()).collect()
}

pub(super) fn security(document: &Document) -> Vec<String> {
    let wrong = document.operations().filter(|operation| elements(operation.said, "/security").next().is_none());
    wrong.map(|operation| operation.to_string()).collect()
}

/// An answer without a body, by its status; and what a provider sends as it is has no schema of ours: `4XX` and the like.
fn has_no_body(status: &str) -> bool {
    matches!(status, "202" | "204" | "304") || status.ends_with("XX")
}

pub(super) fn statuses(document: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    for operation in document.operations() {
        for (status, said) in operation.responses() {
            let said = document.resolve(said);
            if said.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
                wrong.push(format!("{operation} -> {status} has no description"));
            }
            let mut bodies = members(said, "/content").peekable();
            let is_described = bodies.peek().is_some() && bodies.all(|(_, body)| body.get("schema").is_some());
            if !is_described && !has_no_body(status) {
                wrong.push(format!("{operation} -> {status} has a body without a schema"));
            }
        }
        if !operation.responses().any(|(status, _)| status.starts_with('2')) {
            wrong.push(format!("{operation} never succeeds"));
        }
    }
    wrong
}
