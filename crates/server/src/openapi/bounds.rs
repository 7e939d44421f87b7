//! How long parameters may be: what holds for all of them is said once, as the extractors refuse it once.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

use super::schemas::each_operation;
use crate::params::LONGEST;

/// The document, in which no text of a parameter is longer than it is read.
pub(super) fn bounded(mut document: OpenApi) -> OpenApi {
    each_operation(&mut document, &mut bound);
    document
}

fn bound(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
            && is_text(&object.schema_type)
            && is_unbounded(object)
        {
            object.max_length = Some(LONGEST);
        }
    }
}

fn is_text(kind: &SchemaType) -> bool {
    match kind {
        SchemaType::Type(kind) => *kind == Type::String,
        SchemaType::Array(kinds) => kinds.contains(&Type::String),
        SchemaType::AnyValue => false,
    }
}

fn is_unbounded(text: &Object) -> bool {
    text.max_length.is_none() && text.enum_values.is_none() && text.format.is_none()
}
