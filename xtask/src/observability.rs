//! The page of all names of metrics, spans and logs: what the server's binary prints is what docs/observability.md holds.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{output, root};
use crate::server;

const REMEDY: &str = "run `cargo xtask observability` and commit the result";

/// Writes the page.
pub(crate) fn write() -> Result<()> {
    let path = path();
    fs::write(&path, emit()?).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote docs/observability.md");
    Ok(())
}

/// Fails when the committed page is not what the binary prints.
pub(crate) fn check() -> Result<()> {
    if fs::read_to_string(path()).ok() != Some(emit()?) {
        bail!("docs/observability.md is not what the binary declares\n{REMEDY}");
    }
    println!("docs/observability.md is what the binary declares");
    Ok(())
}

fn path() -> PathBuf {
    root().join("docs").join("observability.md")
}

fn emit() -> Result<String> {
    let binary = server::build()?;
    output(Command::new(binary).current_dir(root()).arg("observability"))
}
