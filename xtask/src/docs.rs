//! The published documentation: the guide with mdBook, the interactive reference as a server has it, and `llms.txt`, as files that
//! any web server can serve.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{cargo, root, succeed};
use crate::server::{self, Running};

mod links;
mod llms;
mod page;

/// The version that the guide is known to come out right with.
const MDBOOK: &str = "0.5.4";
/// What the reference consists of, as a server has it below `/docs/`.
const REFERENCE: [&str; 9] = [
    "index.html",
    "index.css",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "openapi/management.json",
    "openapi/gateway.json",
];

/// Builds the site, and holds the rules for its pages.
pub(crate) fn run() -> Result<()> {
    let pages = page::all()?;
    links::check(&pages)?;
    let site = root().join("target").join("site");
    succeed(Command::new(mdbook()?).arg("build").arg(root().join("docs")).arg("--dest-dir").arg(&site))?;
    reference(&site.join("reference"))?;
    fs::write(site.join("llms.txt"), llms::text(&pages)?)?;
    println!("the site is {}", site.display());
    Ok(())
}

/// mdBook, put below `target/` once. It is no dependency of the workspace: nothing of it is in what is published.
pub(crate) fn mdbook() -> Result<PathBuf> {
    let home = root().join("target").join("mdbook");
    let program = home.join("bin").join("mdbook");
    let version = Command::new(&program).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    if String::from_utf8_lossy(&version).contains(MDBOOK) {
        return Ok(program);
    }
    let mut install = cargo();
    install.args(["install", "--quiet", "--locked", "--force", "mdbook", "--version", MDBOOK, "--root"]).arg(&home);
    // Its build has nothing in common with the workspace's, and is wanted at once, not fast.
    install
        .args(["--profile", "dev", "--no-default-features", "--features", "search"])
        .env("CARGO_NET_OFFLINE", "false");
    succeed(&mut install).context("mdBook is not there and could not be installed")?;
    Ok(program)
}

/// Copies the reference from a running server.
fn reference(into: &Path) -> Result<()> {
    let binary = server::build()?;
    let directory = TempDir::new()?;
    let database = format!("sqlite://{}", directory.path().join("keyward.db").display());
    let server = Running::start(&binary, &database, directory.path(), &directory.path().join("log"))?;
    fs::create_dir_all(into.join("openapi"))?;
    for file in REFERENCE {
        let mut fetch = Command::new("curl");
        fetch.args(["--silent", "--show-error", "--fail", "--output"]).arg(into.join(file));
        succeed(fetch.arg(format!("{}/docs/{file}", server.url)))?;
    }
    Ok(())
}

/// Says all that is wrong at once.
fn told(faults: &[String]) -> Result<()> {
    match faults {
        [] => Ok(()),
        faults => bail!("{}", faults.join("\n")),
    }
}
