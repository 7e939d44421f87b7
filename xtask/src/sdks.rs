//! The official SDKs of the providers, in the versions that the lock files pin, below `target/sdks/`: what the tests of real clients run.

use std::fs;

use anyhow::Result;

use crate::packages;
use crate::process::root;

/// Where the lock files and the scripts are.
const SOURCES: &str = "crates/server/tests/sdks";

/// Installs what is not installed yet.
pub(crate) fn run() -> Result<()> {
    let (sources, target) = (root().join(SOURCES), root().join("target").join("sdks"));
    fs::create_dir_all(&target)?;
    packages::python(&sources.join("python"), &target)?;
    packages::node(&sources.join("node"), &target)
}
