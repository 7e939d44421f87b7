//! axe-core, which finds what keeps people from using a page. It is put into the page by the driver, not by the page.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::browser::Browser;

/// Where `cargo xtask sdks` puts it, in the version that `axe/package-lock.json` pins.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe/node/node_modules/axe-core/axe.min.js");
/// Looks at the whole page, and says only what is wrong.
const LOOK: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations), (error) => done(String(error)));";

/// The program, read once.
pub struct Axe(String);

/// Something that keeps people from using a page.
#[derive(Debug, Clone, Deserialize)]
pub struct Barrier {
    id: String,
    help: String,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    html: String,
    failure_summary: Option<String>,
}

impl Axe {
    /// Reads the program.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn read() -> Result<Self> {
        let source = fs::read_to_string(Path::new(SOURCE));
        Ok(Self(source.context("axe-core is not installed; `cargo xtask sdks` does it")?))
    }

    /// What is wrong with the page that the browser shows.
    ///
    /// # Errors
    /// When the page cannot be looked at.
    pub async fn look(&self, browser: &Browser) -> Result<Vec<Barrier>> {
        browser.run(&self.0).await.context("axe-core does not run")?;
        let found: Value = browser.client.execute_async(LOOK, Vec::new()).await?;
        serde_json::from_value(found.clone()).with_context(|| format!("axe-core says {found}"))
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.id, self.help)?;
        self.nodes.iter().take(5).try_for_each(|node| {
            let why = node.failure_summary.as_deref().unwrap_or_default();
            writeln!(f, "  {}\n    {}", node.html, why.replace('\n', "\n    "))
        })
    }
}
