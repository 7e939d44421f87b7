//! What others ask of a document: the linters that most people use, with their strictest rules.
//!
//! What is switched off is in their configuration below `xtask/openapi/`, each with its reason.

use anyhow::Result;

use super::{DOCUMENTS, tools};
use crate::process::{root, succeed};

/// Holds the committed documents to the rules of Redocly, Spectral and openapi-spec-validator.
pub(super) fn run() -> Result<()> {
    tools::install()?;
    let documents = DOCUMENTS.map(|name| root().join("openapi").join(name).with_extension("json"));
    let settings = root().join("xtask").join("openapi");
    let mut redocly = tools::node("redocly");
    redocly.args(["lint", "--config"]).arg(settings.join("redocly.yaml"));
    succeed(redocly.args(["--max-problems", "1000", "--format", "stylish"]).args(&documents))?;
    let mut spectral = tools::node("spectral");
    spectral.args(["lint", "--fail-severity", "hint", "--ruleset"]).arg(settings.join("spectral.yaml"));
    succeed(spectral.args(&documents))?;
    succeed(tools::python("openapi-spec-validator").args(&documents))
}
