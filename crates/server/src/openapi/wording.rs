//! How documents read: a summary is one sentence, a description stands where readers look for it, and no default is told that is none.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{OneOf, Schema};
use utoipa::openapi::{OpenApi, RefOr};

use super::schemas::{each_operation, each_schema};

/// The document, worded like this.
pub(super) fn worded(mut document: OpenApi) -> OpenApi {
    each_operation(&mut document, &mut summarise);
    each_schema(&mut document, &mut |schema| {
        if let Schema::OneOf(choice) = schema {
            lift(choice);
        } else if let Schema::Object(object) = schema {
            let required = &object.required;
            object.properties.iter_mut().for_each(|(name, property)| forget_default(property, required.contains(name)));
        }
    });
    document
}

/// The first sentence is the summary, without its full stop; everything behind it is the description.
fn summarise(operation: &mut Operation) {
    let Some(text) = operation.summary.take() else { return };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (summary, rest) = text.split_once(". ").unwrap_or((&text, ""));
    let more = operation.description.take();
    let paragraphs = [Some(rest.to_owned()), more].into_iter().flatten().filter(|paragraph| !paragraph.is_empty());
    operation.description = Some(paragraphs.collect::<Vec<_>>().join("\n\n")).filter(|text| !text.is_empty());
    operation.summary = Some(summary.trim_end_matches('.').to_owned());
}

/// What is said of the one thing that may be null is said of the member.
fn lift(choice: &mut OneOf) {
    for item in &mut choice.items {
        if let RefOr::Ref(reference) = item
            && choice.description.is_none()
            && !reference.description.is_empty()
        {
            choice.description = Some(std::mem::take(&mut reference.description));
        }
    }
}

/// A default of what must be given says nothing, and null says no more than that the member may be absent.
fn forget_default(property: &mut RefOr<Schema>, is_required: bool) {
    let default = match property {
        RefOr::T(Schema::Object(object)) => &mut object.default,
        RefOr::T(Schema::Array(array)) => &mut array.default,
        RefOr::T(Schema::OneOf(choice)) => &mut choice.default,
        RefOr::T(_) | RefOr::Ref(_) => return,
    };
    if is_required || default.as_ref().is_some_and(serde_json::Value::is_null) {
        *default = None;
    }
}
