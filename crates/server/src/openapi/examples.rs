//! Examples: for each operation a request and its answer, as a test sends and compares them.
//!
//! Each is a file below `examples/`: the parameters that it has (`path`, `query`), the body that is sent (`request`), and the answer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Content, OpenApi, RefOr};

use super::schemas::each_operation;

mod files;

/// One call.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Example {
    path: BTreeMap<String, Value>,
    query: BTreeMap<String, Value>,
    request: Option<Value>,
    answer: Option<Value>,
}

/// The document with the examples in it.
pub(super) fn shown(mut document: OpenApi) -> OpenApi {
    each_operation(&mut document, &mut |operation| {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let found = files::ALL.iter().find(|(name, _)| *name == id);
        // A file that cannot be read leaves its operation without an example, which the lint finds.
        if let Some(example) = found.and_then(|(_, text)| serde_json::from_str(text).ok()) {
            show(operation, example);
        }
    });
    document
}

fn show(operation: &mut Operation, example: Example) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(value) = example.of(parameter)
        {
            let shown = ParameterBuilder::from(std::mem::take(parameter)).example(Some(value));
            *parameter = shown.build();
        }
    }
    if let Some(RefOr::T(body)) = operation.request_body.as_mut() {
        body.content.values_mut().for_each(|content| put(content, example.request.as_ref()));
    }
    let answers = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    for (_, answer) in answers {
        if let RefOr::T(answer) = answer
            && let Some(content) = answer.content.get_mut("application/json")
        {
            put(content, example.answer.as_ref());
        }
    }
}

fn put(content: &mut RefOr<Content>, example: Option<&Value>) {
    if let RefOr::T(content) = content {
        content.example = example.cloned();
    }
}

impl Example {
    fn of(&self, parameter: &Parameter) -> Option<Value> {
        match parameter.parameter_in {
            ParameterIn::Path => self.path.get(&parameter.name).cloned(),
            ParameterIn::Query => self.query.get(&parameter.name).cloned(),
            ParameterIn::Header | ParameterIn::Cookie | ParameterIn::QueryString => None,
        }
    }
}
