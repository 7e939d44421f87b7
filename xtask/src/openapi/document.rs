//! A document as it is read: its operations, its schemas, and where references lead.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// One OpenAPI document.
#[derive(Debug)]
pub(crate) struct Document {
    /// `management` or `gateway`.
    pub(crate) name: String,
    pub(crate) root: Value,
}

/// One operation of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) said: &'a Value,
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Document {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(name, &text)
    }

    /// Reads a text.
    pub(crate) fn parse(name: String, text: &str) -> Result<Self> {
        let root = serde_json::from_str(text).with_context(|| format!("{name} is not JSON"))?;
        Ok(Self { name, root })
    }

    /// Every operation, in the order of the document.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = members(&self.root, "/paths");
        paths.flat_map(|(path, item)| {
            let said = item.as_object().into_iter().flatten();
            said.filter(|(method, _)| METHODS.contains(&method.as_str())).map(move |(method, said)| Operation {
                method,
                path,
                said,
            })
        })
    }

    /// Every schema that has a name.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        members(&self.root, "/components/schemas")
    }

    /// What a value says, or what it refers to.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        target.and_then(|pointer| self.root.pointer(pointer)).map_or(value, |found| self.resolve(found))
    }

    /// The names of the schemas that a value refers to, and of those that they refer to.
    pub(crate) fn reached<'a>(&'a self, from: &'a Value, found: &mut BTreeSet<&'a str>) {
        match from {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
                if let Some(name) = name.filter(|name| found.insert(name)) {
                    let schema = self.root.pointer(&format!("/components/schemas/{name}"));
                    schema.into_iter().for_each(|schema| self.reached(schema, found));
                }
                members.values().for_each(|member| self.reached(member, found));
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.reached(element, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl<'a> Operation<'a> {
    /// A text that it says about itself, or nothing.
    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.said.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        elements(self.said, "/parameters")
    }

    /// Its answers by status.
    pub(crate) fn responses(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        members(self.said, "/responses")
    }

    /// What its request body may be, by media type.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        members(self.said, "/requestBody/content")
    }
}

impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.to_uppercase(), self.path)
    }
}

/// The members of an object in a value, none if there is no such object.
pub(crate) fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

/// The elements of a list in a value, none if there is no such list.
pub(crate) fn elements<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
