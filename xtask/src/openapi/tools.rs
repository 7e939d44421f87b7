//! The public tools that the documents are held to, in the versions that the lock files pin, below `target/openapi-tools/`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::packages;
use crate::process::root;

/// Installs what is not installed yet. Only this needs the network.
pub(super) fn install() -> Result<()> {
    let sources = root().join("xtask").join("openapi").join("tools");
    fs::create_dir_all(home())?;
    packages::python(&sources, &home())?;
    packages::node(&sources, &home())
}

/// Where they are.
pub(super) fn home() -> PathBuf {
    root().join("target").join("openapi-tools")
}

/// A program of one of the Node packages, run in the root.
pub(super) fn node(program: &str) -> Command {
    let mut command = Command::new(home().join("node").join("node_modules").join(".bin").join(program));
    // They would ask for newer releases of themselves, and tell that they ran.
    command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true").env("NO_COLOR", "1");
    command.current_dir(root());
    command
}

/// A program of one of the Python packages, run in the root.
pub(super) fn python(program: &str) -> Command {
    let mut command = Command::new(home().join("venv").join("bin").join(program));
    command.current_dir(root());
    command
}
