//! What holds for every management operation of a kind, said once: versions of single resources, and repeatable creates.
//!
//! The kind is the last word of the operation id: `team_get`, `team_update`, `team_create`, `team_delete`.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder};

use crate::caller::MAX_IDEMPOTENCY_KEY;

/// The document with what its operations have in common.
pub(super) fn applied(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(describe);
    }
    document
}

fn describe(operation: &mut Operation) {
    authenticate(operation);
    let is_of_many = operation.operation_id.as_deref() == Some("virtual_keys_rotate");
    if ["create", "get", "update", "patch", "rotate"].into_iter().any(|verb| is(operation, verb)) && !is_of_many {
        tag(operation);
    }
    if ["update", "patch", "delete", "rotate"].into_iter().any(|verb| is(operation, verb)) {
        let what = "Change this version only: the `ETag` that the resource was read with. Any version unless given.";
        let tags = ObjectBuilder::new().schema_type(Type::String).pattern(Some(ENTITY_TAGS));
        header(operation, "If-Match", what, tags);
    } else {
        operation.responses.responses.remove("412");
    }
    if is(operation, "create") {
        let what = "Makes the request repeatable: within a day, the same request with the same key makes nothing new and \
                    answers with what it made before.";
        let key =
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_IDEMPOTENCY_KEY));
        header(operation, "Idempotency-Key", what, key);
        gone(operation);
    }
}

/// Who may do something with the admin's password may do it with a token or a management key as well.
fn authenticate(operation: &mut Operation) {
    let admin = SecurityRequirement::new("admin", NO_SCOPES);
    if let Some(ways) = operation.security.as_mut().filter(|ways| ways.contains(&admin)) {
        ways.extend(["bearer", "cookie"].map(|way| SecurityRequirement::new(way, NO_SCOPES)));
    }
}

/// What `If-Match` may be.
const ENTITY_TAGS: &str = r#"^\s*(\*|(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*)\s*$"#;

const NO_SCOPES: [&str; 0] = [];

fn is(operation: &Operation, verb: &str) -> bool {
    operation.operation_id.as_deref().and_then(|id| id.rsplit_once('_')).is_some_and(|(_, last)| last == verb)
}

fn tag(operation: &mut Operation) {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let what = "The version of the resource's configuration, for `If-Match`. Usage moves without changing it.";
    let header = HeaderBuilder::new().schema(Some(text)).description(Some(what)).build();
    let answers = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    for (_, answer) in answers {
        if let RefOr::T(answer) = answer {
            answer.headers.insert("ETag".to_owned(), RefOr::T(header.clone()));
        }
    }
}

/// A create is answered with what it made before, which may be gone by now.
fn gone(operation: &mut Operation) {
    let what = "What the same request made before, under the same `Idempotency-Key`, is not there any more.";
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    let answer = ResponseBuilder::new().description(what).content("application/json", body).build();
    operation.responses.responses.entry("404".to_owned()).or_insert(RefOr::T(answer));
}

fn header(operation: &mut Operation, name: &str, what: &str, schema: ObjectBuilder) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(what))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}
