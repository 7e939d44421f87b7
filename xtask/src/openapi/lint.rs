//! What every operation and every property of the documents has to say. Each rule has a name, which its findings begin with.

mod examples;
mod operations;
mod parameters;
mod schemas;

use anyhow::{Result, bail};

use super::document::Document;

/// A rule: its name, why it is there, and what breaks it.
struct Rule {
    name: &'static str,
    why: &'static str,
    broken: fn(&Document) -> Vec<String>,
}

const RULES: [Rule; 12] = [
    Rule { name: "operation-id", why: "clients name their methods by it", broken: operations::ids },
    Rule {
        name: "summary",
        why: "lists of operations show it: one line without a full stop",
        broken: operations::summaries,
    },
    Rule { name: "description", why: "it says what the summary does not", broken: operations::descriptions },
    Rule { name: "tag", why: "an operation is in one chapter, and the chapter is declared", broken: operations::tags },
    Rule { name: "security", why: "who may call is said; `{}` says that anybody may", broken: operations::security },
    Rule {
        name: "status",
        why: "every status has a description and a body that is described",
        broken: operations::statuses,
    },
    Rule { name: "parameter", why: "a client knows what it may send before it sends it", broken: parameters::bounds },
    Rule { name: "example", why: "a request is understood by one that works", broken: examples::missing },
    Rule { name: "property", why: "a member without a description is a guess", broken: schemas::descriptions },
    Rule { name: "unit", why: "a number without its unit is misread", broken: schemas::units },
    Rule {
        name: "closed",
        why: "a member that nobody reads is refused, and the document says so",
        broken: schemas::closed,
    },
    Rule { name: "open", why: "bodies of the providers' dialects pass unknown members through", broken: schemas::open },
];

/// Fails with everything that is wrong with the documents.
pub(super) fn run(documents: &[Document]) -> Result<()> {
    let mut broken = Vec::new();
    for (document, rule) in documents.iter().flat_map(|document| RULES.iter().map(move |rule| (document, rule))) {
        let findings = (rule.broken)(document);
        let lines =
            findings.iter().map(|finding| format!("{}: {} ({}): {finding}", document.name, rule.name, rule.why));
        broken.extend(lines);
    }
    if !broken.is_empty() {
        bail!("{}\n{} findings", broken.join("\n"), broken.len());
    }
    println!("the documents keep all {} rules", RULES.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A document that keeps every rule.
    fn good() -> serde_json::Value {
        let name = json!({ "type": "string", "description": "Its name.", "maxLength": 9 });
        json!({
            "tags": [{ "name": "things" }],
            "paths": { "/things/{id}": { "put": {
                "operationId": "thing_update", "summary": "Edits a thing", "description": "What is absent stays.",
                "tags": ["things"], "security": [{ "admin": [] }],
                "parameters": [{
                    "name": "id", "in": "path", "description": "Its id.", "example": "a", "required": true,
                    "schema": { "type": "string", "maxLength": 9 },
                }],
                "requestBody": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Thing" }, "example": { "name": "x" },
                } } },
                "responses": {
                    "200": { "description": "The thing.", "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Thing" }, "example": { "name": "x" },
                    } } },
                },
            } } },
            "components": { "schemas": { "Thing": {
                "type": "object", "description": "A thing.", "additionalProperties": false,
                "properties": { "name": name, "age": { "type": "integer", "description": "Its age in seconds." } },
            } } },
        })
    }

    /// The names of the rules that are broken when something in the good document is replaced.
    fn broken(pointer: &str, value: serde_json::Value) -> Vec<&'static str> {
        let mut root = good();
        *root.pointer_mut(pointer).unwrap() = value;
        let document = Document { name: "management".to_owned(), root };
        RULES.iter().filter(|rule| !(rule.broken)(&document).is_empty()).map(|rule| rule.name).collect()
    }

    #[test]
    fn each_rule_finds_what_breaks_it_and_nothing_else() {
        let operation = "/paths/~1things~1{id}/put";
        let at = |rest: &str| format!("{operation}{rest}");
        let thing = "/components/schemas/Thing";
        let none = json!(null);
        for (pointer, value, rule) in [
            (at("/operationId"), json!("thingUpdate"), "operation-id"),
            (at("/summary"), json!("Edits a thing."), "summary"),
            (at("/description"), none.clone(), "description"),
            (at("/tags/0"), json!("others"), "tag"),
            (at("/security"), none.clone(), "security"),
            (at("/responses/200/description"), json!(""), "status"),
            (at("/responses/200/content"), none.clone(), "status"),
            (at("/parameters/0/schema/maxLength"), none.clone(), "parameter"),
            (at("/parameters/0/schema"), json!({ "type": "integer", "minimum": 0 }), "parameter"),
            (at("/parameters/0/example"), none.clone(), "parameter"),
            (at("/requestBody/content/application~1json/example"), none.clone(), "example"),
            (at("/responses/200/content/application~1json/example"), none.clone(), "example"),
            (format!("{thing}/properties/name/description"), none.clone(), "property"),
            (format!("{thing}/description"), none.clone(), "property"),
            (format!("{thing}/properties/age/description"), json!("Its age."), "unit"),
            (format!("{thing}/additionalProperties"), none.clone(), "closed"),
        ] {
            assert_eq!(broken(&pointer, value), [rule], "{pointer}");
        }
        assert!(broken("/tags", json!([{ "name": "things" }, { "name": "more" }])).is_empty());
    }

    #[test]
    fn the_gateway_s_bodies_are_open() {
        let document = Document { name: "gateway".to_owned(), root: good() };
        let names: Vec<&str> =
            RULES.iter().filter(|rule| !(rule.broken)(&document).is_empty()).map(|rule| rule.name).collect();
        assert_eq!(names, ["open"]);
    }
}
