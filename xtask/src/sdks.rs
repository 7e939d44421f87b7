//! What the tests run that others have written, in the versions that the lock files pin: the providers' official SDKs below
//! `target/sdks/`, and axe-core, which looks at pages, below `target/axe/`.

use std::fs;

use anyhow::Result;

use crate::packages;
use crate::process::root;

/// Where the lock files and the scripts of the SDKs are.
const SDKS: &str = "crates/server/tests/sdks";
/// Where the lock file of axe-core is.
const AXE: &str = "crates/showcase/axe";

/// Installs what is not installed yet.
pub(crate) fn run() -> Result<()> {
    let (sdks, target) = (root().join(SDKS), root().join("target").join("sdks"));
    fs::create_dir_all(&target)?;
    packages::python(&sdks.join("python"), &target)?;
    packages::node(&sdks.join("node"), &target)?;
    let target = root().join("target").join("axe");
    fs::create_dir_all(&target)?;
    packages::node(&root().join(AXE), &target)
}
