//! Ways through a document: every operation, every schema.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Schema};
use utoipa::openapi::{OpenApi, RefOr};

/// Does something with every operation.
pub(super) fn each_operation(document: &mut OpenApi, change: &mut dyn FnMut(&mut Operation)) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(&mut *change);
    }
}

/// Does something with every schema of the components, and with those in them.
pub(super) fn each_schema(document: &mut OpenApi, change: &mut dyn FnMut(&mut Schema)) {
    let schemas = document.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    schemas.for_each(|schema| within(schema, change));
}

fn within(schema: &mut RefOr<Schema>, change: &mut dyn FnMut(&mut Schema)) {
    let RefOr::T(schema) = schema else { return };
    change(schema);
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(|property| within(property, change));
            if let Some(AdditionalProperties::RefOr(values)) = object.additional_properties.as_deref_mut() {
                within(values, change);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                within(items, change);
            }
        }
        Schema::OneOf(choice) => choice.items.iter_mut().for_each(|item| within(item, change)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|item| within(item, change)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|item| within(item, change)),
        _ => {}
    }
}
