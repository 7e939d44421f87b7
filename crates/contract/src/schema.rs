//! Schemas of a document, compiled once each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, ValidationError, Validator};
use serde_json::Value;

use crate::document::Document;
use crate::violation::Violation;

/// A schema that can be asked, or why it is broken.
type Compiled = Result<Arc<Validator>, String>;

/// Validators by document and schema.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    compiled: Mutex<HashMap<(String, String), Compiled>>,
}

impl Schemas {
    /// What of a value is not as a schema of the document says.
    pub(crate) fn check(&self, document: &Document, schema: &Value, value: &Value) -> Vec<Violation> {
        let fault = |at: String, what: String| Violation::Schema { at, what };
        match self.compiled(document, schema) {
            Ok(validator) => {
                let errors = validator.iter_errors(value);
                errors.map(|error| fault(error.instance_path().to_string(), told(&error))).collect()
            }
            Err(error) => vec![fault(String::new(), format!("the schema is broken: {error}"))],
        }
    }

    fn compiled(&self, document: &Document, schema: &Value) -> Compiled {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (document.name().to_owned(), schema.to_string());
        compiled.entry(key).or_insert_with(|| compile(document, schema).map(Arc::new)).clone()
    }
}

/// What is wrong, without the value itself, which may be a secret.
fn told(error: &ValidationError<'_>) -> String {
    error.masked().to_string()
}

/// A schema that is alone knows nothing of the components that it refers to: they go along.
fn compile(document: &Document, schema: &Value) -> Result<Validator, String> {
    let mut whole = schema.clone();
    if let (Some(members), Some(components)) = (whole.as_object_mut(), document.value().get("components")) {
        members.insert("components".to_owned(), components.clone());
    }
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(&whole).map_err(|error| error.to_string())
}
