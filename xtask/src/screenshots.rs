//! The pictures of the guide, and figures of pages: the server with a data set in it, as a browser shows its pages.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use crate::process::{root, succeed};
use crate::server::{PASSWORD, ROOT_KEY, Running, USERNAME, build_together};

/// Where they go.
const PICTURES: &str = "docs/dashboard";

/// Takes them all anew.
pub(crate) fn run() -> Result<()> {
    let [keyward, showcase] = build_together(["keyward", "keyward-showcase"])?;
    let scratch = TempDir::new()?;
    let server = filled(&keyward, &showcase, &scratch)?;
    let mut pictures = Command::new(&showcase);
    pictures.args(["pictures", "--url", &server.url, "--username", USERNAME, "--password", PASSWORD, "--into"]);
    succeed(pictures.arg(root().join(PICTURES)))?;
    drop(server);
    let demo = Running::demo(&keyward, scratch.path(), &scratch.path().join("log-of-demo"))?;
    let mut walk = Command::new(&showcase);
    succeed(walk.args(["walk", "--url", &demo.url, "--into"]).arg(root().join(PICTURES)))
}

/// Says how heavy each page is and how soon something of it can be seen, with the server as the tests have it: what is published is
/// faster.
pub(crate) fn paint() -> Result<()> {
    let [keyward, showcase] = build_together(["keyward", "keyward-showcase"])?;
    let scratch = TempDir::new()?;
    let server = filled(&keyward, &showcase, &scratch)?;
    let mut paint = Command::new(&showcase);
    succeed(paint.args(["paint", "--url", &server.url, "--username", USERNAME, "--password", PASSWORD]))
}

/// A server with the data set, which is filled in first.
fn filled(keyward: &Path, showcase: &Path, scratch: &TempDir) -> Result<Running> {
    let database = format!("sqlite://{}", scratch.path().join("keyward.db").display());
    let mut fill = Command::new(showcase);
    succeed(fill.arg("fill").env("DATABASE_URL", &database).env("KEYWARD_ROOT_KEY", ROOT_KEY))?;
    Running::start(keyward, &database, scratch.path(), &scratch.path().join("log"))
}
