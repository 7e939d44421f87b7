//! Clients that the stock generators of other languages make of the documents: made, compiled, and used. None of it is committed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{DOCUMENTS, tools};
use crate::process::{root, succeed};
use crate::server::{self, PASSWORD, Running, USERNAME};

/// What each generator makes, and the script that makes one round trip with it; in `xtask/openapi/clients`.
const ROUND_TRIPS: [&str; 2] = ["openapi_typescript", "hey_api"];

/// Generates clients from the committed documents, compiles them, and lets each make a call.
pub(super) fn run() -> Result<()> {
    tools::install()?;
    // Below the packages, where Node looks for them.
    let home = tools::home().join("node").join("clients");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    let sources = root().join("xtask").join("openapi").join("clients");
    for entry in fs::read_dir(&sources)? {
        let entry = entry?;
        fs::copy(entry.path(), home.join(entry.file_name()))?;
    }
    fs::write(home.join("package.json"), r#"{"type":"module"}"#)?;
    typescript(&home)?;
    python(&home)?;
    use_them(&home)
}

/// Generates with `openapi-typescript` and `@hey-api/openapi-ts`, and compiles both with `tsc`, as strictly as it can.
fn typescript(home: &Path) -> Result<()> {
    for name in DOCUMENTS {
        let mut types = tools::node("openapi-typescript");
        // Else a member with a default would have to be in every request.
        types.arg(document(name)).args(["--default-non-nullable", "false", "--output"]);
        succeed(types.arg(home.join("types").join(name).with_extension("ts")))?;
    }
    let mut clients = tools::node("openapi-ts");
    clients.current_dir(home).env("KEYWARD_DOCUMENTS", root().join("openapi"));
    succeed(clients.args(["-f", "hey.config.mjs"]))?;
    succeed(tools::node("tsc").arg("--project").arg(home))
}

/// Generates with `openapi-python-client`, which may find nothing to warn of, and compiles every module.
fn python(home: &Path) -> Result<()> {
    for name in DOCUMENTS {
        let mut client = tools::python("openapi-python-client");
        client.args(["generate", "--meta", "none", "--fail-on-warning", "--path"]).arg(document(name));
        client.arg("--config").arg(home.join("openapi_python_client.yaml"));
        client.arg("--output-path").arg(home.join(format!("keyward_{name}")));
        // It calls ruff, which is beside it.
        succeed(client.env("PATH", path_with_tools()?))?;
    }
    let mut compile = tools::python("python");
    succeed(compile.args(["-m", "compileall", "-q"]).args(DOCUMENTS.map(|name| home.join(format!("keyward_{name}")))))
}

fn path_with_tools() -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = tools::home().join("venv").join("bin");
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path))).context("PATH cannot be extended")
}

fn document(name: &str) -> std::path::PathBuf {
    root().join("openapi").join(name).with_extension("json")
}

/// Starts a server and runs the scripts, which fail when anything is not as it should be.
fn use_them(home: &Path) -> Result<()> {
    let directory = TempDir::new()?;
    let database = format!("sqlite://{}", directory.path().join("keyward.db").display());
    let binary = server::build()?;
    let server = Running::start(&binary, &database, directory.path(), &directory.path().join("log"))?;
    let scripts = ROUND_TRIPS.map(|name| {
        let mut node = std::process::Command::new("node");
        node.arg(home.join("built").join(name).with_extension("js"));
        node
    });
    let mut python = tools::python("python");
    python.env("PYTHONPATH", home).arg(home.join("openapi_python_client.py"));
    for mut script in scripts.into_iter().chain([python]) {
        script.env("KEYWARD_URL", &server.url).env("KEYWARD_USERNAME", USERNAME).env("KEYWARD_PASSWORD", PASSWORD);
        succeed(&mut script)?;
    }
    println!("clients of three generators are made, compiled, and used");
    Ok(())
}
