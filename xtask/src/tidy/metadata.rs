//! What cargo knows about the packages of the workspace.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{cargo, output, root};

pub(super) struct Package {
    pub(super) name: String,
    /// Its directory, relative to the root.
    pub(super) directory: String,
    pub(super) dependencies: Vec<Dependency>,
    /// The root files of its test targets, relative to the root.
    pub(super) tests: Vec<String>,
}

pub(super) struct Dependency {
    pub(super) name: String,
    /// Only its tests use it.
    pub(super) dev: bool,
}

/// All members of the workspace.
pub(super) fn read() -> Result<Vec<Package>> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    array(&metadata, "packages").map(package).collect::<Option<_>>().context("cargo metadata has an unknown form")
}

fn package(value: &Value) -> Option<Package> {
    let tests = array(value, "targets").filter(|target| array(target, "kind").any(|kind| kind == "test"));
    Some(Package {
        name: text(value, "name")?,
        directory: relative(&text(value, "manifest_path")?).strip_suffix("/Cargo.toml")?.to_owned(),
        dependencies: array(value, "dependencies").map(dependency).collect::<Option<_>>()?,
        tests: tests.map(|target| text(target, "src_path").map(|path| relative(&path))).collect::<Option<_>>()?,
    })
}

fn dependency(value: &Value) -> Option<Dependency> {
    Some(Dependency { name: text(value, "name")?, dev: value.get("kind")? == "dev" })
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn relative(path: &str) -> String {
    let path = std::path::Path::new(path);
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}
